package io.holdfast.agent.qmp;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The answers are QEMU 7.2's, shortened. */
class QemuDisksTest {
    private static final String TARGET = "iqn.2026-11.io.holdfast:disk";
    private final Map<String, String> answers = new LinkedHashMap<>();
    private final List<IscsiDisk> found = new ArrayList<>();
    private final Set<String> elsewhere = new TreeSet<>();
    private int told;
    private String nodeQuery = "";

    @Test
    void shouldFindTheThreadOfAVirtioBlkDeviceAndOfADiskBehindAController() {
        answers.put(
                "query-block",
                "[" + block("d1", "/machine/peripheral/vda/virtio-backend", 1) + ","
                        + block("", "/machine/peripheral-anon/device[0]", 2) + "]");
        answers.put(
                "query-named-block-nodes",
                "[" + node("#block036", 1) + "," + node("p2", 2)
                        + ",{\"drv\": \"raw\", \"node-name\": \"d2\", \"file\": \"x\"}]");
        answers.put("/machine/peripheral/vda/virtio-backend type", "\"virtio-blk-device\"");
        answers.put("/machine/peripheral/vda/virtio-backend iothread", "\"/objects/io1\"");
        answers.put("/machine/peripheral/vda/virtio-backend werror", "\"auto\"");
        answers.put("/machine/peripheral-anon/device[0] type", "\"scsi-hd\"");
        answers.put("/machine/peripheral-anon/device[0] werror", "\"stop\"");
        answers.put("/machine/peripheral-anon/device[0] parent_bus", "\"/machine/peripheral/s0/virtio-backend/s0.0\"");
        answers.put("/machine/peripheral/s0/virtio-backend iothread", "\"/objects/io2\"");

        ask();

        assertThat(found)
                .containsExactly(
                        new IscsiDisk("#block036", "127.0.0.1:3270", TARGET, 1, "virtio-blk-device", "io1", false),
                        new IscsiDisk("p2", "127.0.0.1:3270", TARGET, 2, "scsi-hd", "io2", false));
    }

    @Test
    void shouldTakeADeviceWithoutIothreadForTheMainLoops() {
        answers.put("query-block", "[" + block("", "/machine/peripheral/vda/virtio-backend", 1) + "]");
        answers.put("query-named-block-nodes", "[" + node("p1", 1) + "]");
        answers.put("/machine/peripheral/vda/virtio-backend type", "\"virtio-blk-device\"");
        answers.put("/machine/peripheral/vda/virtio-backend iothread", "\"\"");
        answers.put("/machine/peripheral/vda/virtio-backend werror", "\"auto\"");

        ask();

        assertThat(found).hasSize(1);
        assertThat(found.get(0).thread()).isEqualTo(IscsiDisk.MAIN_LOOP);
        assertThat(found.get(0).reportsErrors()).as("no drive, and auto").isTrue();
    }

