package io.holdfast.management.cli;

import io.holdfast.control.operator.Row;
import io.holdfast.control.operator.RowJson;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Which fields a table for people has room for; the others are shown by 'show', JSON and {@code --field}. */
final class Columns {
    private static final Map<Class<? extends Row>, List<String>> CHOSEN = new LinkedHashMap<>();

    static {
        CHOSEN.put(Row.LuRow.class, List.of("name", "size", "state", "sharing", "access", "clients", "path"));
        CHOSEN.put(Row.PoolRow.class, List.of("name", "directory", "lus", "allotted", "free"));
        CHOSEN.put(Row.WwpnPoolRow.class, List.of("name", "prefix", "issued", "left"));
        CHOSEN.put(
                Row.ClientRow.class,
                List.of("id", "name", "kind", "wwpn", "target", "adapters", "lus", "sessions", "chap", "migration"));
        CHOSEN.put(
                Row.AdapterRow.class,
                List.of("adapter", "client", "vadapter", "port", "active", "standby", "sessions"));
        CHOSEN.put(Row.PortRow.class, List.of("name", "location", "capacity", "used", "sessions"));
        CHOSEN.put(Row.MapRow.class, List.of("client", "lun", "lu", "size", "access", "device"));
        CHOSEN.put(Row.ZoneRow.class, List.of("name", "members", "ports"));
        CHOSEN.put(Row.InitiatorRow.class, List.of("initiator", "wwpn", "client"));
        CHOSEN.put(
                Row.SessionRow.class,
                List.of("id", "client", "initiator", "target", "peer", "port", "since", "readBytes", "writtenBytes"));
        CHOSEN.put(Row.RaisedRow.class, List.of("name", "target", "detail"));
        CHOSEN.put(Row.TokenRow.class, List.of("name", "role", "created", "expires"));
        CHOSEN.put(Row.AuditRow.class, List.of("time", "version", "by", "from", "what", "object"));
    }

    private Columns() {}

    static List<String> of(Class<? extends Row> type) {
        return CHOSEN.getOrDefault(type, RowJson.fields(type));
    }
}
