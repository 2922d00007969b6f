package io.holdfast.management.cli;

import io.holdfast.control.ControlJson;
import io.holdfast.control.ControlJson.Fields;
import io.holdfast.control.operator.Operation;
import io.holdfast.control.operator.Row;
import io.holdfast.control.operator.RowJson;
import io.holdfast.management.config.ByteSize;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Answers for people and for scripts. */
final class Printer {
    private static final Set<String> SIZES = Set.of("size", "allotted", "free");
    private static final Set<String> TIMES = Set.of("since", "time", "created", "expires");
    private static final Set<String> GOOD = Set.of("available", "ok", "LOGGED_IN", "Available");
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss", Locale.ROOT).withZone(ZoneId.systemDefault());
    private static final String NOTHING = "-";
    private static final String BOLD = "\u001b[1m";
    private static final String RED = "\u001b[31m";
    private static final String PLAIN = "\u001b[0m";

    private final PrintWriter out;
    private final OutputForm form;

    /** @param out may write each line at once, which takes longer than all the rest where there are thousands */
    Printer(PrintWriter out, OutputForm form) {
        this.out = new PrintWriter(new BufferedWriter(out));
        this.form = form;
    }

    /** The rows of an answer. */
    void rows(Operation operation, List<Fields> rows, String json) {
        Class<? extends Row> type = operation.answer();
        String delimiter = form.delimiter();
        if (form.json()) {
            out.println(json);
        } else if (delimiter != null) {
            List<String> fields = form.fields().isEmpty() ? RowJson.fields(type) : form.fields();
            for (Fields row : rows) {
                out.println(String.join(
                        delimiter,
                        fields.stream().map(field -> exact(row, field)).toList()));
            }
        } else if (operation == Operation.LSMAP && form.fields().isEmpty()) {
            lsmap(rows);
        } else if (operation == Operation.LSMAP_NPIV && form.fields().isEmpty()) {
            lsmapNpiv(rows);
        } else if (rows.size() == 1 && isOne(operation) && form.fields().isEmpty()) {
            one(type, rows.get(0));
        } else {
            table(form.fields().isEmpty() ? Columns.of(type) : form.fields(), rows);
        }
        out.flush();
    }

    private static boolean isOne(Operation operation) {
        return operation.changes()
                || operation == Operation.LU_SHOW
                || operation == Operation.CLIENT_SHOW
                || operation == Operation.STATUS;
    }

    /** A line for each field: what a single object looks like. */
    private void one(Class<? extends Row> type, Fields row) {
        List<String> fields = RowJson.fields(type);
        int width = fields.stream().mapToInt(String::length).max().orElse(0);
        for (String field : fields) {
            if (!field.equals("revision")) {
                out.println(padded(field, width) + "  " + readable(row, field));
            }
        }
    }

