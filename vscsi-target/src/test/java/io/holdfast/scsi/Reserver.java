package io.holdfast.scsi;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An initiator that speaks PERSISTENT RESERVE. */
final class Reserver {
    static final int SPEC_I_PT = 0x08;
    static final int ALL_TG_PT = 0x04;
    static final int APTPL = 0x01;

    private final Initiator initiator;
    private final NexusName name;

    Reserver(Initiator initiator) {
        this.initiator = initiator;
        name = initiator.nexus().name();
    }

    static Reserver at(DeviceServer server, String name, int relativeTargetPort) {
        return new Reserver(Initiator.at(server, name, relativeTargetPort));
    }

    NexusName name() {
        return name;
    }

    Initiator initiator() {
        return initiator;
    }

    /** A parameter list (SPC-4 §6.16.3). */
    static byte[] list(long key, long actionKey, int flags) {
        byte[] list = new byte[24];
        ByteBuffer.wrap(list).putLong(key).putLong(actionKey).put(20, (byte) flags);
        return list;
    }

    Answer out(ScsiCommand command, int typeCode, byte[] list) {
        return initiator.send(CdbBuilder.cdb(command).set(2, typeCode).length(list.length), list);
    }

    Answer register(long key, long actionKey) {
        return register(key, actionKey, 0);
    }

    Answer register(long key, long actionKey, int flags) {
        return out(ScsiCommand.PERSISTENT_RESERVE_OUT_REGISTER, 0, list(key, actionKey, flags));
    }

    Answer registerAndIgnore(long actionKey, int flags) {
        return out(
                ScsiCommand.PERSISTENT_RESERVE_OUT_REGISTER_AND_IGNORE_EXISTING_KEY, 0, list(0xbad, actionKey, flags));
    }

    /** REGISTER with SPEC_I_PT and these TransportIDs. */
    Answer registerOthers(long actionKey, int flags, byte[]... transportIds) {
        int length = 0;
        for (byte[] id : transportIds) {
            length += id.length;
        }
        byte[] list = new byte[28 + length];
        ByteBuffer into = ByteBuffer.wrap(list);
        into.put(list(0, actionKey, SPEC_I_PT | flags)).putInt(length);
        for (byte[] id : transportIds) {
            into.put(id);
        }
        return out(ScsiCommand.PERSISTENT_RESERVE_OUT_REGISTER, 0, list);
    }

    Answer reserve(long key, ReservationType type) {
        return out(ScsiCommand.PERSISTENT_RESERVE_OUT_RESERVE, type.code(), list(key, 0, 0));
    }

    Answer release(long key, ReservationType type) {
        return out(ScsiCommand.PERSISTENT_RESERVE_OUT_RELEASE, type.code(), list(key, 0, 0));
    }

    Answer clear(long key) {
        return out(ScsiCommand.PERSISTENT_RESERVE_OUT_CLEAR, 0, list(key, 0, 0));
    }

    Answer preempt(long key, long victims, ReservationType type) {
        return out(ScsiCommand.PERSISTENT_RESERVE_OUT_PREEMPT, type.code(), list(key, victims, 0));
    }

    Answer preemptAndAbort(long key, long victims, ReservationType type) {
        return out(ScsiCommand.PERSISTENT_RESERVE_OUT_PREEMPT_AND_ABORT, type.code(), list(key, victims, 0));
    }

    Answer move(long key, long actionKey, int flags, int port, byte[] transportId) {
        byte[] list = new byte[24 + transportId.length];
        ByteBuffer.wrap(list)
                .putLong(key)
                .putLong(actionKey)
                .put(17, (byte) flags)
                .putShort(18, (short) port)
                .putInt(20, transportId.length)
                .position(24)
                .put(transportId);
        return out(ScsiCommand.PERSISTENT_RESERVE_OUT_REGISTER_AND_MOVE, 0, list);
    }

    Answer in(ScsiCommand command) {
        return initiator.send(CdbBuilder.cdb(command).length(0xffff));
    }

    int generation() {
        return (int) in(ScsiCommand.PERSISTENT_RESERVE_IN_READ_KEYS).isGood().u32(0);
    }

    List<Long> keys() {
        Answer answer = in(ScsiCommand.PERSISTENT_RESERVE_IN_READ_KEYS).isGood();
        assertThat(answer.u32(4)).isEqualTo(answer.data().length - 8);
        List<Long> keys = new ArrayList<>();
        for (int at = 8; at < answer.data().length; at += 8) {
            keys.add(answer.u64(at));
        }
        return keys;
    }

    /** Such as {@code "7 key 5"}: type and key of the reservation, or nothing. */
    String reservation() {
        Answer answer = in(ScsiCommand.PERSISTENT_RESERVE_IN_READ_RESERVATION).isGood();
        assertThat(answer.u32(4)).isEqualTo(answer.data().length - 8);
        return answer.data().length == 8 ? "" : answer.u8(21) + " key " + answer.u64(8);
    }

    /** READ FULL STATUS, a line for each registration such as {@code "a,i,0x… 1 key 5 holds 3"}. */
    List<String> fullStatus() {
        Answer answer = in(ScsiCommand.PERSISTENT_RESERVE_IN_READ_FULL_STATUS).isGood();
        assertThat(answer.u32(4)).isEqualTo(answer.data().length - 8);
        List<String> lines = new ArrayList<>();
        for (int at = 8; at < answer.data().length; at += 24 + (int) answer.u32(at + 20)) {
            TransportId id = TransportId.parse(answer.data(), at + 24, answer.data().length);
            assertThat(id).isNotNull();
            assertThat((long) id.lengthBytes()).isEqualTo(answer.u32(at + 20));
            lines.add(id.name() + " " + answer.u16(at + 18) + " key " + answer.u64(at)
                    + (answer.u8(at + 12) == 1 ? " holds " + answer.u8(at + 13) : ""));
        }
        return lines;
    }

    ScsiStatus write() {
        return status(CdbBuilder.blocks(ScsiCommand.WRITE_10, 0, 1), new byte[512]);
    }

    ScsiStatus read() {
        return status(CdbBuilder.blocks(ScsiCommand.READ_10, 0, 1), null);
    }

    private ScsiStatus status(byte[] cdb, byte @Nullable [] data) {
        return initiator.send(cdb, data).status();
    }

    /** The unit attention this nexus hears next. */
    void hears(SenseCode news) {
        initiator.send(ScsiCommand.TEST_UNIT_READY).failsWith(news);
    }

    void hearsNothing() {
        initiator.send(ScsiCommand.TEST_UNIT_READY).isGood();
    }
}
