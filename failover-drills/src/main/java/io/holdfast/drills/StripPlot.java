package io.holdfast.drills;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A picture (SVG 1.1) of measured times: a row for each kind, a dot for each value on a logarithmic scale, and a mark at what
 * it may be. By hand, as the agent's pictures of outages are: a plotting library would be larger than all the drills.
 */
final class StripPlot {
    private static final int ROW_HEIGHT = 22;
    private static final int LEFT = 170;
    private static final int WIDTH = 720;
    private static final int TOP = 34;
    private static final double LEAST_MS = 1;
    private static final double MOST_MS = 100_000;

    /** What one row shows. */
    private record Row(List<Double> valuesMs, double budgetMs) {}

    private final String title;
    private final Map<String, Row> rows = new LinkedHashMap<>();

    StripPlot(String title) {
        this.title = title;
    }

    /** @param budgetMs infinite if there is none */
    void add(String name, List<Double> valuesMs, double budgetMs) {
        if (!valuesMs.isEmpty()) {
            rows.put(name, new Row(List.copyOf(valuesMs), budgetMs));
        }
    }

    String svg() {
        int height = TOP + rows.size() * ROW_HEIGHT + 26;
        StringBuilder out = new StringBuilder(String.format(
                Locale.ROOT,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\">%n<title>%s</title>%n",
                LEFT + WIDTH + 30,
                height,
                escaped(title)));
        text(out, 4, 16, title, "title");
        for (double tick = LEAST_MS; tick <= MOST_MS; tick *= 10) {
            out.append(String.format(
                    Locale.ROOT,
                    "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>%n",
                    x(tick),
                    x(tick),
                    TOP - 6,
                    height - 22));
            text(out, (int) x(tick) - 12, height - 8, Numbers.trimmed(tick) + " ms", "tick");
        }
        int y = TOP;
        for (Map.Entry<String, Row> row : rows.entrySet()) {
            draw(out, y, row.getKey(), row.getValue());
            y += ROW_HEIGHT;
        }
        return out.append("</svg>\n").toString();
    }

    private static void draw(StringBuilder out, int y, String name, Row row) {
        text(out, 4, y + 12, name, "row");
        if (row.budgetMs() <= MOST_MS) {
            out.append(String.format(
                    Locale.ROOT,
                    "<line class=\"budget\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"><title>at most %s ms</title></line>%n",
                    x(row.budgetMs()),
                    x(row.budgetMs()),
                    y,
                    y + ROW_HEIGHT - 4,
                    Numbers.trimmed(row.budgetMs())));
        }
        for (double valueMs : row.valuesMs()) {
            out.append(String.format(
                    Locale.ROOT,
                    "<circle class=\"%s\" cx=\"%.1f\" cy=\"%d\" r=\"4\"><title>%s ms</title></circle>%n",
                    valueMs > row.budgetMs() ? "late" : "value",
                    x(valueMs),
                    y + ROW_HEIGHT / 2 - 2,
                    Numbers.ms(valueMs)));
        }
    }

    private static double x(double ms) {
        double within = Math.min(Math.max(ms, LEAST_MS), MOST_MS);
        return LEFT + WIDTH * Math.log10(within / LEAST_MS) / Math.log10(MOST_MS / LEAST_MS);
    }

    private static void text(StringBuilder out, int x, int y, String text, String kind) {
        out.append(String.format(
                Locale.ROOT, "<text class=\"%s\" x=\"%d\" y=\"%d\">%s</text>%n", kind, x, y, escaped(text)));
    }

    /** For HTML and SVG. */
    static String escaped(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }

    /** What a page needs once for its pictures. */
    static List<String> style() {
        return new ArrayList<>(List.of(
                "svg{max-width:100%;height:auto;font:12px sans-serif;background:#fff}",
                "svg .title{font-weight:bold}",
                "svg .tick{fill:#666;font-size:10px}",
                "svg .grid{stroke:#ddd}",
                "svg .budget{stroke:#c0392b;stroke-width:2}",
                "svg .value{fill:#3b6fb6;fill-opacity:.55}",
                "svg .late{fill:#c0392b;fill-opacity:.7}"));
    }
}
