package io.holdfast.drills;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalDouble;

/** Results as JSON, for the project's records. Times are milliseconds; what was not seen is null. */
final class DrillRecords {
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private DrillRecords() {}

    static void write(Path file, List<DrillResult> results) throws IOException {
        ArrayNode all = NODES.arrayNode();
        results.forEach(result -> all.add(node(result)));
        JSON.writeValue(file.toFile(), all);
    }

    static ObjectNode node(DrillResult result) {
        Verdict verdict = result.verdict();
        DrillPlan plan = verdict.plan();
        Findings findings = verdict.findings();
        ObjectNode node = NODES.objectNode();
        node.put("survived", verdict.survived());
        node.put("device", plan.device().label());
        node.put("boot", plan.boot().label());
        node.put("fault", plan.fault().label());
        node.put("outage_s", plan.outage().toMillis() / 1000.0);
        node.put("agent", plan.route() == Route.THROUGH_AGENT);
        node.put("load_average", result.loadAverage());
        put(node, "freeze_ms", findings.freezeMs());
        put(node, "stop_event_ms", findings.stopEventMs());
        put(node, "vcpus_last_ran_ms", findings.standstillMs());
        put(node, "last_tick_ms", findings.lastTickMs());
        put(node, "thaw_ms", findings.thawMs());
        put(node, "guest_stall_ms", findings.stallMs());
        put(node, "guest_clock_jump_ms", findings.clockJumpMs());
        put(node, "guest_clock_behind_ms", findings.behindMs());
        node.put("pauses", findings.pauses());
        findings.frozenFirst().ifPresent(first -> node.put("frozen_first", first));
        node.put("qmp_probes", findings.probes());
        node.put("qmp_answered", findings.probesAnswered());
        findings.probeMs().ifPresent(spread -> {
            node.put("qmp_median_ms", spread.median());
            node.put("qmp_slowest_ms", spread.max());
        });
        node.put("acked", findings.acked());
        node.put("guest_errors", findings.guestErrors());
        node.put("kernel_complaints", findings.kernelComplaintCount());
        node.put("lost", findings.lost().isPresent() ? findings.lost().getAsLong() : null);
        ArrayNode reasons = node.putArray("reasons");
        verdict.reasons().forEach(reasons::add);
        ArrayNode timeline = node.putArray("timeline");
        for (Timeline.Moment moment : result.moments()) {
            timeline.addObject()
                    .put("ms", Numbers.msBetween(result.faultNs(), moment.atNs()))
                    .put("what", moment.what())
                    .put("detail", moment.detail());
        }
        return node;
    }

    private static void put(ObjectNode node, String key, OptionalDouble value) {
        if (value.isPresent()) {
            node.put(key, value.getAsDouble());
        } else {
            node.putNull(key);
        }
    }
}
