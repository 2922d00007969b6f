package io.holdfast.management.plane;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A page in Prometheus' text format 0.0.4, read as its specification has it and with what promtool complains of: each family
 * has help and type before its samples and stands in one piece, no series comes twice, names end as their type wants, and
 * histograms are cumulative and agree with their count.
 */
public final class Exposition {
    private static final Pattern META = Pattern.compile("# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)");
    private static final Pattern SAMPLE =
            Pattern.compile("([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\\{(.*)})? (-?[0-9]+(?:\\.[0-9]+)?)");
    private static final Pattern LABEL =
            Pattern.compile("([a-zA-Z_][a-zA-Z0-9_]*)=\"((?:[^\"\\\\]|\\\\[\\\\\"n])*)\"(?:,|$)");

    private final Map<String, String> types = new LinkedHashMap<>();
    private final Set<String> helped = new HashSet<>();
    private final Map<String, Double> samples = new LinkedHashMap<>();
    private final Set<String> closed = new HashSet<>();
    private String family = "";

    private Exposition() {}

    /** @throws AssertionError naming the line that is wrong */
    public static Exposition parse(String page) {
        assertThat(page).endsWith("\n");
        Exposition exposition = new Exposition();
        page.lines().forEach(exposition::take);
        exposition.checkHistograms();
        return exposition;
    }

    private void take(String line) {
        Matcher meta = META.matcher(line);
        if (meta.matches()) {
            begin(meta.group(2), line);
            if (meta.group(1).equals("HELP")) {
                assertThat(helped.add(family)).as("help comes twice: %s", line).isTrue();
            } else {
                assertThat(types.put(family, meta.group(3)))
                        .as("type comes twice: %s", line)
                        .isNull();
                assertThat(meta.group(3)).isIn("counter", "gauge", "histogram");
                assertThat(family.endsWith("_total"))
                        .as(line)
                        .isEqualTo(meta.group(3).equals("counter"));
            }
            return;
        }
        Matcher sample = SAMPLE.matcher(line);
        assertThat(sample.matches()).as("no sample: %s", line).isTrue();
        String name = sample.group(1);
        String base = name.replaceAll("_(bucket|sum|count)$", "");
        String of = "histogram".equals(types.get(base)) ? base : name;
        assertThat(of).as("not of the family that it stands in: %s", line).isEqualTo(family);
        assertThat(types).containsKey(of);
        assertThat(helped).contains(of);
        Map<String, String> labels = labels(sample.group(2) == null ? "" : sample.group(2), line);
        assertThat(samples.put(name + labels, Double.valueOf(sample.group(3))))
                .as("comes twice: %s", line)
                .isNull();
    }

    private void begin(String name, String line) {
        if (!name.equals(family)) {
            assertThat(closed.add(family)).isTrue();
            assertThat(closed).as("in two pieces: %s", line).doesNotContain(name);
            family = name;
        }
    }

    private static Map<String, String> labels(String text, String line) {
        Map<String, String> labels = new TreeMap<>();
        int at = 0;
        Matcher label = LABEL.matcher(text);
        while (at < text.length()) {
            assertThat(label.find(at) && label.start() == at)
                    .as("labels of %s", line)
                    .isTrue();
            assertThat(labels.put(label.group(1), label.group(2))).as(line).isNull();
            at = label.end();
        }
        return labels;
    }

    private void checkHistograms() {
        types.forEach((name, type) -> {
            if (type.equals("histogram")) {
                checkHistogram(name);
            }
        });
    }

    private void checkHistogram(String name) {
        Map<String, List<Double>> series = new LinkedHashMap<>();
        Map<String, Double> last = new LinkedHashMap<>();
        samples.forEach((sample, value) -> {
            if (sample.startsWith(name + "_bucket")) {
                String labels = sample.replaceAll("le=[^,}]*(, )?", "").substring((name + "_bucket").length());
                series.computeIfAbsent(labels, fresh -> new ArrayList<>()).add(value);
                if (sample.contains("le=+Inf")) {
                    last.put(labels, value);
                }
            }
        });
        series.forEach((labels, buckets) -> {
            assertThat(buckets).as(name + labels).isSorted();
            assertThat(last.get(labels)).isEqualTo(samples.get(name + "_count" + labels));
            assertThat(samples).containsKey(name + "_sum" + labels);
        });
    }

    public String typeOf(String name) {
        return types.getOrDefault(name, "");
    }

    /** @param labels {@code name=value}, sorted by name */
    public double value(String name, String... labels) {
        return samples.getOrDefault(name + "{" + String.join(", ", labels) + "}", Double.NaN);
    }
}
