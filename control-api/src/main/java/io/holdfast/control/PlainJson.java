package io.holdfast.control;

import io.holdfast.control.ControlJson.Fields;
import java.nio.charset.StandardCharsets;
import java.util.AbstractMap;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads objects as {@link ControlJson} writes them: no blanks, no escapes, nothing but ASCII. A server reads thousands of
 * lines before it answers its first login, and a parser of everything that JSON can be takes longer to set up for each than
 * the line takes to read. Whatever is written in another way, or wrong, is left to that parser.
 */
final class PlainJson {
    private static final int MAX_MEMBERS = 32;
    /** A number of so many digits is a long whatever they are. */
    private static final int MAX_DIGITS = 18;

    private static final int MAX_KNOWN_CHARS = 32;
    private static final int KNOWN = 256;
    /** Names of members, by a hash of their bytes: nearly all are the same ones again. Threads may overwrite each other's. */
    private static final @Nullable String[] NAMES = new String[KNOWN];

    /** Written in another way. */
    private static final Object ODD = new Object();
    /** A null is as good as not there. */
    private static final Object ABSENT = new Object();

    private final byte[] bytes;
    private final int end;
    private int at;

    private PlainJson(byte[] bytes, int offset, int length) {
        this.bytes = bytes;
        this.at = offset;
        this.end = offset + length;
    }

    /** @return null if that is not one object, or written in another way */
    static @Nullable Fields object(byte[] bytes, int offset, int length) {
        PlainJson json = new PlainJson(bytes, offset, length);
        Fields fields = json.object(0);
        return json.at == json.end ? fields : null;
    }

    private boolean take(char c) {
        if (at < end && bytes[at] == c) {
            at++;
            return true;
        }
        return false;
    }

    private @Nullable Fields object(int depth) {
        if (depth > ControlJson.MAX_DEPTH || !take('{')) {
            return null;
        }
        Members members = new Members();
        if (take('}')) {
            return new Fields(members);
        }
        do {
            String name = name();
            if (name == null || !take(':')) {
                return null;
            }
            Object value = value(depth);
            if (value == ODD || value != ABSENT && !members.add(name, value)) {
                return null;
            }
        } while (take(','));
        return take('}') ? new Fields(members) : null;
    }

    private Object value(int depth) {
        if (at == end) {
            return ODD;
        }
        return switch (bytes[at]) {
            case '"' -> {
                int start = at + 1;
                yield skipText() ? text(start) : ODD;
            }
            case '{' -> {
                Fields fields = object(depth + 1);
                yield fields == null ? ODD : fields;
            }
            case '[' -> list(depth);
            case 't' -> word("true", true);
            case 'f' -> word("false", false);
            case 'n' -> word("null", ABSENT);
            default -> number();
        };
    }

    private Object list(int depth) {
        if (depth > ControlJson.MAX_DEPTH) {
            return ODD;
        }
        List<Object> values = new ArrayList<>();
        at++;
        if (take(']')) {
            return values;
        }
        do {
            Object value = value(depth + 1);
            if (value == ODD) {
                return ODD;
            }
            if (value != ABSENT) {
                values.add(value);
            }
        } while (take(','));
        return take(']') ? values : ODD;
    }

    private Object word(String word, Object meaning) {
        for (int i = 0; i < word.length(); i++) {
            if (!take(word.charAt(i))) {
                return ODD;
            }
        }
        return meaning;
    }

    private Object number() {
        boolean negative = take('-');
        int start = at;
        long value = 0;
        while (at < end && bytes[at] >= '0' && bytes[at] <= '9') {
            value = 10 * value + bytes[at++] - '0';
        }
        int digits = at - start;
        boolean plain = digits == 1 || digits > 1 && digits <= MAX_DIGITS && bytes[start] != '0';
        return plain ? negative ? -value : value : ODD;
    }

    /** Behind the text that begins here. */
    private boolean skipText() {
        if (!take('"')) {
            return false;
        }
        while (at < end) {
            byte b = bytes[at++];
            if (b == '"') {
                return true;
            }
            if (b == '\\' || b < ' ') { // also what is not ASCII
                return false;
            }
        }
        return false;
    }

    /** That has just been skipped. */
    private String text(int start) {
        return new String(bytes, start, at - 1 - start, StandardCharsets.ISO_8859_1);
    }

    private @Nullable String name() {
        int start = at + 1;
        if (!skipText()) {
            return null;
        }
        int length = at - 1 - start;
        if (length > MAX_KNOWN_CHARS) {
            return text(start);
        }
        int hash = length;
        for (int i = start; i < start + length; i++) {
            hash = 31 * hash + bytes[i];
        }
        int slot = (hash ^ hash >>> 8) & KNOWN - 1;
        String known = NAMES[slot];
        if (known == null || !isHere(known, start, length)) {
            // The one that the program's own literal is, so that comparing them is comparing references.
            known = text(start).intern();
            NAMES[slot] = known;
        }
        return known;
    }

    private boolean isHere(String known, int start, int length) {
        if (known.length() != length) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (known.charAt(i) != bytes[start + i]) {
                return false;
            }
        }
        return true;
    }

    /** So few that looking at each is the quickest way to find one. */
    private static final class Members extends AbstractMap<String, Object> {
        private String[] names = new String[10];
        private Object[] values = new Object[10];
        private int size;

        /** @return false if there are too many, or two of one name */
        boolean add(String name, Object value) {
            if (size == MAX_MEMBERS || indexOf(name) >= 0) {
                return false;
            }
            if (size == names.length) {
                names = Arrays.copyOf(names, MAX_MEMBERS);
                values = Arrays.copyOf(values, MAX_MEMBERS);
            }
            names[size] = name;
            values[size++] = value;
            return true;
        }

        private int indexOf(@Nullable Object name) {
            for (int i = 0; i < size; i++) {
                if (names[i].equals(name)) {
                    return i;
                }
            }
            return -1;
        }

        @Override
        public @Nullable Object get(@Nullable Object name) {
            int index = indexOf(name);
            return index < 0 ? null : values[index];
        }

        @Override
        public boolean containsKey(@Nullable Object name) {
            return indexOf(name) >= 0;
        }

        @Override
        public int size() {
            return size;
        }

        @Override
        public Set<Map.Entry<String, Object>> entrySet() {
            Set<Map.Entry<String, Object>> entries = new LinkedHashSet<>();
            for (int i = 0; i < size; i++) {
                entries.add(Map.entry(names[i], values[i]));
            }
            return entries;
        }
    }
}