    @Test
    void shouldTellTwoDevicesOnTheSameUnitApart() {
        answers.put(
                "query-block",
                "[" + block("", "/m/a", 1).replace("\"inserted\": {", "\"inserted\": {\"node-name\": \"p2\",") + ","
                        + block("", "/m/b", 1) + "]");
        answers.put("query-named-block-nodes", "[" + node("p1", 1) + "," + node("p2", 1) + "]");
        answers.put("/m/a iothread", "\"/objects/io1\"");
        answers.put("/m/b iothread", "\"/objects/io2\"");

        ask();

        assertThat(found)
                .extracting(IscsiDisk::node, IscsiDisk::thread)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple("p1", "io1"),
                        org.assertj.core.groups.Tuple.tuple("p2", "io2"));
    }

    @ParameterizedTest
    @CsvSource({"stop,stop,false", "stop,report,true", "enospc,stop,true", "stop,ignore,true", "stop,auto,true"})
    void shouldSayWhenADiskHandsErrorsToTheGuest(String werror, String rerror, boolean reports) {
        answers.put("query-block", "[" + block("", "/m/a", 1) + "]");
        answers.put("query-named-block-nodes", "[" + node("p1", 1) + "]");
        answers.put("/m/a werror", '"' + werror + '"');
        answers.put("/m/a rerror", '"' + rerror + '"');

        ask();

        assertThat(found.get(0).reportsErrors()).isEqualTo(reports);
    }

    @Test
    void shouldKnowADiskByItsUrl() {
        answers.put("query-block", "[]");
        answers.put(
                "query-named-block-nodes",
                "[{\"drv\": \"iscsi\", \"node-name\": \"p\", \"file\": \"iscsi://127.0.0.1:3270/" + TARGET + "/4\"}]");

        ask();

        assertThat(found.get(0).portal()).isEqualTo("127.0.0.1:3270");
        assertThat(found.get(0).lun()).isEqualTo(4);
        assertThat(found.get(0).thread()).isEqualTo(IscsiDisk.UNKNOWN_THREAD);
    }

    @Test
    void shouldSurviveAnswersItDoesNotUnderstand() {
        answers.put("query-block", "[{\"qdev\": \"x\", \"inserted\": {\"file\": \"json:{nonsense\"}}, 7, null]");
        answers.put("query-named-block-nodes", "[{\"drv\": \"iscsi\", \"file\": \"json:[]\"}]");

        ask();

        assertThat(found).hasSize(1);
    }

    @Test
    void shouldSayNothingWhenQemuRefusesToAnswer() {
        answers.put("query-block", "[]");

        ask();
        answers.remove("query-block");
        answers.put("query-named-block-nodes", "[]");
        ask();

        assertThat(told).isZero();
    }

    @Test
    void shouldAskForNodesWithoutTheChainsBelowThem() {
        answers.put("query-block", "[]");
        answers.put("query-named-block-nodes", "[]");

        ask();

        assertThat(told).isEqualTo(1);
        assertThat(nodeQuery).contains("\"flat\":true");
    }

    @Test
    void shouldKnowDrivesThatAreCertainlyLocal() {
        answers.put(
                "query-block",
                "[" + block("d1", "/m/a", 1) + "," + file("d2", "/m/b", "n2", 0) + "," + file("", "/m/c", "n3", 1)
                        + "]");
        answers.put("query-named-block-nodes", "[]");

        ask();

        // What has a backing chain may have a disk of ours below it.
        assertThat(elsewhere).containsExactly("/m/b", "d2", "n2");
    }

    private static String file(String device, String qdev, String node, int depth) {
        return "{\"device\": \"" + device + "\", \"qdev\": \"" + qdev
                + "\", \"inserted\": {\"file\": \"/images/x.qcow2\", \"node-name\": \"" + node
                + "\", \"backing_file_depth\": " + depth + "}}";
    }

    private static String options(int lun) {
        return "{\\\"lun\\\": \\\"" + lun
                + "\\\", \\\"portal\\\": \\\"127.0.0.1:3270\\\", \\\"driver\\\": \\\"iscsi\\\","
                + " \\\"transport\\\": \\\"tcp\\\", \\\"target\\\": \\\"" + TARGET + "\\\"}";
    }

    private static String block(String device, String qdev, int lun) {
        return "{\"device\": \"" + device + "\", \"qdev\": \"" + qdev
                + "\", \"inserted\": {\"file\": \"json:{\\\"driver\\\": \\\"raw\\\", \\\"file\\\": " + options(lun)
                + "}\"}}";
    }

    private static String node(String name, int lun) {
        return "{\"drv\": \"iscsi\", \"node-name\": \"" + name + "\", \"file\": \"json:" + options(lun) + "\"}";
    }

    private void ask() {
        ScriptedMonitor monitor = new ScriptedMonitor();
        QmpSession session = new QmpSession(monitor, 0, "7.2.22");
        monitor.session = session;
        QemuDisks.ask(session, answer -> {
            told++;
            found.addAll(answer.disks());
            elsewhere.addAll(answer.elsewhere());
        });
        monitor.pump();
    }

    /** Answers from the table when it is pumped, as a loop would hand answers over. */
    private final class ScriptedMonitor implements QmpTransport {
        private final com.fasterxml.jackson.databind.ObjectMapper json =
                new com.fasterxml.jackson.databind.ObjectMapper();
        private final List<String> asked = new ArrayList<>();
        private QmpSession session;

        void pump() {
            try {
                while (!asked.isEmpty()) {
                    String line = asked.remove(0);
                    var command = json.readTree(line);
                    String name = command.path("execute").asText();
                    nodeQuery = name.equals("query-named-block-nodes") ? line : nodeQuery;
                    var arguments = command.path("arguments");
                    String key = name.equals("qom-get")
                            ? arguments.path("path").asText() + " "
                                    + arguments.path("property").asText()
                            : name;
                    String answer = answers.get(key);
                    long id = command.path("id").asLong();
                    session.replied(json.readTree(
                            answer == null
                                    ? "{\"error\": {\"desc\": \"not found\"}, \"id\": " + id + "}"
                                    : "{\"return\": " + answer + ", \"id\": " + id + "}"));
                }
            } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
                throw new AssertionError(e);
            }
        }

        @Override
        public int read(ByteBuffer into) {
            return -1;
        }

        @Override
        public void write(ByteBuffer bytes) {
            asked.add(StandardCharsets.UTF_8.decode(bytes).toString());
        }

        @Override
        public int peerPid() {
            return 0;
        }

        @Override
        public void close() {
            // Nothing is open.
        }
    }
}
