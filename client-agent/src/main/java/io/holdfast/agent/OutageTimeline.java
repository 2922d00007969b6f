package io.holdfast.agent;

import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What happened in an outage, in the order it happened: a value, printed as text and as a picture (SVG 1.1). By hand, as a
 * plotting library would be larger than the agent and draw less of it.
 *
 * @param moments at least one, ascending
 */
record OutageTimeline(List<Moment> moments) {
    private static final int LANE_HEIGHT = 26;
    private static final int LEFT = 150;
    private static final int WIDTH = 900;
    private static final int RIGHT = 30;
    private static final int TOP = 46;
    private static final int TICKS = 6;

    private static final Map<String, String> COLOURS = Map.of(
            "RUNNING", "#2e9e5b",
            "serves", "#2e9e5b",
            "lost", "#c0392b",
            "FREEZING", "#e0a030",
            "FROZEN", "#3b6fb6",
            "PROVING", "#8e6bbf",
            "THAWING", "#7fc97f",
            "HELD_BY_OTHER", "#888888",
            "ABSENT", "#cccccc");

    /**
     * One thing that happened.
     *
     * @param atMs milliseconds since 1970
     * @param lane whom it happened to
     */
    record Moment(long atMs, String lane, String what, String detail) {}

    OutageTimeline {
        moments = List.copyOf(moments);
    }

    long beganMs() {
        return moments.get(0).atMs();
    }

    private long lengthMs() {
        return Math.max(1, moments.get(moments.size() - 1).atMs() - beganMs());
    }

    String summary() {
        long vms = moments.stream()
                .map(Moment::lane)
                .filter(lane -> lane.startsWith("vm "))
                .distinct()
                .count();
        return vms + (vms == 1 ? " VM, " : " VMs, ") + lengthMs() + " ms";
    }

    String text() {
        StringBuilder out = new StringBuilder();
        out.append("Outage of ").append(Instant.ofEpochMilli(beganMs())).append(": ");
        out.append(summary()).append("\n\n");
        Map<String, Moment> last = new LinkedHashMap<>();
        for (Moment moment : moments) {
            Moment before = last.put(moment.lane(), moment);
            String stood = before == null ? "" : " after " + (moment.atMs() - before.atMs()) + " ms " + before.what();
            out.append(String.format(
                    Locale.ROOT,
                    "%+9d ms  %-16s %s%s (%s)%n",
                    moment.atMs() - beganMs(),
                    moment.lane(),
                    moment.what(),
                    stood,
                    moment.detail()));
        }
        return out.toString();
    }

    String svg() {
        Map<String, List<Moment>> lanes = new LinkedHashMap<>();
        for (Moment moment : moments) {
            lanes.computeIfAbsent(moment.lane(), lane -> new ArrayList<>()).add(moment);
        }
        int height = TOP + lanes.size() * LANE_HEIGHT + 30;
        StringBuilder out = new StringBuilder();
        out.append(String.format(
                Locale.ROOT,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\""
                        + " font-size=\"12\">%n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>%n",
                LEFT + WIDTH + RIGHT,
                height));
        text(out, 10, 20, "Outage of " + Instant.ofEpochMilli(beganMs()) + ": " + summary());
        int lane = 0;
        for (Map.Entry<String, List<Moment>> entry : lanes.entrySet()) {
            drawLane(out, TOP + lane * LANE_HEIGHT, entry.getKey(), entry.getValue());
            lane++;
        }
        for (int i = 0; i <= TICKS; i++) {
            int x = LEFT + WIDTH * i / TICKS;
            text(out, x - 15, height - 8, lengthMs() * i / TICKS + " ms");
        }
        return out.append("</svg>\n").toString();
    }

    private void drawLane(StringBuilder out, int y, String name, List<Moment> own) {
        text(out, 10, y + 15, name);
        for (int i = 0; i < own.size(); i++) {
            Moment moment = own.get(i);
            String colour = COLOURS.get(moment.what());
            if (colour == null) {
                continue;
            }
            double from = x(moment.atMs());
            double to = i + 1 < own.size() ? x(own.get(i + 1).atMs()) : LEFT + WIDTH;
            out.append(String.format(
                    Locale.ROOT,
                    "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"><title>%s</title></rect>%n",
                    from,
                    y,
                    Math.max(1.0, to - from),
                    LANE_HEIGHT - 8,
                    colour,
                    escaped(moment.what() + " at " + (moment.atMs() - beganMs()) + " ms: " + moment.detail())));
        }
    }

    private double x(long atMs) {
        return LEFT + (double) (atMs - beganMs()) / lengthMs() * WIDTH;
    }

    private static void text(StringBuilder out, int x, int y, String text) {
        out.append(String.format(Locale.ROOT, "<text x=\"%d\" y=\"%d\">%s</text>%n", x, y, escaped(text)));
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }
}
