package io.holdfast.management.config;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.tomlj.TomlArray;
import org.tomlj.TomlParseResult;
import org.tomlj.TomlTable;

/**
 * The configuration file of an agent (TOML): {@code server}, {@code state}, {@code chap-file}, and a {@code [[vm]]} for each
 * VM. Everything wrong in its form is told with file and line; what the values mean is judged as on the command line.
 *
 * @param values by key; keys that the file does not set are missing
 * @param vms in the form of the option, {@code NAME=QMP[,ATTRIBUTE...]}
 */
public record AgentConfigFile(Map<String, String> values, List<String> vms) {
    private static final List<String> KEYS = List.of("server", "state", "chap-file");
    private static final String VM = "vm";
    private static final String NAME = "name";
    private static final String QMP = "qmp";

    /** Reads a file. */
    public static AgentConfigFile read(Path file) throws ConfigException {
        TomlParseResult toml = TomlFile.parse(file);
        Map<String, String> values = new TreeMap<>();
        List<String> vms = new ArrayList<>();
        for (String key : toml.keySet()) {
            String at = TomlFile.where(file, toml.inputPositionOf(List.of(key)));
            Object value = toml.get(List.of(key));
            if (key.equals(VM)) {
                vms.addAll(vms(file, at, value));
            } else if (KEYS.contains(key)) {
                values.put(key, text(at, key, value));
            } else {
                throw new ConfigException(at + ": no setting '" + key + "'; there are " + String.join(", ", KEYS)
                        + ", and [[" + VM + "]]");
            }
        }
        return new AgentConfigFile(values, vms);
    }

    /** What the file sets, if it does. */
    public Optional<String> value(String key) {
        return Optional.ofNullable(values.get(key));
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
            String value = text(here, key, table.get(List.of(key)));
            if (value.indexOf(',') >= 0) {
                throw new ConfigException(here + ": " + key + " = \"" + value + "\" has a comma, which it must not");
            }
            if (!key.equals(NAME) && !key.equals(QMP)) {
                attributes.append(',').append(key).append('=').append(value);
            }
        }
        for (String needed : List.of(NAME, QMP)) {
            if (!table.contains(needed)) {
                throw new ConfigException(at + ": a VM has no " + needed);
            }
        }
        return table.getString(NAME) + "=" + table.getString(QMP) + attributes;
    }

    private static String text(String at, String key, @Nullable Object value) throws ConfigException {
        if (value instanceof String text) {
            return text;
        }
        throw new ConfigException(at + ": " + key + " = " + value + " is not a text in quotes");
    }
}
