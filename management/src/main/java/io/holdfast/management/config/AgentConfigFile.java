package io.holdfast.management.config;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.tomlj.TomlArray;
import org.tomlj.TomlParseResult;
import org.tomlj.TomlTable;

/**
 * The configuration file of an agent (TOML): the command's options without dashes, and a {@code [[vm]]} for each VM.
 * Everything wrong in its form is told with file and line; what the values mean is judged as on the command line.
 *
 * @param values by key; keys that the file does not set are missing
 * @param vms in the form of the option, {@code NAME=QMP[,ATTRIBUTE...]}
 */
public record AgentConfigFile(Map<String, List<String>> values, List<String> vms) {
    private static final String SERVER = "server";
    /** Of a VM: what is done on which event. */
    private static final String ON = "on";
    /** Those that may be said several times on the command line are texts or lists of texts here. */
    private static final Set<String> LISTS = Set.of(SERVER, ON);

    private static final Set<String> NUMBERS = Set.of("read-every", "priority", "limit");
    private static final List<String> KEYS = List.of(SERVER, "state", "reports", "read-every", "chap-file");
    private static final String VM = "vm";
    private static final String NAME = "name";
    private static final String QMP = "qmp";

    /** Reads a file. */
    public static AgentConfigFile read(Path file) throws ConfigException {
        TomlParseResult toml = TomlFile.parse(file);
        Map<String, List<String>> values = new TreeMap<>();
        List<String> vms = new ArrayList<>();
        for (String key : toml.keySet()) {
            String at = TomlFile.where(file, toml.inputPositionOf(List.of(key)));
            Object value = toml.get(List.of(key));
            if (key.equals(VM)) {
                vms.addAll(vms(file, at, value));
            } else if (KEYS.contains(key)) {
                values.put(key, texts(at, key, value));
            } else {
                throw new ConfigException(at + ": no setting '" + key + "'; there are " + String.join(", ", KEYS)
                        + ", and [[" + VM + "]]");
            }
        }
        return new AgentConfigFile(values, vms);
    }

    /** What the file sets, if it does. */
    public Optional<String> value(String key) {
        return all(key).stream().findFirst();
    }

    /** All that the file says of a key. */
    public List<String> all(String key) {
        return values.getOrDefault(key, List.of());
    }

    private static List<String> vms(Path file, String at, @Nullable Object value) throws ConfigException {
        if (!(value instanceof TomlArray array) || !array.toList().stream().allMatch(TomlTable.class::isInstance)) {
            throw new ConfigException(at + ": write each VM as [[vm]] with the lines name = \"…\" and qmp = \"…\"");
        }
        List<String> vms = new ArrayList<>();
        for (int i = 0; i < array.size(); i++) {
            vms.add(vm(file, TomlFile.where(file, array.inputPositionOf(i)), array.getTable(i)));
        }
        return vms;
    }

    private static String vm(Path file, String at, TomlTable table) throws ConfigException {
        StringBuilder attributes = new StringBuilder();
        for (String key : table.keySet()) {
            String here = TomlFile.where(file, table.inputPositionOf(List.of(key)));
            for (String value : texts(here, key, table.get(List.of(key)))) {
                if (value.indexOf(',') >= 0) {
                    throw new ConfigException(
                            here + ": " + key + " = \"" + value + "\" has a comma, which it must not");
                }
                if (!key.equals(NAME) && !key.equals(QMP)) {
                    attributes.append(',').append(key).append('=').append(value);
                }
            }
        }
        for (String needed : List.of(NAME, QMP)) {
            if (!table.contains(needed)) {
                throw new ConfigException(at + ": a VM has no " + needed);
            }
        }
        return table.getString(NAME) + "=" + table.getString(QMP) + attributes;
    }

    private static List<String> texts(String at, String key, @Nullable Object value) throws ConfigException {
        if (!LISTS.contains(key) || !(value instanceof TomlArray array)) {
            return List.of(text(at, key, value));
        }
        List<String> texts = new ArrayList<>();
        for (Object element : array.toList()) {
            texts.add(text(at, key, element));
        }
        return texts;
    }

    /** Numbers may be written as such: on the command line they are digits too. */
    private static String text(String at, String key, @Nullable Object value) throws ConfigException {
        if (value instanceof String text) {
            return text;
        }
        if (value instanceof Long number && NUMBERS.contains(key)) {
            return number.toString();
        }
        throw new ConfigException(at + ": " + key + " = " + TomlFile.shown(value) + " is not a text in quotes");
    }
}
