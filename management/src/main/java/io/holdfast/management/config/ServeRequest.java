package io.holdfast.management.config;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a server is asked for by its options and its file: texts, each allowed by itself.
 *
 * @param values what was set; settings that were not are missing
 */
public record ServeRequest(Map<ServeSetting, List<String>> values, List<Export> exports) {
    /** Settings that are taken over while sessions run; the others name things that were built at the start. */
    private static final Set<ServeSetting> LIVE = EnumSet.of(ServeSetting.STOP_LIMIT, ServeSetting.CHAP_FILE);

    public ServeRequest {
        Map<ServeSetting, List<String>> copy = new EnumMap<>(ServeSetting.class);
        copy.putAll(values);
        values = copy;
        exports = List.copyOf(exports);
    }

    /** @throws ConfigException naming the value and what is allowed */
    public ServeConfig judged() throws ConfigException {
        return ServeConfig.of(values, exports);
    }

    /**
     * What a running server has to do to become what is asked for now.
     *
     * @param added exports that are new
     * @param removed names of exports that are gone
     * @param needRestart what is to be another, and cannot be in this life of the server; in words
     */
    public record Change(List<Export> added, List<String> removed, List<String> needRestart) {}

    /** @param served the exports as they are served at present */
    public Change since(ServeRequest before, List<Export> served) {
        Map<String, Export> wanted = byName(exports);
        Map<String, Export> present = byName(served);
        List<String> needRestart = new ArrayList<>();
        for (ServeSetting setting : ServeSetting.values()) {
            if (!LIVE.contains(setting) && !values(setting).equals(before.values(setting))) {
                needRestart.add(setting.key());
            }
        }
        List<String> removed = new ArrayList<>();
        present.forEach((name, export) -> {
            Export next = wanted.get(name);
            if (next == null) {
                removed.add(name);
            } else if (!next.equals(export)) {
                needRestart.add("export " + name);
            }
        });
        List<Export> added = exports.stream()
                .filter(export -> !present.containsKey(export.name()))
                .toList();
        return new Change(added, removed, needRestart);
    }

    private List<String> values(ServeSetting setting) {
        return values.getOrDefault(setting, List.of(setting.initial()));
    }

    private static Map<String, Export> byName(List<Export> exports) {
        Map<String, Export> byName = new LinkedHashMap<>();
        exports.forEach(export -> byName.put(export.name(), export));
        return byName;
    }
}
