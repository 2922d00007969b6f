package io.holdfast.scsi;

import io.holdfast.scsi.PersistentReservations.Reservation;
import io.holdfast.scsi.ReservationRequest.Action;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** PERSISTENT RESERVE IN and OUT (SPC-4 §6.15, §6.16), RESERVE and RELEASE (SPC-2 §7.16 to §7.21). */
final class ReservationCommands {
    private static final int LIST_BYTES = 24;
    private static final int TRANSPORT_IDS_AT = 28;

    private static final int SPEC_I_PT = 0x08;
    private static final int ALL_TG_PT = 0x04;
    private static final int UNREG = 0x02;
    private static final int APTPL = 0x01;

    private static final int R_HOLDER = 0x01;

    // REPORT CAPABILITIES, byte 2
    private static final int CRH = 0x10;
    private static final int SIP_C = 0x08;
    private static final int ATP_C = 0x04;
    private static final int PTPL_C = 0x01;
    // and byte 3: TMV, ALLOW COMMANDS 011b (as UnderReservation.SHARED has it)
    private static final int TMV = 0x80;
    private static final int ALLOW_COMMANDS = 0x30;
    private static final int PTPL_A = 0x01;

    private ReservationCommands() {}

    // ---- PERSISTENT RESERVE IN

    static void readKeys(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        PersistentReservations present = unit.reservations().persistent();
        ByteBuffer keys =
                ByteBuffer.allocate(Long.BYTES * present.registrations().size());
        present.registrations().values().forEach(keys::putLong);
        reply(unit, task, behindHeader(present, keys.array()));
    }

    static void readReservation(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        PersistentReservations present = unit.reservations().persistent();
        Reservation held = present.reservation();
        ByteBuffer descriptor = ByteBuffer.allocate(held == null ? 0 : 16);
        if (held != null) {
            NexusName holder = held.holder();
            descriptor.putLong(holder == null ? 0 : present.key(holder));
            descriptor.put(13, (byte) held.type().code());
        }
        reply(unit, task, behindHeader(present, descriptor.array()));
    }

    static void reportCapabilities(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        ByteBuffer answer = ByteBuffer.allocate(8);
        answer.putShort((short) 8);
        answer.put((byte) (CRH | SIP_C | ATP_C | (unit.reservations().durable() ? PTPL_C : 0)));
        boolean active = unit.reservations().persistent().aptpl();
        answer.put((byte) (TMV | ALLOW_COMMANDS | (active ? PTPL_A : 0)));
        int mask = 0;
        for (ReservationType type : ReservationType.values()) {
            // SPC-4 table 205: type n is bit n of byte 4, or of byte 5 from 8 on.
            mask |= type.code() < Byte.SIZE ? 1 << (type.code() + Byte.SIZE) : 1 << (type.code() - Byte.SIZE);
        }
        answer.putShort((short) mask);
        reply(unit, task, answer.array());
    }

    static void readFullStatus(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        PersistentReservations present = unit.reservations().persistent();
        Reservation held = present.reservation();
        ByteArrayOutputStream descriptors = new ByteArrayOutputStream();
        present.registrations().forEach((nexus, key) -> {
            byte[] transportId = TransportId.encode(nexus.initiatorPort());
            ByteBuffer descriptor = ByteBuffer.allocate(24 + transportId.length);
            descriptor.putLong(key);
            if (held != null && present.heldBy(nexus)) {
                descriptor.put(12, (byte) R_HOLDER).put(13, (byte) held.type().code());
            }
            descriptor.putShort(18, (short) nexus.relativeTargetPort());
            descriptor.putInt(20, transportId.length).position(24).put(transportId);
            descriptors.writeBytes(descriptor.array());
        });
        reply(unit, task, behindHeader(present, descriptors.toByteArray()));
    }

    /** PRGENERATION, ADDITIONAL LENGTH, and what they are about. */
    private static byte[] behindHeader(PersistentReservations present, byte[] parameters) {
        ByteBuffer answer = ByteBuffer.allocate(8 + parameters.length);
        answer.putInt(present.generation()).putInt(parameters.length).put(parameters);
        return answer.array();
    }

    private static void reply(LogicalUnit unit, ScsiTask task, byte[] answer) {
        // SPC-2 §5.5.1: where RESERVE rules, these conflict, whoever asks.
        if (unit.reservations().reserved()) {
            task.execution().answer(ScsiStatus.RESERVATION_CONFLICT);
        } else {
            task.execution().reply(answer, Cdb.u16(task.cdb(), 7));
        }
    }

    // ---- PERSISTENT RESERVE OUT

    static void change(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        long length = Cdb.u32(task.cdb(), 5);
        Action action = Action.withCode(command.usage().serviceAction());
        task.dataOutWanted(length);
        if (length < LIST_BYTES || length > Limits.MAX_PARAMETER_LIST_BYTES) {
            task.execution().fail(SenseCode.PARAMETER_LIST_LENGTH_ERROR);
            return;
        }
        byte[] list = ParameterList.copy(task.dataOut(), (int) length);
        if (list == null) {
            task.execution().fail(SenseCode.PARAMETER_LIST_LENGTH_ERROR);
            return;
        }
        Parsed parsed = action == Action.REGISTER_AND_MOVE ? moving(unit, task, list) : parse(unit, task, action, list);
        ReservationRequest request = parsed.request();
        if (request == null) {
            task.execution().fail(parsed.complaint());
        } else {
            unit.reservations().apply(request, task);
        }
    }

