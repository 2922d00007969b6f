package io.holdfast.scsi;

import io.holdfast.block.IoLane;
import io.holdfast.block.IoMemory;
import io.holdfast.block.PlainMemory;
import java.util.Map;

/** A task that is used again and again, and allocates nothing. */
final class QuietTask extends ScsiTask {
    private final Nexus nexus = new Nexus("i", "t", 1);
    private final LunView view = new FixedLunView(Map.of());
    private final IoLane lane = TestLane.direct();
    private final IoMemory memory = new PlainMemory(new byte[4096]);

    void run(LogicalUnit unit, byte[] command, int times) {
        System.arraycopy(command, 0, cdb(), 0, command.length);
        for (int i = 0; i < times; i++) {
            reset();
            unit.execute(this);
        }
    }

    @Override
    public Nexus nexus() {
        return nexus;
    }

    @Override
    public LunView lunView() {
        return view;
    }

    @Override
    public IoLane lane() {
        return lane;
    }

    @Override
    public IoMemory dataOut() {
        return memory;
    }

    @Override
    public long dataInRoom() {
        return memory.length();
    }

    @Override
    protected IoMemory newDataIn(int lengthBytes) {
        return memory;
    }

    @Override
    public void completed() {}
}
