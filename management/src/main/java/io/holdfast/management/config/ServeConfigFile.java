package io.holdfast.management.config;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.tomlj.TomlArray;
import org.tomlj.TomlParseResult;
import org.tomlj.TomlTable;

/**
 * The configuration file of a server (TOML). Everything wrong in it is told with file, line and what is allowed.
 *
 * @param values what the file sets
 */
public record ServeConfigFile(Map<ServeSetting, List<String>> values, List<Export> exports) {
    private static final String EXPORT = "export";
    private static final String PATH = "path";

    /** Reads and judges a file. */
    public static ServeConfigFile read(Path file) throws ConfigException {
        TomlParseResult toml = TomlFile.parse(file);
        Map<ServeSetting, List<String>> values = new EnumMap<>(ServeSetting.class);
        List<Export> exports = new ArrayList<>();
        for (String key : toml.keySet()) {
            String at = TomlFile.where(file, toml.inputPositionOf(List.of(key)));
            Object value = toml.get(List.of(key));
            if (key.equals(EXPORT)) {
                exports.addAll(exports(file, at, value));
            } else {
                ServeSetting setting = setting(at, key);
                values.put(setting, checked(at, setting, texts(at, setting, value)));
            }
        }
        return new ServeConfigFile(values, exports);
    }

    private static ServeSetting setting(String at, String key) throws ConfigException {
        for (ServeSetting setting : ServeSetting.values()) {
            if (setting.key().equals(key)) {
                return setting;
            }
        }
        throw new ConfigException(at + ": no setting '" + key + "'; there are "
                + Arrays.stream(ServeSetting.values()).map(ServeSetting::key).collect(Collectors.joining(", "))
                + ", and [[" + EXPORT + "]]");
    }

    private static List<String> texts(String at, ServeSetting setting, @Nullable Object value) throws ConfigException {
        if (setting.kind() == ServeSetting.Kind.LIST && value instanceof TomlArray array) {
            List<String> texts = new ArrayList<>();
            for (Object element : array.toList()) {
                texts.add(text(at, setting.key(), element, setting.kind()));
            }
            if (texts.isEmpty()) {
                throw new ConfigException(at + ": " + setting.key() + " is empty");
            }
            return texts;
        }
        return List.of(text(at, setting.key(), value, setting.kind()));
    }

    private static List<String> checked(String at, ServeSetting setting, List<String> texts) throws ConfigException {
        for (String text : texts) {
            try {
                setting.check(text);
            } catch (ConfigException e) {
                throw new ConfigException(at + ": " + e.getMessage());
            }
        }
        return texts;
    }

    private static String text(String at, String key, @Nullable Object value, ServeSetting.Kind kind)
            throws ConfigException {
        if (kind == ServeSetting.Kind.NUMBER && value instanceof Long number) {
            return number.toString();
        }
        if (kind != ServeSetting.Kind.NUMBER && value instanceof String text) {
            return text;
        }
        throw new ConfigException(at + ": " + key + " = " + TomlFile.shown(value) + " is not "
                + (kind == ServeSetting.Kind.NUMBER ? "a number" : "a text in quotes"));
    }

    private static List<Export> exports(Path file, String at, @Nullable Object value) throws ConfigException {
        if (!(value instanceof TomlArray array) || !array.toList().stream().allMatch(TomlTable.class::isInstance)) {
            throw new ConfigException(at + ": write each export as [[" + EXPORT + "]] with a line path = \"…\"");
        }
        List<Export> exports = new ArrayList<>();
        for (int i = 0; i < array.size(); i++) {
            exports.add(export(file, TomlFile.where(file, array.inputPositionOf(i)), array.getTable(i)));
        }
        return exports;
    }

    private static Export export(Path file, String at, TomlTable table) throws ConfigException {
        Map<ExportAttribute, String> attributes = new EnumMap<>(ExportAttribute.class);
        String path = "";
        for (String key : table.keySet()) {
            String here = TomlFile.where(file, table.inputPositionOf(List.of(key)));
            Object value = table.get(List.of(key));
            if (!key.equals(PATH)) {
                ExportAttribute attribute = attribute(here, key);
                attributes.put(attribute, attributeText(here, attribute, value));
            } else if (value instanceof String text) {
                path = text;
            } else {
                throw new ConfigException(
                        here + ": " + PATH + " = " + TomlFile.shown(value) + " is not a text in quotes");
            }
        }
        try {
            return Export.of(path, attributes);
        } catch (ConfigException e) {
            throw new ConfigException(at + ": " + e.getMessage());
        }
    }

    private static ExportAttribute attribute(String at, String key) throws ConfigException {
        for (ExportAttribute attribute : ExportAttribute.values()) {
            if (attribute.key().equals(key)) {
                return attribute;
            }
        }
        throw new ConfigException(at + ": an export has no '" + key + "'; there are " + PATH + ", "
                + Arrays.stream(ExportAttribute.values())
                        .map(ExportAttribute::key)
                        .collect(Collectors.joining(", ")));
    }

    /** A switch must be true or false: a read-only that is silently taken for no would cost a disk. */
    private static String attributeText(String at, ExportAttribute attribute, @Nullable Object value)
            throws ConfigException {
        boolean isSwitch = attribute.label().isEmpty();
        boolean fits = isSwitch ? value instanceof Boolean : value instanceof String || value instanceof Long;
        if (value == null || !fits) {
            throw new ConfigException(at + ": " + attribute.key() + " = " + TomlFile.shown(value) + " is not "
                    + (isSwitch ? "true or false, without quotes" : "a text in quotes or a number"));
        }
        return value.toString();
    }
}
