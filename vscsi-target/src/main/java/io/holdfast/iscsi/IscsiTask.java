package io.holdfast.iscsi;

import io.holdfast.block.IoLane;
import io.holdfast.block.IoMemory;
import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.scsi.DeviceServer;
import io.holdfast.scsi.Lun;
import io.holdfast.scsi.LunView;
import io.holdfast.scsi.Nexus;
import io.holdfast.scsi.ScsiCommand;
import io.holdfast.scsi.ScsiTask;
import io.holdfast.scsi.SenseCode;
import io.netty.buffer.ByteBuf;
import io.netty.util.ReferenceCountUtil;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One SCSI Command PDU and what belongs to it. Lives in a slot of its connection and is re-used.
 *
 * <pre>
 *   FREE ──► GATHERING (immediate data, R2T, Data-Out) ──► HELD (writes wait for older sessions) ──► EXECUTING ──► FREE
 *     │ │      ▲      ▲
 *     │ └─► WAITING (for memory)
 *     └──► EARLY (commands before it are missing) ──► GATHERING or WAITING
 * </pre>
 */
final class IscsiTask extends ScsiTask {
    /** Where a task is. */
    enum Stage {
        FREE,
        /** Its command is complete and came before its turn. */
        EARLY,
        /** Waiting for memory for its data; the immediate ones have been thrown away. */
        WAITING,
        /** Waiting for data from the initiator. */
        GATHERING,
        /** Complete, but not yet admitted: see {@link WriteAdmission}. */
        HELD,
        /** In the hands of a device server. */
        EXECUTING
    }

    private static final int SLOT_BITS = 8;
    /** Room behind Data-In for padding and digest. */
    private static final int TRAILER_ROOM = 8;

    private final TaskSet tasks;
    private final int slot;
    private final NettyMemory dataOutMemory = new NettyMemory();
    private final NettyMemory dataInMemory = new NettyMemory();

    Stage stage = Stage.FREE;
    int initiatorTaskTag;
    /** Of the slot's last task, too, while that is the same: most are, and a command needs no new one. */
    Lun lun = Lun.ofNumber(0);

    int flags;
    /** RFC 7143 §11.3.1: see {@link TaskOrder}. */
    int attribute;
    /** Ascending in the order of the session's commands; 0 until its turn has come. */
    long order;

    int cmdSn;
    /** It takes a place in the command window. */
    boolean numbered;
    /** Expected data transfer length in bytes, as the initiator told it. */
    long expectedBytes;
    /** How many bytes of Data-Out this task takes before it is executed. */
    int gatherBytes;
    /** How many of them have come. */
    int gatheredBytes;
    /** How many of them have come unasked or been asked for. */
    int askedBytes;
    /** Where the data of the R2T end that is being answered now. */
    int burstEndBytes;
    /** DataSN of the next Data-Out. */
    int nextDataSn;

    int nextR2tSn;
    /** Its device server may take data before all have come: see {@link EarlyData}. */
    boolean offersData;
    /** How much of the memory budget its data take. */
    long chargedBytes;
    /** Told to end without an answer (task management, connection gone). */
    boolean aborted;
    /** Aborted for another nexus, and its initiator hears of it. */
    boolean tellsAborted;
    /** Data-Out that nobody asked for have begun to come, and go on. */
    boolean unsolicitedOpen;

    /** When its command came, {@link System#nanoTime}: all that were read at once came at once. */
    long arrivedNanos;
    /** Where it is counted; null where there is nothing to do. */
    @Nullable
    IoCounters counters;

    /** How many looks for overdue tasks have found it executing. */
    int looks;

    private @Nullable SenseCode spoiled;

    /** R2Ts of this slot, all its tasks counted: of the one being answered, and of the next to be sent. */
    private int answering;

    private int asking;
    /** The R2Ts from here to {@link #answering} belonged to a task that was aborted. */
    private int firstAbandoned;

    private @Nullable DeviceServer device;
    private @Nullable ByteBuf dataOut;
    private @Nullable ByteBuf dataIn;
    private int dataInOffset;

    IscsiTask(TaskSet tasks, int slot) {
        this.tasks = tasks;
        this.slot = slot;
    }

    /** What stands at the task's LUN. */
    DeviceServer device() {
        return Objects.requireNonNull(device, "not begun");
    }

    /** Takes over what a SCSI Command PDU says (RFC 7143 §11.3). */
    void begin(BasicHeader header, LunView luns) {
        reset();
        if (lun.value() != header.lun()) {
            lun = new Lun(header.lun());
        }
        device = luns.at(lun);
        header.copyCdb(cdb());
        initiatorTaskTag = header.initiatorTaskTag();
        flags = header.flags();
        cmdSn = header.cmdSn();
        numbered = false;
        order = 0;
        attribute = header.taskAttribute();
        expectedBytes = header.expectedDataTransferLength();
        looks = 0;
        arrivedNanos = tasks.readNanos();
        counters = null;
        gatherBytes = 0;
        gatheredBytes = 0;
        askedBytes = 0;
        burstEndBytes = 0;
        nextDataSn = 0;
        nextR2tSn = 0;
        aborted = false;
        tellsAborted = false;
        unsolicitedOpen = false;
        spoiled = null;
        offersData = false;
        chargedBytes = 0;
    }

