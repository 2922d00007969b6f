package io.holdfast.management.plane;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.control.operator.Answer;
import io.holdfast.control.operator.Caller;
import io.holdfast.control.operator.CommandError;
import io.holdfast.control.operator.ErrorCode;
import io.holdfast.control.operator.OperatorCommand;
import io.holdfast.control.operator.OperatorRequest;
import io.holdfast.control.operator.Role;
import io.holdfast.control.operator.Row;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** A control plane with a port and a pool, and nothing served behind it. */
final class PlaneRig implements AutoCloseable {
    static final String PREFIX = "iqn.2026-11.io.holdfast:";
    static final Caller ADMIN = new Caller("root", Role.ADMIN, "local");
    static final Caller OPERATOR = new Caller("token ops", Role.OPERATOR, "192.0.2.1");

    final ControlPlane plane;

    PlaneRig(PlaneStore store) {
        this(store, ServedSide.NOTHING);
    }

    PlaneRig(PlaneStore store, ServedSide served) {
        plane = new ControlPlane(store, served, PREFIX, "test", Clock.systemUTC());
    }

    static PlaneRig inMemory() {
        PlaneRig rig = new PlaneRig(new MemoryStore());
        rig.furnish();
        return rig;
    }

    static PlaneRig at(Path directory) throws IOException {
        return new PlaneRig(JournalStore.open(directory, "test"));
    }

    void furnish() {
        plane.ensurePorts(List.of("192.0.2.10:3260"));
        done(new OperatorCommand.CreatePool("images", "/srv/images"));
    }

    Row done(OperatorCommand command) {
        Answer answer = plane.ask(command, ADMIN, OptionalLong.empty());
        assertThat(answer).as("%s", command).isInstanceOf(Answer.Done.class);
        return ((Answer.Done) answer).object();
    }

    CommandError refused(OperatorCommand command, ErrorCode code) {
        return refused(command, ADMIN, OptionalLong.empty(), code);
    }

    CommandError refused(OperatorRequest command, Caller caller, OptionalLong basis, ErrorCode code) {
        Answer answer = plane.ask(command, caller, basis);
        assertThat(answer).as("%s", command).isInstanceOf(Answer.Failed.class);
        CommandError error = ((Answer.Failed) answer).error();
        assertThat(error.error()).as("%s", error).isEqualTo(code);
        assertThat(error.advice()).as("what to do next").isNotBlank();
        return error;
    }

    @SuppressWarnings("unchecked") // The caller knows what he asks for.
    <R extends Row> List<R> rows(OperatorRequest query) {
        Answer answer = plane.ask(query, ADMIN, OptionalLong.empty());
        assertThat(answer).as("%s", query).isInstanceOf(Answer.Rows.class);
        return (List<R>) ((Answer.Rows) answer).rows();
    }

    static OperatorCommand.CreateLu lu(String name, long size) {
        return new OperatorCommand.CreateLu(name, size, null, null, null, false, false, null, false, false);
    }

    static OperatorCommand.AddClient client(String name) {
        return new OperatorCommand.AddClient(name, null, null, null, null, false);
    }

    static OperatorCommand.MapLu map(String client, String lu) {
        return new OperatorCommand.MapLu(client, lu, null, null);
    }

    static OperatorCommand.RemoveClient removal(String client) {
        return new OperatorCommand.RemoveClient(client, true);
    }

    /** All of a state, as it is written: two states are the same if this is. */
    static String print(PlaneState state) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            StateRows.writeAll(state, json -> {
                out.writeBytes(json);
                out.write('\n');
            });
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return state.id() + " " + state.version() + "\n" + out.toString(StandardCharsets.UTF_8);
    }

    static <T> T present(@Nullable T value) {
        assertThat(value).isNotNull();
        return java.util.Objects.requireNonNull(value);
    }

    @Override
    public void close() {
        plane.close();
    }
}
