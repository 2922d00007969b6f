package io.holdfast.control.operator;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What a request consists of, read from its record: the HTTP API, its description, the command line and the reference pages
 * are all made of it.
 */
public record Shape(Class<? extends OperatorRequest> type, List<Field> fields) {
    /** No name, path or address is longer. */
    private static final int MAX_TEXT = 4096;

    private static final int MAX_LIST = 1000;
    private static final int MAX_JSON = 16 * 1024;
    private static final Pattern CONTROL = Pattern.compile("\\p{Cntrl}");

    public Shape {
        fields = List.copyOf(fields);
    }

    /** The shape of a field's value. */
    public enum Kind {
        TEXT,
        NUMBER,
        FLAG,
        CHOICE,
        LIST
    }

    /**
     * A component of the request.
     *
     * @param name in JSON
     * @param required if it must be given
     * @param choices what a {@link Kind#CHOICE} may be
     */
    public record Field(String name, Kind kind, boolean required, List<String> choices, Class<?> type, Param param) {
        public Field {
            choices = List.copyOf(choices);
        }

        /** On the command line: {@code --read-only}. */
        public String option() {
            return "--" + name.replaceAll("([A-Z])", "-$1").toLowerCase(java.util.Locale.ROOT);
        }

        /** Nothing for what was left out. */
        private String shown(@Nullable Object value) {
            if (value == null || Boolean.FALSE.equals(value)) {
                return "";
            } else if (param.form() == Param.Form.SECRET) {
                return "…";
            } else if (value instanceof List<?> list) {
                return list.stream().map(String::valueOf).collect(Collectors.joining(","));
            }
            String text = value instanceof Enum<?> constant ? Labels.of(constant) : String.valueOf(value);
            return text.isEmpty() || text.indexOf(' ') >= 0 ? "'" + text + "'" : text;
        }

        private @Nullable Object bound(@Nullable Object value) {
            if (value == null) {
                if (required) {
                    throw new BadRequestException("'" + name + "' is missing: " + param.value());
                }
                return switch (kind) {
                    case FLAG -> false;
                    case LIST -> List.of();
                    default -> null;
                };
            }
            return switch (kind) {
                case TEXT -> text(value);
                case NUMBER -> number(value);
                case FLAG -> flag(value);
                case CHOICE -> choice(value);
                case LIST -> list(value);
            };
        }

        private String text(Object value) {
            boolean json = param.form() == Param.Form.JSON;
            int max = json ? MAX_JSON : MAX_TEXT;
            if (!(value instanceof String text)) {
                throw wrong(value, "it must be a text");
            }
            if (text.length() > max) {
                throw new BadRequestException(
                        "'" + name + "' has " + text.length() + " characters, it may have " + max);
            }
            if (!json && CONTROL.matcher(text).find()) {
                throw new BadRequestException("'" + name + "' holds a control character");
            }
            return text;
        }

        private Object number(Object value) {
            long number;
            if (value instanceof Long whole) {
                number = whole;
            } else if (value instanceof String text) {
                try {
                    number = Long.parseLong(text);
                } catch (NumberFormatException e) {
                    throw wrong(value, "it must be a whole number");
                }
            } else {
                throw wrong(value, "it must be a whole number");
            }
            if (number < param.min() || number > param.max()) {
                throw wrong(value, "it must be " + param.min() + " to " + param.max());
            }
            if (type == Integer.class || type == int.class) {
                return (int) number;
            }
            return number;
        }

        private Boolean flag(Object value) {
            if (value instanceof Boolean flag) {
                return flag;
            }
            if ("true".equals(value) || "false".equals(value)) {
                return Boolean.valueOf((String) value);
            }
            throw wrong(value, "it must be true or false");
        }

        private Object choice(Object value) {
            for (Object constant : Objects.requireNonNull(type.getEnumConstants())) {
                if (Labels.of((Enum<?>) constant).equals(value)) {
                    return constant;
                }
            }
            throw wrong(value, "it must be one of " + String.join(", ", choices));
        }

        private List<String> list(Object value) {
            List<?> values = value instanceof List<?> list ? list : List.of(value);
            if (values.size() > MAX_LIST) {
                throw new BadRequestException("'" + name + "' has more than " + MAX_LIST + " values");
            }
            return values.stream().map(this::text).toList();
        }

