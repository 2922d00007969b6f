package io.holdfast.management.plane;

import io.holdfast.control.operator.Row;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** Keeps the state as long as the server lives: for tests. */
public final class MemoryStore implements PlaneStore {
    private final List<Row.AuditRow> audit = new ArrayList<>();
    private PlaneState state = PlaneState.empty(UUID.randomUUID());

    @Override
    public PlaneState state() {
        return state;
    }

    @Override
    public void append(PlaneState before, PlaneState after, Row.AuditRow row) {
        state = after;
        synchronized (audit) {
            audit.add(row);
        }
    }

    @Override
    public boolean broken() {
        return false;
    }

    @Override
    public List<Row.AuditRow> audit(int last) {
        synchronized (audit) {
            return List.copyOf(audit.subList(Math.max(0, audit.size() - last), audit.size()));
        }
    }

    @Override
    public void close() {}
}