    /** Something is wrong with its data: it will be terminated with this instead of executed. The first fault counts. */
    void spoil(SenseCode why) {
        if (spoiled == null) {
            spoiled = why;
        }
    }

    @Nullable
    SenseCode spoiled() {
        return spoiled;
    }

    boolean isSpoiled() {
        return spoiled != null;
    }

    /** True while it takes Data-Out, or would. */
    boolean isGathering() {
        return stage == Stage.GATHERING || stage == Stage.WAITING;
    }

    // ------------------------------------------------------------------ R2Ts

    /** R2Ts that have not been answered in full. */
    int outstandingR2ts() {
        return asking - answering;
    }

    /** The target transfer tag of a new R2T: unique on this connection for a long time. */
    int askAgain() {
        return transferTag(asking++);
    }

    /** True if this tag stands for the R2T whose turn it is. */
    boolean answers(int transferTag) {
        return stage == Stage.GATHERING && outstandingR2ts() > 0 && transferTag == transferTag(answering);
    }

    /** The R2T whose turn it was has been answered. */
    void answered() {
        answering++;
        firstAbandoned = answering;
        nextDataSn = 0;
    }

    /** The task was aborted; its initiator may have answered before it knew (RFC 7143 §4.2.3.3). */
    void abandonR2ts() {
        firstAbandoned = answering;
        answering = asking;
    }

    boolean abandoned(int transferTag) {
        for (int r2t = firstAbandoned; r2t != answering; r2t++) {
            if (transferTag == transferTag(r2t)) {
                return true;
            }
        }
        return false;
    }

    private int transferTag(int r2t) {
        return (r2t << SLOT_BITS | slot) & Integer.MAX_VALUE;
    }

    /** The slot that a target transfer tag was made for; may be none of those there are. */
    static int slotOf(int transferTag) {
        return transferTag & (1 << SLOT_BITS) - 1;
    }

    boolean reads() {
        return (flags & BasicHeader.READ) != 0;
    }

    boolean writes() {
        return (flags & BasicHeader.WRITE) != 0;
    }

    void dataOutBuffer(ByteBuf buffer) {
        dataOut = buffer;
    }

    @Nullable
    ByteBuf dataOutBuffer() {
        return dataOut;
    }

    /** True if that is its memory for Data-Out: its own, not just one with the same bytes. */
    @SuppressWarnings("ReferenceEquality")
    boolean gathersInto(ByteBuf buffer) {
        return dataOut == buffer;
    }

    @Override
    public Nexus nexus() {
        return tasks.session().nexus();
    }

    @Override
    public LunView lunView() {
        return tasks.session().luns();
    }

    @Override
    public IoLane lane() {
        return tasks.lane();
    }

    @Override
    public @Nullable IoMemory dataOut() {
        ByteBuf buffer = dataOut;
        int rest = gatheredBytes - dataOutTaken();
        return buffer == null || rest == 0 ? null : dataOutMemory.of(buffer, dataOutTaken(), rest);
    }

    @Override
    public long dataOutExpected() {
        return gatherBytes;
    }

    /** The device server has taken so many bytes more. */
    void took(int lengthBytes) {
        tookDataOut(lengthBytes);
    }

    @Override
    public long dataInRoom() {
        return reads() ? expectedBytes : 0;
    }

    @Override
    protected IoMemory newDataIn(int lengthBytes) {
        // Room for the header before the data and for digest and padding behind it: one buffer is the whole PDU.
        // Data-Out stay until the end (VERIFY compares the two), so both count.
        tasks.chargeAtLeast(this, (long) gatherBytes + lengthBytes);
        dataInOffset = tasks.headerRoom();
        ByteBuf buffer = tasks.allocate(dataInOffset + lengthBytes + TRAILER_ROOM);
        dataIn = buffer;
        return dataInMemory.of(buffer, dataInOffset, lengthBytes);
    }

    /** The Data-In buffer, whose data begin at {@link #dataInOffset()}; the caller releases it. */
    @Nullable
    ByteBuf takeDataIn() {
        ByteBuf buffer = dataIn;
        dataIn = null;
        return buffer;
    }

    int dataInOffset() {
        return dataInOffset;
    }

    @Override
    public boolean readOnly() {
        return tasks.session().luns().readOnly(lun);
    }

    /** Whether it must wait while its view holds writes. */
    boolean changesMedium() {
        return ScsiCommand.accessOf(cdb()).modifiesMedium();
    }

    /** What is at the LUN now, when it begins to execute: the map may have changed since the command came. */
    DeviceServer deviceNow() {
        DeviceServer now = tasks.session().luns().at(lun);
        device = now;
        return now;
    }

    @Override
    public boolean aborted() {
        return aborted;
    }

    @Override
    public void progressed() {
        tasks.progressed(this);
    }

    @Override
    public void completed() {
        tasks.completed(this);
    }

    /** Gives all memory back. */
    void release() {
        ReferenceCountUtil.release(dataOut);
        ReferenceCountUtil.release(dataIn);
        dataOut = null;
        dataIn = null;
        stage = Stage.FREE;
    }
}
