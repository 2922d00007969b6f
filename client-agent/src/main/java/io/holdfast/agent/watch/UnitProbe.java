package io.holdfast.agent.watch;

import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Opcode;
import io.holdfast.iscsi.wire.PduDecoder;
import io.holdfast.iscsi.wire.PduEncoder;
import io.holdfast.iscsi.wire.WireException;
import io.holdfast.net.NetworkFailure;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.ConnectTimeoutException;
import io.netty.channel.EventLoop;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.util.concurrent.Future;
import java.io.ByteArrayOutputStream;
import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A session of the agent's own with a target, to find out whether its logical unit reads and writes. Owned by the loop.
 *
 * <pre>
 *   LOGIN ──► IDLE ──read──► (IDENTIFYING) ──► READING ──► IDLE
 *                └──prove──► (IDENTIFYING) ──► READING ──► WRITING ──► IDLE       (FUA; what was read is written back only if it is still there)
 *                                                              └──(reservation conflict)──► asks who holds it
 * </pre>
 *
 * <p>The write is a COMPARE AND WRITE of the first block with what was just read (SBC-4 §5.3): it proves that the storage
 * takes writes durably, and changes nothing, whoever else writes meanwhile. A miscompare proves it as well as need be.
 */
@SuppressWarnings("FutureReturnValueIgnored") // Netty reports what fails on a channel by closing it.
final class UnitProbe extends ChannelInboundHandlerAdapter implements PduDecoder.Receiver {
    private static final Logger LOG = LoggerFactory.getLogger(UnitProbe.class);
    private static final int MAX_ANSWER_BYTES = 256 * 1024;
    /** The largest logical block. */
    private static final int MAX_BLOCK_BYTES = 4096;

    private static final int MAX_STATUS_BYTES = 32 * 1024;
    private static final int GOOD = 0;
    private static final int CHECK_CONDITION = 0x02;
    private static final int RESERVATION_CONFLICT = 0x18;
    private static final int UNIT_ATTENTION = 6;
    private static final int ILLEGAL_REQUEST = 5;
    private static final int MISCOMPARE = 0xe;
    private static final int NOT_READY = 2;
    private static final int MEDIUM_ERROR = 3;
    /** SPC-4 annex D.2: SANITIZE IN PROGRESS. */
    private static final int SANITIZES = 0x041b;
    /** SPC-4 annex D.2: SANITIZE COMMAND FAILED. */
    private static final int SANITIZE_FAILED = 0x3103;

    /** A unit that was reset and resized has more than one to tell. */
    private static final int MAX_ATTENTIONS = 8;

    private enum Step {
        LOGIN,
        IDLE,
        IDENTIFYING,
        READING,
        WRITING,
        ASKING_WHO,
        OVER
    }

    /**
     * What came of a question.
     *
     * @param trouble why the unit is not fit, empty if it is
     * @param silence true if nothing came within the limit
     * @param barred true if the server does not let the agent near the unit, which says nothing of the unit
     * @param identified true if it was asked who it is, and answered: with the expected name, or without one
     */
    record Outcome(String trouble, boolean silence, boolean barred, boolean identified) {
        Outcome(String trouble, boolean silence, boolean barred) {
            this(trouble, silence, barred, false);
        }

        Outcome of(boolean said) {
            return new Outcome(trouble, silence, barred, said);
        }

        boolean fit() {
            return trouble.isEmpty();
        }
    }

    private final EventLoop loop;
    private final PduDecoder decoder = new PduDecoder(MAX_ANSWER_BYTES);
    private final ProbeLogin login;
    private final String target;
    private final int number;
    private final long lun;
    private final ByteArrayOutputStream received = new ByteArrayOutputStream();
    private @Nullable Channel channel;
    private Step step = Step.LOGIN;
    private int cmdSn = 1;
    private int statSn;
    private int attentions;
    private boolean writes;
    private Set<String> owners = Set.of();
    private @Nullable Consumer<Outcome> asker;
    private @Nullable Future<?> timer;
    private Optional<UUID> expected = Optional.empty();
    private boolean insists;
    /** It has answered who it is, or there was nothing to compare that with. */
    private boolean identified;

    private byte[] lastCdb = {};
    private byte[] lastData = {};

    private UnitProbe(EventLoop loop, ProbeIdentity identity, String target, int lun) {
        this.loop = loop;
        this.target = target;
        this.number = lun;
        // SAM-5 §4.7: one level, by peripheral device addressing or, for large numbers, by flat space addressing.
        this.lun = (long) (lun < 256 ? lun : 0x4000 | lun) << 48;
        long isid = 0x80_0000_0000_00L | ThreadLocalRandom.current().nextLong(1L << 32) << 8;
        login = new ProbeLogin(identity, target, isid);
    }

