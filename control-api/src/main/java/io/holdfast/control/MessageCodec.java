package io.holdfast.control;

import com.fasterxml.jackson.core.JsonGenerator;
import io.holdfast.control.ControlJson.Fields;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Messages to lines and back: one place that knows the names on the wire. */
final class MessageCodec {
    private MessageCodec() {}

    // ------------------------------------------------------------------ agent to server

    static ByteBuf line(AgentMessage message) {
        return ControlJson.line(out -> {
            if (message instanceof AgentMessage.Hello hello) {
                begin(out, "hello");
                out.writeStringField("agentName", hello.agentName());
                out.writeNumberField("protocol", hello.protocol());
                texts(out, "vms", hello.vms());
            } else if (message instanceof AgentMessage.Heartbeat beat) {
                begin(out, "heartbeat");
                out.writeNumberField("seq", beat.seq());
            } else if (message instanceof AgentMessage.Frozen frozen) {
                begin(out, "frozen");
                out.writeNumberField("announcementId", frozen.announcementId());
                out.writeArrayFieldStart("vms");
                for (VmOutcome vm : frozen.vms()) {
                    out.writeStartObject();
                    out.writeStringField("vm", vm.vm());
                    out.writeStringField("state", vm.state().name());
                    out.writeStringField("detail", vm.detail());
                    out.writeEndObject();
                }
                out.writeEndArray();
            } else if (message instanceof AgentMessage.VmStates states) {
                begin(out, "vm-states");
                out.writeArrayFieldStart("vms");
                for (VmState vm : states.vms()) {
                    out.writeStartObject();
                    out.writeStringField("vm", vm.vm());
                    out.writeStringField("state", vm.state());
                    out.writeStringField("why", vm.why());
                    out.writeNumberField("sinceEpochMs", vm.sinceEpochMs());
                    out.writeEndObject();
                }
                out.writeEndArray();
            } else if (message instanceof AgentMessage.ActionsTaken taken) {
                begin(out, "actions-taken");
                out.writeArrayFieldStart("vms");
                for (VmActionsTaken vm : taken.vms()) {
                    out.writeStartObject();
                    out.writeStringField("vm", vm.vm());
                    out.writeNumberField("revision", vm.revision());
                    out.writeStringField("refused", vm.refused());
                    out.writeStringField("overruled", vm.overruled());
                    out.writeEndObject();
                }
                out.writeEndArray();
            } else if (message instanceof AgentMessage.ProveUnit question) {
                begin(out, "prove-unit");
                out.writeNumberField("id", question.id());
                out.writeFieldName("unit");
                unit(out, question.unit());
                texts(out, "initiators", question.initiators());
            } else if (message instanceof AgentMessage.Bye bye) {
                begin(out, "bye");
                out.writeStringField("why", bye.why());
            }
            out.writeEndObject();
        });
    }

    /**
     * @return empty for a message of a type that this version does not know
     * @throws IOException if the line is not a message at all
     */
    static Optional<AgentMessage> agentMessage(ByteBuf line) throws IOException {
        Fields fields = ControlJson.parse(line);
        return Optional.ofNullable(
                switch (fields.text("type")) {
                    case "hello" ->
                        new AgentMessage.Hello(
                                fields.text("agentName"), (int) fields.number("protocol"), fields.texts("vms"));
                    case "heartbeat" -> new AgentMessage.Heartbeat(fields.number("seq"));
                    case "frozen" ->
                        new AgentMessage.Frozen(
                                fields.number("announcementId"),
                                fields.objects("vms").stream()
                                        .map(MessageCodec::outcome)
                                        .toList());
                    case "vm-states" ->
                        new AgentMessage.VmStates(fields.objects("vms").stream()
                                .map(vm -> new VmState(
                                        vm.text("vm"), vm.text("state"), vm.text("why"), vm.number("sinceEpochMs")))
                                .toList());
                    case "actions-taken" ->
                        new AgentMessage.ActionsTaken(fields.objects("vms").stream()
                                .map(vm -> new VmActionsTaken(
                                        vm.text("vm"), vm.number("revision"), vm.text("refused"), vm.text("overruled")))
                                .toList());
                    case "prove-unit" ->
                        new AgentMessage.ProveUnit(
                                fields.number("id"), unit(fields.object("unit")), fields.texts("initiators"));
                    case "bye" -> new AgentMessage.Bye(fields.text("why"));
                    default -> null;
                });
    }

