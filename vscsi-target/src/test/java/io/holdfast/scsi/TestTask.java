package io.holdfast.scsi;

import io.holdfast.block.IoLane;
import io.holdfast.block.IoMemory;
import io.holdfast.block.PlainMemory;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** A task as a transport makes it, which counts how often it is completed. */
final class TestTask extends ScsiTask {
    private final Nexus nexus;
    private final LunView lunView;
    private final IoLane lane;
    private @Nullable IoMemory dataOut;
    private @Nullable PlainMemory dataIn;
    private int completions;
    private boolean starved;
    private boolean aborted;

    TestTask(Nexus nexus, LunView lunView, IoLane lane) {
        this.nexus = nexus;
        this.lunView = lunView;
        this.lane = lane;
    }

    /** Executes a command and leaves it to the lane when it ends. */
    void start(DeviceServer server, byte[] command, byte @Nullable [] sent) {
        reset();
        completions = 0;
        dataIn = null;
        Arrays.fill(cdb(), (byte) 0);
        System.arraycopy(command, 0, cdb(), 0, command.length);
        dataOut = sent == null ? null : new PlainMemory(sent);
        server.execute(this);
    }

    /** There is no memory for Data-In from now on. */
    void starve() {
        starved = true;
    }

    /** Nobody waits for the answer from now on. */
    void abort() {
        aborted = true;
    }

    @Override
    public boolean aborted() {
        return aborted;
    }

    int completions() {
        return completions;
    }

    Answer answer() {
        byte[] data = new byte[dataInLength()];
        PlainMemory memory = dataIn;
        if (memory != null) {
            memory.buffer().get(0, data);
        }
        return new Answer(status(), Arrays.copyOf(sense(), senseLength()), data, dataOutWanted());
    }

    @Override
    public Nexus nexus() {
        return nexus;
    }

    @Override
    public LunView lunView() {
        return lunView;
    }

    @Override
    public IoLane lane() {
        return lane;
    }

    @Override
    public @Nullable IoMemory dataOut() {
        return dataOut;
    }

    @Override
    public long dataInRoom() {
        return Long.MAX_VALUE;
    }

    @Override
    protected IoMemory newDataIn(int lengthBytes) {
        if (dataIn != null) {
            throw new AssertionError("Data-In allocated twice");
        }
        if (starved) {
            throw new OutOfMemoryError("as the test wants it");
        }
        byte[] garbage = new byte[lengthBytes];
        Arrays.fill(garbage, (byte) 0xee);
        PlainMemory memory = new PlainMemory(garbage);
        dataIn = memory;
        return memory;
    }

    @Override
    public void completed() {
        completions++;
    }
}
