package io.holdfast.agent.qmp;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks QEMU which of its disks are iSCSI, where they log in, and which thread drives them. A handful of commands, one
 * after the other; owned by the agent's loop.
 *
 * <p>QEMU says it in three places: the block nodes (their "filename" is JSON with the initiator's options), the devices
 * that use them, and the object tree, where a device or the controller above it has a link to its iothread.
 */
public final class QemuDisks {
    private static final Logger LOG = LoggerFactory.getLogger(QemuDisks.class);
    private static final ObjectMapper JSON = JsonMapper.builder().build();
    private static final Pattern URL =
            Pattern.compile("iscsi://(?:[^@/]*@)?([^/]+)/([^/]+)/(\\d+).*", Pattern.CASE_INSENSITIVE);
    private static final int MAX_DEPTH = 16;

    private final QmpSession session;
    private final List<IscsiDisk> found = new ArrayList<>();
    /** The devices that use a place. Usually one; a unit that is attached twice has two nodes of the same place. */
    private final Map<Place, Deque<Use>> uses = new LinkedHashMap<>();

    /** Devices and nodes on top of drives that are certainly no iSCSI disks. */
    private final Set<String> elsewhere = new HashSet<>();

    /**
     * What QEMU said.
     *
     * @param disks its iSCSI disks
     * @param elsewhere QEMU's names, in its events, of drives that have no iSCSI disk below them for certain: plain local
     *     files and devices without a backing chain
     */
    public record Answer(List<IscsiDisk> disks, Set<String> elsewhere) {}

    private record Place(String portal, String target, int lun) {}

    private record Use(String device, String topNode, boolean legacyDrive) {}

    private QemuDisks(QmpSession session) {
        this.session = session;
    }

    /**
     * @param receiver called on the loop, once, unless QEMU refuses an answer or the connection ends first: no answer does
     *     not mean that there are no disks
     */
    public static void ask(QmpSession session, Consumer<Answer> receiver) {
        QemuDisks asking = new QemuDisks(session);
        asking.command("query-block", JsonNodeFactory.instance.objectNode())
                .thenAccept(asking::noteUses)
                .thenCompose(done -> asking.command("query-named-block-nodes", flat()))
                .thenCompose(asking::nodes)
                .thenAccept(
                        done -> receiver.accept(new Answer(List.copyOf(asking.found), Set.copyOf(asking.elsewhere))))
                .exceptionally(error -> {
                    LOG.debug("QEMU does not say which disks it has", error);
                    return null;
                });
    }

    /** Without the chain below each node, told again for each: a long chain of snapshots would not fit into a line. */
    private static ObjectNode flat() {
        return JsonNodeFactory.instance.objectNode().put("flat", true);
    }

    private CompletableFuture<JsonNode> command(String name, ObjectNode arguments) {
        CompletableFuture<JsonNode> reply = new CompletableFuture<>();
        session.execute(name, arguments, answer -> {
            if (answer.failed()) {
                reply.completeExceptionally(new IOException(name + ": " + answer.error()));
            } else {
                reply.complete(answer.value());
            }
        });
        return reply;
    }

    /** A missing node if there is no such property. */
    private CompletableFuture<JsonNode> property(String path, String name) {
        ObjectNode arguments = JsonNodeFactory.instance.objectNode();
        arguments.put("path", path).put("property", name);
        CompletableFuture<JsonNode> reply = new CompletableFuture<>();
        session.execute("qom-get", arguments, answer -> reply.complete(answer.value()));
        return reply;
    }

    private void noteUses(JsonNode blocks) {
        for (JsonNode block : blocks) {
            noteElsewhere(block);
            String device = block.path("qdev").asText("");
            if (!device.isEmpty()) {
                JsonNode medium = block.path("inserted");
                Use use = new Use(
                        device,
                        medium.path("node-name").asText(""),
                        !block.path("device").asText("").isEmpty());
                notePlaces(options(medium.path("file").asText("")), use, 0);
            }
        }
    }

    private void noteElsewhere(JsonNode block) {
        JsonNode medium = block.path("inserted");
        if (medium.path("file").asText("").startsWith("/")
                && medium.path("backing_file_depth").asInt(-1) == 0) {
            // -blockdev has an empty device, and no two nodes have the same name.
            Stream.of(block.path("device"), block.path("qdev"), medium.path("node-name"))
                    .map(name -> name.asText(""))
                    .filter(name -> !name.isEmpty())
                    .forEach(elsewhere::add);
        }
    }

    private void notePlaces(JsonNode options, Use use, int depth) {
        if (depth > MAX_DEPTH || !options.isObject()) {
            return;
        }
        if ("iscsi".equals(options.path("driver").asText())) {
            uses.computeIfAbsent(place(options), place -> new ArrayDeque<>()).add(use);
        }
        options.forEach(inner -> notePlaces(inner, use, depth + 1));
    }

    private CompletableFuture<?> nodes(JsonNode nodes) {
        CompletableFuture<?> chain = CompletableFuture.completedFuture(null);
        for (JsonNode node : nodes) {
            if ("iscsi".equals(node.path("drv").asText())) {
                Place place = place(options(node.path("file").asText("")));
                String name = node.path("node-name").asText();
                chain = chain.thenCompose(done -> disk(name, place));
            }
        }
        return chain;
    }

    private CompletableFuture<?> disk(String node, Place place) {
        Use use = takeUse(node, place);
        if (use == null) {
            found.add(new IscsiDisk(node, place.portal, place.target, place.lun, "", IscsiDisk.UNKNOWN_THREAD, false));
            return CompletableFuture.completedFuture(null);
        }
        return property(use.device, "type")
                .thenCompose(type -> property(use.device, "werror")
                        .thenCompose(onWrite -> property(use.device, "rerror")
                                .thenCompose(onRead -> thread(use.device).thenAccept(thread -> {
                                    boolean reports = reports(onWrite, use) || reports(onRead, use);
                                    found.add(new IscsiDisk(
                                            node,
                                            place.portal,
                                            place.target,
                                            place.lun,
                                            type.asText(""),
                                            thread,
                                            reports));
                                }))));
    }

    /**
     * "auto" means what the drive says, if there is one; otherwise that errors are reported. "enospc" reports every error
     * but a lack of space.
     */
    private static boolean reports(JsonNode policy, Use use) {
        return switch (policy.asText("")) {
            case "report", "ignore", "enospc" -> true;
            case "auto" -> !use.legacyDrive;
            default -> false;
        };
    }

    /** The device whose medium is the very node, or else one that uses the same place and has not been taken. */
    private @Nullable Use takeUse(String node, Place place) {
        Deque<Use> candidates = uses.getOrDefault(place, new ArrayDeque<>());
        for (Use candidate : candidates) {
            if (candidate.topNode.equals(node)) {
                candidates.remove(candidate);
                return candidate;
            }
        }
        return candidates.poll();
    }

    /** The iothread of a device is a link of its own (virtio-blk), or of the controller whose bus it is on (scsi-hd). */
    private CompletableFuture<String> thread(String device) {
        return property(device, "iothread").thenCompose(own -> {
            if (!own.isMissingNode()) {
                return CompletableFuture.completedFuture(threadName(own));
            }
            return property(device, "parent_bus").thenCompose(bus -> {
                int slash = bus.asText("").lastIndexOf('/');
                return slash <= 0
                        ? CompletableFuture.completedFuture(IscsiDisk.UNKNOWN_THREAD)
                        : property(bus.asText().substring(0, slash), "iothread").thenApply(QemuDisks::threadName);
            });
        });
    }

    private static String threadName(JsonNode link) {
        // A controller without such a link (IDE, LSI) belongs to the main loop.
        String path = link.asText("");
        return path.isEmpty() ? IscsiDisk.MAIN_LOOP : path.substring(path.lastIndexOf('/') + 1);
    }

    /** What QEMU calls a file name: a URL, or {@code json:} and the options. */
    private static JsonNode options(String file) {
        if (file.startsWith("json:")) {
            try {
                return JSON.readTree(file.substring("json:".length()));
            } catch (JsonProcessingException e) {
                return MissingNode.getInstance();
            }
        }
        Matcher url = URL.matcher(file);
        if (!url.matches()) {
            return MissingNode.getInstance();
        }
        return JsonNodeFactory.instance
                .objectNode()
                .put("driver", "iscsi")
                .put("portal", url.group(1))
                .put("target", url.group(2))
                .put("lun", url.group(3));
    }

    private static Place place(JsonNode options) {
        return new Place(
                options.path("portal").asText(""),
                options.path("target").asText(""),
                options.path("lun").asInt(0));
    }
}