    private static VmOutcome outcome(Fields fields) {
        return new VmOutcome(
                fields.text("vm"),
                constant(VmOutcome.State.class, fields.text("state"), VmOutcome.State.FAILED),
                fields.text("detail"));
    }

    // ------------------------------------------------------------------ server to agent

    static ByteBuf line(ServerMessage message) {
        return ControlJson.line(out -> {
            if (message instanceof ServerMessage.Welcome welcome) {
                begin(out, "welcome");
                welcome(out, welcome);
            } else if (message instanceof ServerMessage.Heartbeat beat) {
                begin(out, "heartbeat");
                out.writeNumberField("seq", beat.seq());
            } else if (message instanceof ServerMessage.SessionOpened opened) {
                begin(out, "session-opened");
                out.writeFieldName("session");
                session(out, opened.session());
            } else if (message instanceof ServerMessage.SessionClosed closed) {
                begin(out, "session-closed");
                out.writeFieldName("session");
                session(out, closed.session());
            } else if (message instanceof ServerMessage.UnitsChanged changed) {
                begin(out, "units-changed");
                units(out, "served", changed.served());
                units(out, "gone", changed.gone());
            } else if (message instanceof ServerMessage.ActionsRegistered registered) {
                begin(out, "actions-registered");
                actions(out, registered.vms());
            } else if (message instanceof ServerMessage.UnitProved proved) {
                begin(out, "unit-proved");
                out.writeNumberField("id", proved.id());
                out.writeStringField("objection", proved.objection());
            } else if (message instanceof ServerMessage.Raised raised) {
                begin(out, "raised");
                event(out, raised.event());
            } else if (message instanceof ServerMessage.Cleared cleared) {
                begin(out, "cleared");
                event(out, cleared.event());
            } else if (message instanceof ServerMessage.GoingAway going) {
                begin(out, "going-away");
                out.writeNumberField("announcementId", going.announcementId());
                out.writeStringField("reason", going.reason().name());
                out.writeNumberField("deadlineMs", going.deadlineMs());
            } else if (message instanceof ServerMessage.Refused refused) {
                begin(out, "refused");
                out.writeStringField("why", refused.why());
            } else if (message instanceof ServerMessage.Bye bye) {
                begin(out, "bye");
                out.writeStringField("why", bye.why());
            }
            out.writeEndObject();
        });
    }

    private static void welcome(JsonGenerator out, ServerMessage.Welcome welcome) throws IOException {
        out.writeNumberField("protocol", welcome.protocol());
        out.writeNumberField("epoch", welcome.epoch());
        out.writeNumberField("heartbeatMs", welcome.heartbeatMs());
        out.writeObjectFieldStart("server");
        out.writeStringField("name", welcome.server().name());
        texts(out, "portals", welcome.server().portals());
        out.writeArrayFieldStart("groups");
        for (int group : welcome.server().groups()) {
            out.writeNumber(group);
        }
        out.writeEndArray();
        units(out, "units", welcome.server().units());
        out.writeEndObject();
        out.writeArrayFieldStart("sessions");
        for (IscsiSession session : welcome.sessions()) {
            session(out, session);
        }
        out.writeEndArray();
        out.writeArrayFieldStart("raised");
        for (RaisedEvent event : welcome.raised()) {
            out.writeStartObject();
            event(out, event);
            out.writeEndObject();
        }
        out.writeEndArray();
    }

    private static void units(JsonGenerator out, String name, List<ExportedUnit> units) throws IOException {
        out.writeArrayFieldStart(name);
        for (ExportedUnit unit : units) {
            unit(out, unit);
        }
        out.writeEndArray();
    }

    private static void unit(JsonGenerator out, ExportedUnit unit) throws IOException {
        out.writeStartObject();
        out.writeStringField("target", unit.target());
        out.writeNumberField("lun", unit.lun());
        out.writeStringField("uuid", unit.uuid());
        out.writeNumberField("sizeBytes", unit.sizeBytes());
        out.writeBooleanField("readOnly", unit.readOnly());
        out.writeEndObject();
    }

    private static void actions(JsonGenerator out, List<VmActions> vms) throws IOException {
        out.writeArrayFieldStart("vms");
        for (VmActions vm : vms) {
            out.writeStartObject();
            out.writeStringField("vm", vm.vm());
            out.writeNumberField("revision", vm.revision());
            out.writeObjectFieldStart("actions");
            for (Map.Entry<String, String> action : vm.actions().entrySet()) {
                out.writeStringField(action.getKey(), action.getValue());
            }
            out.writeEndObject();
            out.writeEndObject();
        }
        out.writeEndArray();
    }