        private BadRequestException wrong(Object value, String why) {
            String text = String.valueOf(value);
            String some = text.length() > 100 ? text.substring(0, 100) + "…" : text;
            return new BadRequestException(
                    "'" + name + "' is '" + CONTROL.matcher(some).replaceAll("?") + "': " + why);
        }
    }

    /** A value does not fit. */
    public static final class BadRequestException extends IllegalArgumentException {
        private static final long serialVersionUID = 1;

        public BadRequestException(String message) {
            super(message);
        }
    }

    public static Shape of(Operation operation) {
        return of(operation.request());
    }

    static Shape of(Class<? extends OperatorRequest> type) {
        List<Field> fields = new ArrayList<>();
        for (RecordComponent component : type.getRecordComponents()) {
            Param param = Objects.requireNonNull(component.getAnnotation(Param.class), component::toString);
            Class<?> raw = component.getType();
            boolean optional = component.getAnnotatedType().isAnnotationPresent(Nullable.class);
            Kind kind = kindOf(raw);
            List<String> choices = raw.isEnum()
                    ? Arrays.stream(Objects.requireNonNull(raw.getEnumConstants()))
                            .map(constant -> Labels.of((Enum<?>) constant))
                            .toList()
                    : List.of();
            boolean required = !optional && kind != Kind.FLAG && kind != Kind.LIST;
            fields.add(new Field(component.getName(), kind, required, choices, raw, param));
        }
        return new Shape(type, fields);
    }

    private static Kind kindOf(Class<?> raw) {
        if (raw == String.class) {
            return Kind.TEXT;
        } else if (raw == boolean.class) {
            return Kind.FLAG;
        } else if (raw.isEnum()) {
            return Kind.CHOICE;
        } else if (raw == List.class) {
            return Kind.LIST;
        } else if (raw == int.class || raw == Integer.class || raw == long.class || raw == Long.class) {
            return Kind.NUMBER;
        }
        throw new IllegalArgumentException("a request cannot hold a " + raw);
    }

    /** Those that stand without an option's name on the command line, in their order. */
    public List<Field> places() {
        return fields.stream()
                .filter(field -> field.param().place() > 0)
                .sorted(java.util.Comparator.comparingInt(field -> field.param().place()))
                .toList();
    }

    public List<Field> options() {
        return fields.stream().filter(field -> field.param().place() == 0).toList();
    }

    /**
     * A request of this shape as its arguments on the command line, for people: what was left out is missing, and a secret is
     * not told.
     */
    public String words(OperatorRequest request) {
        List<String> words = new ArrayList<>();
        for (Field field : places()) {
            String value = field.shown(value(request, field));
            if (!value.isEmpty()) {
                words.add(value);
            }
        }
        for (Field field : options()) {
            String value = field.shown(value(request, field));
            if (!value.isEmpty()) {
                words.add(field.kind() == Kind.FLAG ? field.option() : field.option() + " " + value);
            }
        }
        return String.join(" ", words);
    }

    private @Nullable Object value(OperatorRequest request, Field field) {
        try {
            return type.getDeclaredMethod(field.name()).invoke(request);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("a record without its accessor: " + field.name() + " of " + type, e);
        }
    }

    /**
     * The request with these values.
     *
     * @param values text, Long, Boolean or list of texts, by field; text will do for all of them
     * @throws BadRequestException naming the field, the value and what is allowed
     */
    public OperatorRequest bind(Map<String, ?> values) {
        Map<String, Object> left = new LinkedHashMap<>(values);
        Object[] arguments = new Object[fields.size()];
        Class<?>[] types = new Class<?>[fields.size()];
        for (int i = 0; i < arguments.length; i++) {
            Field field = fields.get(i);
            arguments[i] = field.bound(left.remove(field.name()));
            types[i] = field.type();
        }
        if (!left.isEmpty()) {
            String unknown = left.keySet().iterator().next();
            String some = unknown.length() > 100 ? unknown.substring(0, 100) + "…" : unknown;
            throw new BadRequestException(
                    "there is no field '" + CONTROL.matcher(some).replaceAll("?") + "'; there "
                            + (fields.isEmpty()
                                    ? "are none"
                                    : "are " + fields.stream().map(Field::name).collect(Collectors.joining(", "))));
        }
        try {
            return type.getDeclaredConstructor(types).newInstance(arguments);
        } catch (InvocationTargetException e) {
            throw new BadRequestException("" + e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("a record without its constructor: " + type, e);
        }
    }
}