    /** A request, or why there is none. */
    private record Parsed(@Nullable ReservationRequest request, Sense complaint) {
        static Parsed refused(Sense complaint) {
            return new Parsed(null, complaint);
        }
    }

    private static final Sense NOTHING = Sense.of(SenseCode.NO_SENSE);
    private static final Sense BAD_LENGTH = Sense.of(SenseCode.PARAMETER_LIST_LENGTH_ERROR);

    /** SPC-4 §6.16.3: all service actions but REGISTER AND MOVE. */
    private static Parsed parse(LogicalUnit unit, ScsiTask task, Action action, byte[] list) {
        byte[] cdb = task.cdb();
        NexusName from = task.nexus().name();
        boolean registering = action == Action.REGISTER || action == Action.REGISTER_AND_IGNORE_EXISTING_KEY;
        boolean specified = (list[20] & SPEC_I_PT) != 0;
        boolean aptpl = registering && (list[20] & APTPL) != 0;
        if (specified && action != Action.REGISTER) {
            return Parsed.refused(Sense.inParameters(20));
        }
        if (!specified && list.length != LIST_BYTES) {
            return Parsed.refused(BAD_LENGTH);
        }
        // Without a place to keep them registrations end with this process: that must not be promised.
        if (aptpl && !unit.reservations().durable()) {
            return Parsed.refused(Sense.inParameters(20));
        }
        boolean everywhere = registering && (list[20] & ALL_TG_PT) != 0;
        Set<Integer> ports = new LinkedHashSet<>(List.of(from.relativeTargetPort()));
        if (everywhere) {
            ports.addAll(unit.portGroups().ports());
        }
        List<NexusName> also = new ArrayList<>();
        if (specified) {
            Sense complaint = takeTransportIds(unit, list, ports, also);
            if (complaint != null) {
                return Parsed.refused(complaint);
            }
        }
        List<NexusName> own = ports.stream()
                .map(port -> new NexusName(from.initiatorPort(), port))
                .toList();
        return new Parsed(
                new ReservationRequest(
                        action,
                        from,
                        Cdb.u64(list, 0),
                        Cdb.u64(list, 8),
                        Cdb.u8(cdb, 2) >>> 4,
                        ReservationType.withCode(cdb[2] & 0x0f),
                        aptpl,
                        own,
                        specified,
                        also,
                        null,
                        false),
                NOTHING);
    }

    private static @Nullable Sense takeTransportIds(
            LogicalUnit unit, byte[] list, Set<Integer> ports, List<NexusName> also) {
        if (list.length < TRANSPORT_IDS_AT || Cdb.u32(list, 24) != list.length - TRANSPORT_IDS_AT) {
            return BAD_LENGTH;
        }
        for (int at = TRANSPORT_IDS_AT; at < list.length; ) {
            TransportId id = TransportId.parse(list, at, list.length);
            if (id == null) {
                return Sense.inParameters(at);
            }
            Set<String> named = id.isPort() ? Set.of(id.name()) : unit.knownInitiatorPorts(id);
            if (named.isEmpty()) {
                return Sense.inParameters(at);
            }
            named.forEach(name -> ports.forEach(port -> also.add(new NexusName(name, port))));
            at += id.lengthBytes();
        }
        return null;
    }

    /** SPC-4 §6.16.4. */
    private static Parsed moving(LogicalUnit unit, ScsiTask task, byte[] list) {
        boolean aptpl = (list[17] & APTPL) != 0;
        if (Cdb.u32(list, 20) != list.length - LIST_BYTES) {
            return Parsed.refused(BAD_LENGTH);
        }
        if (aptpl && !unit.reservations().durable()) {
            return Parsed.refused(Sense.inParameters(17));
        }
        int port = Cdb.u16(list, 18);
        if (!unit.portGroups().ports().contains(port)) {
            return Parsed.refused(Sense.inParameters(18));
        }
        // One port, named whole: the reservation can have one holder only (SPC-4 §7.6.4.6).
        TransportId to = TransportId.parse(list, LIST_BYTES, list.length);
        if (to == null || !to.isPort() || to.lengthBytes() != list.length - LIST_BYTES) {
            return Parsed.refused(Sense.inParameters(LIST_BYTES));
        }
        return new Parsed(
                new ReservationRequest(
                        Action.REGISTER_AND_MOVE,
                        task.nexus().name(),
                        Cdb.u64(list, 0),
                        Cdb.u64(list, 8),
                        0,
                        null,
                        aptpl,
                        List.of(),
                        false,
                        List.of(),
                        new NexusName(to.name(), port),
                        (list[17] & UNREG) != 0),
                NOTHING);
    }

    // ---- RESERVE and RELEASE

    static void reserve(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        unit.reservations().reserve(task);
    }

    static void release(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        unit.reservations().release(task);
    }
}