    private void table(List<String> columns, List<Fields> rows) {
        List<List<String>> cells = new ArrayList<>();
        cells.add(columns.stream().map(Printer::heading).toList());
        for (Fields row : rows) {
            cells.add(columns.stream().map(column -> readable(row, column)).toList());
        }
        int[] widths = new int[columns.size()];
        for (List<String> line : cells) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], line.get(i).length());
            }
        }
        boolean first = true;
        for (List<String> line : cells) {
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < widths.length; i++) {
                boolean number = !rows.isEmpty() && isNumber(rows.get(0), columns.get(i));
                String cell = number ? leftPadded(line.get(i), widths[i]) : padded(line.get(i), widths[i]);
                boolean bad = !first && columns.get(i).equals("state") && !GOOD.contains(line.get(i));
                text.append(bad ? coloured(RED, cell) : cell).append("  ");
            }
            out.println(
                    first
                            ? coloured(BOLD, text.toString().stripTrailing())
                            : text.toString().stripTrailing());
            first = false;
        }
        if (rows.isEmpty()) {
            out.println("(none)");
        }
    }

    /** As on a Virtual I/O Server: a header for each adapter, then a block for each device. */
    private void lsmap(List<Fields> rows) {
        String adapter = "";
        int width = Math.max(
                7,
                rows.stream()
                        .mapToInt(row -> row.text("physloc").length())
                        .max()
                        .orElse(0));
        for (Fields row : rows) {
            if (!row.text("svsa").equals(adapter)) {
                out.print(adapter.isEmpty() ? "" : System.lineSeparator());
                adapter = row.text("svsa");
                out.println(
                        coloured(BOLD, padded("SVSA", 15) + " " + padded("Physloc", width) + " Client Partition ID"));
                out.println("-".repeat(15) + " " + "-".repeat(width) + " " + "-".repeat(19));
                out.println(padded(adapter, 15) + " " + padded(row.text("physloc"), width) + " " + "0x"
                        + HexFormat.of().toHexDigits((int) row.number("clientid")));
                out.println();
                if (row.text("vtd").isEmpty()) {
                    out.println("VTD                   NO VIRTUAL TARGET DEVICE FOUND");
                }
            } else {
                out.println();
            }
            if (!row.text("vtd").isEmpty()) {
                out.println("VTD                   " + row.text("vtd"));
                out.println("Status                " + row.text("status"));
                out.println("LUN                   " + row.number("lun"));
                out.println("Backing device        " + row.text("backing"));
                out.println("Access                " + row.text("access") + ", " + row.text("sharing"));
            }
        }
        if (rows.isEmpty()) {
            out.println("(no server adapters; 'holdfast client add NAME' makes one)");
        }
    }

    private void lsmapNpiv(List<Fields> rows) {
        int width = Math.max(
                7,
                rows.stream()
                        .mapToInt(row -> row.text("physloc").length())
                        .max()
                        .orElse(0));
        boolean first = true;
        for (Fields row : rows) {
            out.print(first ? "" : System.lineSeparator());
            first = false;
            out.println(coloured(
                    BOLD, padded("Name", 13) + " " + padded("Physloc", width) + " ClntID ClntName       ClntOS"));
            out.println("-".repeat(13) + " " + "-".repeat(width) + " ------ -------------- -------");
            out.println(padded(row.text("name"), 13) + " " + padded(row.text("physloc"), width) + " "
                    + leftPadded(String.valueOf(row.number("clntid")), 6) + " " + padded(row.text("clntname"), 14) + " "
                    + row.text("clntos"));
            out.println();
            out.println("Status:" + row.text("status"));
            out.println("FC name:" + padded(row.text("fc"), 22) + "FC loc code:" + row.text("fcphysloc"));
            out.println("Ports logged in:" + row.number("ports"));
            out.println("Flags:" + String.join(",", row.texts("flags")));
            out.println("VFC client name:" + padded(row.text("vfcclient"), 14) + "VFC client DRC:"
                    + row.text("vfcclientdrc"));
            out.println("WWPNs:" + row.text("wwpns") + "  active:" + row.text("active"));
        }
        if (rows.isEmpty()) {
            out.println("(no server adapters; 'holdfast client add NAME' makes one)");
        }
    }

    /** An event, on a line. */
    void event(Fields event) {
        String delimiter = form.delimiter();
        if (form.json()) {
            out.println(json(event));
        } else if (delimiter != null) {
            out.println(String.join(
                    delimiter,
                    RowJson.fields(io.holdfast.control.operator.PlaneEvent.class).stream()
                            .map(field -> exact(event, field))
                            .toList()));
        } else {
            String by = event.text("by");
            out.println(readable(event, "time") + "  " + padded(event.text("type"), 18) + "  " + event.text("object")
                    + (by.isEmpty() ? "" : "  (by " + by + ")"));
        }
        out.flush();
    }

    /** One JSON object. */
    static String json(Fields fields) {
        return new String(ControlJson.bytes(out -> write(fields, out)), StandardCharsets.UTF_8);
    }

    private static void write(@Nullable Object value, com.fasterxml.jackson.core.JsonGenerator out) throws IOException {
        if (value instanceof Fields fields) {
            out.writeStartObject();
            for (Map.Entry<String, Object> field : fields.values().entrySet()) {
                out.writeFieldName(field.getKey());
                write(field.getValue(), out);
            }
            out.writeEndObject();
        } else if (value instanceof List<?> list) {
            out.writeStartArray();
            for (Object element : list) {
                write(element, out);
            }
            out.writeEndArray();
        } else if (value instanceof Long number) {
            out.writeNumber(number);
        } else if (value instanceof Boolean flag) {
            out.writeBoolean(flag);
        } else {
            out.writeString(String.valueOf(value));
        }
    }

    private static boolean isNumber(Fields row, String field) {
        return row.values().get(field) instanceof Long;
    }

    /** As in JSON; nothing for what is not there. */
    private static String exact(Fields row, String field) {
        Object value = row.values().get(field);
        return value == null
                ? ""
                : value instanceof List<?> list
                        ? String.join(",", list.stream().map(String::valueOf).toList())
                        : String.valueOf(value);
    }

    private static String readable(Fields row, String field) {
        Object value = row.values().get(field);
        if (value == null || "".equals(value) || value instanceof List<?> list && list.isEmpty()) {
            return NOTHING;
        } else if (value instanceof Boolean flag) {
            return flag ? "yes" : "no";
        } else if (value instanceof Long number && SIZES.contains(field)) {
            return number < 0 ? "?" : number == 0 ? "0" : ByteSize.print(number);
        } else if (value instanceof String text && TIMES.contains(field)) {
            return TIME.format(Instant.parse(text));
        }
        // What a terminal would take for a command is no text.
        return exact(row, field).replaceAll("\\p{Cntrl}", "?");
    }

    /** {@code nextPair} is {@code NEXT PAIR}. */
    private static String heading(String field) {
        return field.replaceAll("([A-Z])", " $1").toUpperCase(Locale.ROOT);
    }

    private String coloured(String colour, String text) {
        return form.colours() ? colour + text + PLAIN : text;
    }

    private static String padded(String text, int width) {
        return text + " ".repeat(Math.max(0, width - text.length()));
    }

    private static String leftPadded(String text, int width) {
        return " ".repeat(Math.max(0, width - text.length())) + text;
    }
}
