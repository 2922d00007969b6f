package io.holdfast.control.operator;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;

/** Rows as JSON objects: a field for each component, by its name. */
public final class RowJson {
    private static final ConcurrentMap<Class<?>, RecordComponent[]> COMPONENTS = new ConcurrentHashMap<>();

    private RowJson() {}

    /** The names of a row's fields, in their order. */
    public static List<String> fields(Class<? extends Row> type) {
        List<String> names = new ArrayList<>();
        for (RecordComponent component : components(type)) {
            names.add(component.getName());
        }
        return names;
    }

    private static RecordComponent[] components(Class<?> type) {
        return COMPONENTS.computeIfAbsent(type, Class::getRecordComponents);
    }

    public static void write(Row row, JsonGenerator out) throws IOException {
        out.writeStartObject();
        for (RecordComponent component : components(row.getClass())) {
            out.writeFieldName(component.getName());
            value(valueOf(row, component), out);
        }
        out.writeEndObject();
    }

    private static @Nullable Object valueOf(Row row, RecordComponent component) {
        try {
            return component.getAccessor().invoke(row);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("a record without its accessor: " + component, e);
        }
    }

    private static void value(@Nullable Object value, JsonGenerator out) throws IOException {
        if (value == null) {
            out.writeNull();
        } else if (value instanceof Boolean flag) {
            out.writeBoolean(flag);
        } else if (value instanceof Number number) {
            out.writeNumber(number.longValue());
        } else if (value instanceof List<?> list) {
            out.writeStartArray();
            for (Object element : list) {
                value(element, out);
            }
            out.writeEndArray();
        } else if (value instanceof Instant time) {
            out.writeString(time.toString());
        } else {
            out.writeString(value.toString());
        }
    }
}