    /** Begins to log in; questions may be asked at once, one at a time. */
    static UnitProbe open(
            EventLoop loop, InetSocketAddress portal, ProbeIdentity identity, String target, int lun, int limitMs) {
        UnitProbe probe = new UnitProbe(loop, identity, target, lun);
        new Bootstrap()
                .group(loop)
                .channel(EpollSocketChannel.class)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, limitMs)
                .handler(probe)
                .connect(portal)
                .addListener(done -> {
                    if (!done.isSuccess()) {
                        probe.over(new Outcome(
                                NetworkFailure.inWords(done.cause()),
                                done.cause() instanceof ConnectTimeoutException,
                                false));
                    }
                });
        return probe;
    }

    boolean over() {
        return step == Step.OVER;
    }

    /**
     * It is asked who it is before anything else: nothing is written to another unit.
     *
     * @param uuid as its server has named it; one that is no UUID cannot be compared, and is not
     */
    void expect(String uuid) {
        expected = UnitNames.parse(uuid);
    }

    /** The same, and one that does not say who it is is asked nothing either. */
    void insistOn(UUID uuid) {
        expected = Optional.of(uuid);
        insists = true;
    }

    /** Whether a question is still open. */
    boolean busy() {
        return asker != null;
    }

    /** Asks for its first block. */
    void read(int limitMs, Consumer<Outcome> answer) {
        ask(false, Set.of(), limitMs, answer);
    }

    /**
     * Asks for its first block, and whether it takes a durable write.
     *
     * @param initiators names of the VM's initiators: a reservation of theirs is no obstacle
     */
    void prove(Set<String> initiators, int limitMs, Consumer<Outcome> answer) {
        ask(true, initiators, limitMs, answer);
    }

    private void ask(boolean write, Set<String> initiators, int limitMs, Consumer<Outcome> answer) {
        writes = write;
        owners = initiators;
        attentions = 0;
        asker = answer;
        timer = loop.schedule(
                () -> over(new Outcome("no answer within " + limitMs + " ms", true, false)),
                limitMs,
                TimeUnit.MILLISECONDS);
        if (step == Step.OVER) {
            answered(new Outcome("the session is over", false, false));
        } else if (step == Step.IDLE) {
            begin();
        }
    }

    void close() {
        step = Step.OVER;
        asker = null;
        Channel open = channel;
        if (open != null) {
            open.close();
        }
    }

    private void answered(Outcome outcome) {
        Consumer<Outcome> to = asker;
        asker = null;
        Future<?> running = timer;
        if (running != null) {
            running.cancel(false);
        }
        if (to != null) {
            to.accept(outcome.of(identified));
        }
    }

    private void over(Outcome outcome) {
        step = Step.OVER;
        Channel open = channel;
        if (open != null) {
            open.close();
        }
        answered(outcome);
    }

    private void unfit(String why) {
        step = Step.IDLE;
        answered(new Outcome(why, false, false));
    }

    // ------------------------------------------------------------------ commands

    private void begin() {
        if (expected.isEmpty()) {
            identified = true;
            sendRead();
            return;
        }
        step = Step.IDENTIFYING;
        byte[] cdb = new byte[16];
        cdb[0] = 0x12; // INQUIRY, SPC-4 §6.6
        cdb[1] = 1; // EVPD
        cdb[2] = (byte) UnitNames.PAGE;
        cdb[3] = (byte) (MAX_BLOCK_BYTES >> 8);
        command(cdb, BasicHeader.READ, MAX_BLOCK_BYTES, new byte[0]);
    }

    private void sendRead() {
        step = Step.READING;
        byte[] cdb = new byte[16];
        cdb[0] = (byte) 0x88; // READ(16), SBC-4 §5.18
        cdb[13] = 1;
        command(cdb, BasicHeader.READ, MAX_BLOCK_BYTES, new byte[0]);
    }

    private void sendWrite(byte[] block) {
        step = Step.WRITING;
        byte[] cdb = new byte[16];
        cdb[0] = (byte) 0x89; // COMPARE AND WRITE, SBC-4 §5.3
        cdb[1] = 0x08; // FUA
        cdb[13] = 1;
        byte[] twice = new byte[2 * block.length];
        System.arraycopy(block, 0, twice, 0, block.length);
        System.arraycopy(block, 0, twice, block.length, block.length);
        command(cdb, BasicHeader.WRITE, twice.length, twice);
    }

    private void askWho() {
        step = Step.ASKING_WHO;
        byte[] cdb = new byte[16];
        cdb[0] = 0x5e; // PERSISTENT RESERVE IN, SPC-4 §6.15
        cdb[1] = 3; // READ FULL STATUS
        cdb[7] = (byte) (MAX_STATUS_BYTES >> 8);
        cdb[8] = (byte) MAX_STATUS_BYTES;
        command(cdb, BasicHeader.READ, MAX_STATUS_BYTES, new byte[0]);
    }

    private void command(byte[] cdb, int direction, int expectedBytes, byte[] data) {
        lastCdb = cdb;
        lastData = data;
        received.reset();
        BasicHeader header = new BasicHeader().begin(Opcode.SCSI_COMMAND, BasicHeader.FINAL | direction);
        header.lun(lun)
                .initiatorTaskTag(cmdSn)
                .cmdSn(cmdSn)
                .expStatSn(statSn + 1)
                .putInt(20, expectedBytes);
        System.arraycopy(cdb, 0, header.bytes(), 32, cdb.length);
        cmdSn++;
        send(header, data);
    }

    private void again() {
        boolean writing = lastData.length > 0;
        command(
                lastCdb,
                writing ? BasicHeader.WRITE : BasicHeader.READ,
                writing ? lastData.length : MAX_STATUS_BYTES,
                lastData);
    }

    private void send(BasicHeader header, byte[] data) {
        Channel to = channel;
        if (to != null) {
            ByteBuf out = to.alloc().buffer();
            new PduEncoder().writePdu(header, data, data.length, out);
            to.writeAndFlush(out);
        }
    }

    // ------------------------------------------------------------------ answers

    private void ended(int status, byte[] sense) {
        int key = senseKey(sense);
        if (status == CHECK_CONDITION && key == UNIT_ATTENTION && ++attentions <= MAX_ATTENTIONS) {
            again();
            return;
        }
        byte[] data = received.toByteArray();
        switch (step) {
            case IDENTIFYING -> identified(status == GOOD ? UnitNames.uuid(data) : Optional.empty());
            case READING -> {
                if (status == RESERVATION_CONFLICT) {
                    askWho();
                } else if (status == CHECK_CONDITION && key == ILLEGAL_REQUEST) {
                    // The agent is shown no such unit, or one without blocks: that says nothing of the VM's.
                    barred();
                } else if (status == CHECK_CONDITION && sanitizes(sense)) {
                    sanitized(sense);
                } else if (status != GOOD) {
                    unfit("a read is answered with " + inWords(status, sense));
                } else if (writes && data.length > 0 && data.length <= MAX_BLOCK_BYTES) {
                    sendWrite(data);
                } else {
                    fit();
                }
            }
            case WRITING -> {
                if (status == GOOD || status == CHECK_CONDITION && key == MISCOMPARE) {
                    fit();
                } else if (status == RESERVATION_CONFLICT) {
                    askWho();
                } else if (status == CHECK_CONDITION && key == ILLEGAL_REQUEST) {
                    barred();
                } else if (status == CHECK_CONDITION && sanitizes(sense)) {
                    sanitized(sense);
                } else {
                    unfit("a durable write is answered with " + inWords(status, sense));
                }
            }
            case ASKING_WHO -> {
                String holder = status == GOOD ? ReservationStatus.foreignHolder(data, owners) : "";
                if (holder.isEmpty()) {
                    fit();
                } else {
                    unfit("it is reserved by " + holder);
                }
            }
            case LOGIN, IDLE, OVER -> {
                // An answer nobody waits for any more.
            }
        }
    }

    /** A target that does not tell is no worse for it. */
    private void identified(Optional<UUID> uuid) {
        if (uuid.isPresent() && !uuid.equals(expected)) {
            over(new Outcome(
                    "that is another unit, " + uuid.get() + " instead of " + expected.orElseThrow(), false, false));
        } else if (uuid.isEmpty() && insists) {
            over(new Outcome("it does not say which unit it is", false, false));
        } else {
            expected = Optional.empty();
            identified = true;
            sendRead();
        }
    }

    private void barred() {
        step = Step.IDLE;
        answered(new Outcome("the unit does not take the agent's commands", false, true));
    }

    /**
     * Somebody has it erased, or had it erased in vain: no failure of the storage. Its initiators are told by itself, and
     * a VM must not stand still for the hours that takes, nor until somebody begins it again.
     */
    private void sanitized(byte[] sense) {
        LOG.info(
                "unit {} of {}: it is sanitized ({}), and taken as fit",
                number,
                target,
                inWords(CHECK_CONDITION, sense));
        fit();
    }

    private static boolean sanitizes(byte[] sense) {
        int key = senseKey(sense);
        int code = senseCode(sense);
        return key == NOT_READY && code == SANITIZES || key == MEDIUM_ERROR && code == SANITIZE_FAILED;
    }

    private void fit() {
        step = Step.IDLE;
        answered(new Outcome("", false, false));
    }

    /** SPC-4 §4.5: fixed or descriptor format, behind its length. */
    private static int senseKey(byte[] segment) {
        if (segment.length < 5) {
            return 0;
        }
        boolean descriptors = (segment[2] & 0x7f) >= 0x72;
        return segment[descriptors ? 3 : 4] & 0xf;
    }

    /** Additional sense code and its qualifier; -1 if there is none. */
    private static int senseCode(byte[] segment) {
        if (segment.length < 5) {
            return -1;
        }
        boolean descriptors = (segment[2] & 0x7f) >= 0x72;
        int at = descriptors ? 4 : 14;
        return segment.length > at + 1 ? (segment[at] & 0xff) << 8 | segment[at + 1] & 0xff : -1;
    }

    private static String inWords(int status, byte[] sense) {
        if (status != CHECK_CONDITION || sense.length < 5) {
            return String.format("status %02xh", status);
        }
        int code = senseCode(sense);
        return code >= 0
                ? String.format("sense %xh/%02xh/%02xh", senseKey(sense), code >> 8, code & 0xff)
                : String.format("sense key %xh", senseKey(sense));
    }

    private void loginAnswered(BasicHeader header, byte[] text) {
        login.answered(header, text)
                .ifPresent(next -> send(next.header(), next.keys().encode()));
        if (!login.refusal().isEmpty()) {
            // A server that shows the agent no units, or not this one, is no worse for it.
            over(new Outcome(login.refusal(), false, header.loginStatusClass() == 2));
        } else if (login.done()) {
            statSn = header.statSn();
            step = Step.IDLE;
            if (asker != null) {
                begin();
            }
        }
    }

    @Override
    public void pduReceived(BasicHeader header, ByteBuf data) {
        byte[] bytes = new byte[data.readableBytes()];
        data.getBytes(data.readerIndex(), bytes);
        switch (header.opcode()) {
            case Opcode.LOGIN_RESPONSE -> loginAnswered(header, bytes);
            case Opcode.DATA_IN -> {
                received.writeBytes(bytes);
                if (received.size() > MAX_ANSWER_BYTES) {
                    over(new Outcome("more data than was asked for", false, false));
                } else if (header.flag(BasicHeader.STATUS)) {
                    statSn = header.statSn();
                    ended(header.scsiStatus(), new byte[0]);
                }
            }
            case Opcode.SCSI_RESPONSE -> {
                statSn = header.statSn();
                ended(header.scsiStatus(), bytes);
            }
            case Opcode.NOP_IN -> {
                if (header.targetTransferTag() != BasicHeader.NO_TAG) {
                    BasicHeader pong = new BasicHeader().begin(Opcode.NOP_OUT, BasicHeader.FINAL);
                    pong.immediate(true);
                    pong.initiatorTaskTag(BasicHeader.NO_TAG)
                            .cmdSn(cmdSn)
                            .expStatSn(statSn + 1)
                            .targetTransferTag(header.targetTransferTag());
                    send(pong, new byte[0]);
                }
            }
            case Opcode.REJECT -> over(new Outcome("the server ends the session", false, false));
            default -> {
                // An Asynchronous Message among them: servers leave initiators with such an ISID free to come back at
                // once.
            }
        }
    }

    // ------------------------------------------------------------------ the channel

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        channel = ctx.channel();
        if (step == Step.OVER) {
            ctx.close();
            return;
        }
        ProbeLogin.Request first = login.first();
        send(first.header(), first.keys().encode());
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ByteBuf in = (ByteBuf) message;
        try {
            decoder.decode(in, this);
        } catch (WireException e) {
            over(new Outcome("it does not speak iSCSI: " + e.getMessage(), false, false));
        } finally {
            in.release();
        }
    }

    @Override
    public ByteBuf dataSegmentTarget(BasicHeader header, int lengthBytes) {
        return Unpooled.buffer(lengthBytes);
    }

    @Override
    public void dataDigestFailed(BasicHeader header, ByteBuf data) {
        pduReceived(header, data);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        over(new Outcome("it hung up", false, false));
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        over(new Outcome(NetworkFailure.inWords(cause), false, false));
    }
}