    private static void event(JsonGenerator out, RaisedEvent event) throws IOException {
        out.writeStringField("event", event.event());
        out.writeStringField("target", event.target());
        out.writeStringField("detail", event.detail());
    }

    private static void session(JsonGenerator out, IscsiSession session) throws IOException {
        out.writeStartObject();
        out.writeStringField("initiator", session.initiator());
        out.writeNumberField("isid", session.isid());
        out.writeStringField("target", session.target());
        out.writeStringField("peer", session.peer());
        out.writeEndObject();
    }

    /**
     * @return empty for a message of a type that this version does not know
     * @throws IOException if the line is not a message at all
     */
    static Optional<ServerMessage> serverMessage(ByteBuf line) throws IOException {
        Fields fields = ControlJson.parse(line);
        return Optional.ofNullable(
                switch (fields.text("type")) {
                    case "welcome" ->
                        new ServerMessage.Welcome(
                                (int) fields.number("protocol"),
                                fields.number("epoch"),
                                fields.number("heartbeatMs"),
                                server(fields.object("server")),
                                fields.objects("sessions").stream()
                                        .map(MessageCodec::session)
                                        .toList(),
                                fields.objects("raised").stream()
                                        .map(MessageCodec::event)
                                        .toList());
                    case "units-changed" ->
                        new ServerMessage.UnitsChanged(units(fields, "served"), units(fields, "gone"));
                    case "actions-registered" ->
                        new ServerMessage.ActionsRegistered(fields.objects("vms").stream()
                                .map(MessageCodec::actions)
                                .toList());
                    case "unit-proved" -> new ServerMessage.UnitProved(fields.number("id"), fields.text("objection"));
                    case "raised" -> new ServerMessage.Raised(event(fields));
                    case "cleared" -> new ServerMessage.Cleared(event(fields));
                    case "heartbeat" -> new ServerMessage.Heartbeat(fields.number("seq"));
                    case "session-opened" -> new ServerMessage.SessionOpened(session(fields.object("session")));
                    case "session-closed" -> new ServerMessage.SessionClosed(session(fields.object("session")));
                    case "going-away" ->
                        new ServerMessage.GoingAway(
                                fields.number("announcementId"),
                                constant(ServerMessage.Reason.class, fields.text("reason"), ServerMessage.Reason.OTHER),
                                fields.number("deadlineMs"));
                    case "refused" -> new ServerMessage.Refused(fields.text("why"));
                    case "bye" -> new ServerMessage.Bye(fields.text("why"));
                    default -> null;
                });
    }

    private static ServerDescription server(Fields fields) {
        return new ServerDescription(
                fields.text("name"), fields.texts("portals"), fields.numbers("groups"), units(fields, "units"));
    }

    private static List<ExportedUnit> units(Fields fields, String name) {
        return fields.objects(name).stream().map(MessageCodec::unit).toList();
    }

    private static ExportedUnit unit(Fields fields) {
        return new ExportedUnit(
                fields.text("target"),
                (int) fields.number("lun"),
                fields.text("uuid"),
                fields.number("sizeBytes"),
                fields.flag("readOnly"));
    }

    private static VmActions actions(Fields fields) {
        Map<String, String> actions = new TreeMap<>();
        Fields told = fields.object("actions");
        told.values().keySet().forEach(event -> actions.put(event, told.text(event)));
        return new VmActions(fields.text("vm"), fields.number("revision"), actions);
    }

    private static RaisedEvent event(Fields fields) {
        return new RaisedEvent(fields.text("event"), fields.text("target"), fields.text("detail"));
    }

    private static IscsiSession session(Fields fields) {
        return new IscsiSession(
                fields.text("initiator"), fields.number("isid"), fields.text("target"), fields.text("peer"));
    }

    // ------------------------------------------------------------------ both

    private static void begin(JsonGenerator out, String type) throws IOException {
        out.writeStartObject();
        out.writeStringField("type", type);
    }

    private static void texts(JsonGenerator out, String name, List<String> values) throws IOException {
        out.writeArrayFieldStart(name);
        for (String value : values) {
            out.writeString(value);
        }
        out.writeEndArray();
    }

    /** A constant that another version knows and this one does not reads as the default. */
    private static <E extends Enum<E>> E constant(Class<E> type, String name, E otherwise) {
        for (E constant : type.getEnumConstants()) {
            if (constant.name().equals(name.toUpperCase(Locale.ROOT))) {
                return constant;
            }
        }
        return otherwise;
    }
}
