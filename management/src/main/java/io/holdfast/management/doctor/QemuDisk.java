package io.holdfast.management.doctor;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * An iSCSI disk of a QEMU, as its command line describes it.
 *
 * @param portal {@code host:port}
 * @param device the guest's device, such as {@code scsi-block}; empty if {@code -drive} makes it by itself
 * @param errors what is to happen on errors of writes and reads: {@code werror}, {@code rerror}
 * @param cache as given; empty for QEMU's own choice
 */
record QemuDisk(String portal, String target, String device, Map<String, String> errors, String cache) {
    private static final String ISCSI = "iscsi://";
    private static final String DEFAULT_PORT = "3260";
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Those of a command line. What is not understood is passed over. */
    static List<QemuDisk> of(List<String> arguments) {
        Map<String, Map<String, String>> devices = new HashMap<>();
        Map<String, Map<String, String>> layers = new HashMap<>();
        List<Map<String, String>> drives = new ArrayList<>();
        List<Map<String, String>> protocols = new ArrayList<>();
        for (int i = 0; i + 1 < arguments.size(); i++) {
            Map<String, String> options = options(arguments.get(i + 1));
            switch (arguments.get(i)) {
                case "-device" -> devices.put(options.getOrDefault("drive", ""), options);
                case "-drive" -> drives.add(options);
                case "-blockdev" -> {
                    layers.put(options.getOrDefault("file", ""), options);
                    protocols.add(options);
                }
                default -> {}
            }
        }
        List<QemuDisk> disks = new ArrayList<>();
        for (Map<String, String> drive : drives) {
            String file = drive.getOrDefault("file", "");
            if (file.startsWith(ISCSI)) {
                Map<String, String> device = devices.getOrDefault(drive.getOrDefault("id", "-"), Map.of());
                disks.add(of(file, device, merged(drive, device), drive.getOrDefault("cache", "")));
            }
        }
        for (Map<String, String> blockdev : protocols) {
            if (blockdev.getOrDefault("driver", "").equals("iscsi")) {
                disks.add(ofBlockdev(blockdev, devices, layers));
            }
        }
        return disks;
    }

    private static QemuDisk ofBlockdev(
            Map<String, String> protocol,
            Map<String, Map<String, String>> devices,
            Map<String, Map<String, String>> layers) {
        String node = protocol.getOrDefault("node-name", "-");
        String top = Optional.ofNullable(layers.get(node))
                .map(layer -> layer.getOrDefault("node-name", "-"))
                .orElse(node);
        Map<String, String> device = devices.getOrDefault(top, devices.getOrDefault(node, Map.of()));
        String cache = protocol.getOrDefault("cache.no-flush", "off").equals("on")
                ? "unsafe"
                : protocol.getOrDefault("cache.direct", "off").equals("on") ? "none" : "";
        return new QemuDisk(
                withPort(protocol.getOrDefault("portal", "")),
                protocol.getOrDefault("target", ""),
                device.getOrDefault("", ""),
                merged(Map.of(), device),
                cache);
    }

    private static QemuDisk of(String url, Map<String, String> device, Map<String, String> errors, String cache) {
        String rest = url.substring(ISCSI.length());
        String[] parts = rest.split("/", 3);
        String host = parts[0].substring(parts[0].indexOf('@') + 1);
        return new QemuDisk(
                withPort(host), parts.length > 1 ? parts[1] : "", device.getOrDefault("", ""), errors, cache);
    }

    private static String withPort(String portal) {
        return portal.matches(".*:[0-9]+") ? portal : portal + ":" + DEFAULT_PORT;
    }

    private static Map<String, String> merged(Map<String, String> drive, Map<String, String> device) {
        Map<String, String> errors = new HashMap<>();
        for (String key : List.of("werror", "rerror")) {
            errors.put(key, device.getOrDefault(key, drive.getOrDefault(key, "")));
        }
        return errors;
    }

    /**
     * {@code a=b,c=d}, or the same as a JSON object, which is how libvirt writes it; a first word without a value, or else
     * the driver, is kept under the empty name.
     */
    private static Map<String, String> options(String text) {
        Map<String, String> options = new HashMap<>();
        if (text.startsWith("{")) {
            try {
                flatten("", JSON.readTree(text), options);
            } catch (JsonProcessingException e) {
                // Not ours to judge: QEMU would not run with it.
            }
        } else {
            split(text, options);
        }
        if (!options.containsKey("") && options.containsKey("driver")) {
            options.put("", options.get("driver"));
        }
        return options;
    }

    /** {@code {"cache": {"direct": true}}} is {@code cache.direct=on}. */
    private static void flatten(String prefix, JsonNode object, Map<String, String> options) {
        object.properties().forEach(field -> {
            JsonNode value = field.getValue();
            if (value.isObject()) {
                flatten(prefix + field.getKey() + ".", value, options);
            } else {
                options.put(
                        prefix + field.getKey(), value.isBoolean() ? value.asBoolean() ? "on" : "off" : value.asText());
            }
        });
    }

    private static void split(String text, Map<String, String> options) {
        for (String part : text.split(",", -1)) {
            int equals = part.indexOf('=');
            if (equals >= 0) {
                options.put(part.substring(0, equals), part.substring(equals + 1));
            } else {
                options.putIfAbsent("", part);
            }
        }
    }
}
