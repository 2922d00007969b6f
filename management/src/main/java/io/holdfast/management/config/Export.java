package io.holdfast.management.config;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A file to be served as a logical unit.
 *
 * @param name the target's name after the prefix
 * @param sizeBytes a missing file is created with it
 * @param writeThrough writes are durable before they are answered
 * @param direct the host's page cache is left out
 * @param preallocate a missing file is created with all its blocks
 * @param removable initiators may eject and load the medium
 * @param blockBytes the logical block length, 512 or 4096
 */
public record Export(
        Path path,
        String name,
        OptionalLong sizeBytes,
        boolean readOnly,
        boolean writeThrough,
        boolean direct,
        boolean preallocate,
        boolean removable,
        int blockBytes) {
    private static final int DEFAULT_BLOCK_BYTES = 512;
    private static final int LARGE_BLOCK_BYTES = 4096;
    private static final String WRITE_BACK = "writeback";
    private static final String WRITE_THROUGH = "writethrough";

    /** RFC 7143 §4.2.7.2: what an iSCSI name may hold, short enough for 223 bytes with any prefix. */
    private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9.:-]{0,99}");

    /**
     * From {@code PATH[,attribute…]}; a comma in the path is written twice.
     *
     * @throws ConfigException naming the attribute and what is allowed
     */
    public static Export parse(String text) throws ConfigException {
        List<String> parts = split(text);
        Map<ExportAttribute, String> attributes = new EnumMap<>(ExportAttribute.class);
        for (String part : parts.subList(1, parts.size())) {
            int equals = part.indexOf('=');
            String key = equals < 0 ? part : part.substring(0, equals);
            ExportAttribute attribute = attribute(key, text);
            if (attribute.label().isEmpty() == equals >= 0) {
                throw new ConfigException("export '" + text + "': " + key
                        + (equals >= 0 ? " takes no value" : " needs a value: " + key + "=" + attribute.label()));
            }
            if (attributes.put(attribute, equals < 0 ? "true" : part.substring(equals + 1)) != null) {
                throw new ConfigException("export '" + text + "': " + key + " is given twice");
            }
        }
        return of(parts.get(0), attributes);
    }

    /** From a path and the attributes that were given. */
    public static Export of(String path, Map<ExportAttribute, String> attributes) throws ConfigException {
        if (path.isEmpty()) {
            throw new ConfigException("an export has no path");
        }
        SettingRule.PATH.check("export path", path);
        Path file = Path.of(path);
        int blockBytes = blockBytes(attributes.get(ExportAttribute.BLOCK_SIZE));
        String size = attributes.get(ExportAttribute.SIZE);
        String name = attributes.get(ExportAttribute.NAME);
        return new Export(
                file,
                name == null ? nameOf(file) : checked(name),
                size == null ? OptionalLong.empty() : OptionalLong.of(wholeBlocks(size, blockBytes)),
                isOn(attributes, ExportAttribute.READ_ONLY),
                writesThrough(attributes.getOrDefault(ExportAttribute.CACHE, WRITE_BACK)),
                isOn(attributes, ExportAttribute.DIRECT),
                isOn(attributes, ExportAttribute.PREALLOCATE),
                isOn(attributes, ExportAttribute.REMOVABLE),
                blockBytes);
    }

    private static boolean isOn(Map<ExportAttribute, String> attributes, ExportAttribute attribute) {
        return "true".equals(attributes.get(attribute));
    }

    private static boolean writesThrough(String cache) throws ConfigException {
        return switch (cache) {
            case WRITE_BACK -> false;
            case WRITE_THROUGH -> true;
            default ->
                throw new ConfigException(
                        "export cache '" + cache + "' is neither " + WRITE_BACK + " nor " + WRITE_THROUGH);
        };
    }

    private static int blockBytes(@Nullable String text) throws ConfigException {
        if (text == null) {
            return DEFAULT_BLOCK_BYTES;
        }
        return switch (text) {
            case "512" -> DEFAULT_BLOCK_BYTES;
            case "4096", "4K", "4k" -> LARGE_BLOCK_BYTES;
            default -> throw new ConfigException("export block-size '" + text + "' is neither 512 nor 4096");
        };
    }

    private static long wholeBlocks(String size, int blockBytes) throws ConfigException {
        long bytes = ByteSize.parse(size);
        if (bytes % blockBytes != 0) {
            throw new ConfigException("size '" + size + "' is " + bytes + " bytes, which is not a multiple of "
                    + blockBytes + "; the next one is " + (bytes / blockBytes + 1) * blockBytes);
        }
        return bytes;
    }

    private static ExportAttribute attribute(String key, String text) throws ConfigException {
        List<String> known = new ArrayList<>();
        for (ExportAttribute attribute : ExportAttribute.values()) {
            if (attribute.key().equals(key)) {
                return attribute;
            }
            known.add(attribute.key());
        }
        throw new ConfigException("export '" + text + "': no attribute '" + key + "'; there are "
                + String.join(", ", known) + " (a comma in the path is written twice)");
    }

    private static List<String> split(String text) {
        List<String> parts = new ArrayList<>();
        StringBuilder part = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) != ',') {
                part.append(text.charAt(i));
            } else if (i + 1 < text.length() && text.charAt(i + 1) == ',') {
                part.append(',');
                i++;
            } else {
                parts.add(part.toString());
                part.setLength(0);
            }
        }
        parts.add(part.toString());
        return parts;
    }

    private static String nameOf(Path file) throws ConfigException {
        Path last = file.getFileName();
        String base = last == null ? "" : last.toString().toLowerCase(Locale.ROOT);
        int dot = base.lastIndexOf('.');
        String name = (dot > 0 ? base.substring(0, dot) : base).replaceAll("[^a-z0-9.:-]", "-");
        if (!NAME.matcher(name).matches()) {
            throw new ConfigException(
                    "export '" + file + "': its name cannot be part of a target name; give one with name=");
        }
        return name;
    }

    private static String checked(String name) throws ConfigException {
        if (!NAME.matcher(name).matches()) {
            throw new ConfigException("export name '" + name
                    + "' is not 1 to 100 of a-z, 0-9, '.', ':' and '-', the first a letter or digit");
        }
        return name;
    }
}
