package io.holdfast.block;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * Writes, flushes, and notes every acknowledgement by a write(2) to a journal, all of it to be seen in a trace of system
 * calls. Arguments: image, journal, and {@code early} to note the acknowledgement before it comes (the control run).
 */
final class TracedMain {
    static final int ROUNDS = 10;
    static final int BLOCK_BYTES = 4096;
    /** Durable writes are told from cached ones by where they are. */
    static final long DURABLE_START = 1 << 20;

    private TracedMain() {}

    public static void main(String[] args) throws Exception {
        boolean early = args.length > 2;
        try (FileBackend backend = FileBackend.open(Path.of(args[0]), FileOptions.READ_WRITE);
                FileChannel journal = FileChannel.open(Path.of(args[1]), StandardOpenOption.WRITE);
                LaneRig rig = LaneRig.portable()) {
            backend.bindNative();
            for (int i = 0; i < ROUNDS; i++) {
                cached(backend, rig, i);
                note(early, journal, "flush " + i);
                expect(rig.run(backend::flush));
                note(!early, journal, "flush " + i);
                note(early, journal, "durable " + i);
                durable(backend, rig, i);
                note(!early, journal, "durable " + i);
            }
        }
    }

    private static void cached(FileBackend backend, LaneRig rig, int i) {
        DirectMemory bytes = DirectMemory.random(BLOCK_BYTES, i);
        expect(rig.run((lane, done) -> backend.write((long) i * BLOCK_BYTES, bytes, Durability.CACHED, lane, done)));
    }

    private static void durable(FileBackend backend, LaneRig rig, int i) {
        DirectMemory bytes = DirectMemory.random(BLOCK_BYTES, i);
        expect(rig.run((lane, done) ->
                backend.write(DURABLE_START + (long) i * BLOCK_BYTES, bytes, Durability.DURABLE, lane, done)));
    }

    private static void expect(Optional<BlockError> outcome) {
        if (outcome.isPresent()) {
            throw new IllegalStateException(outcome.get().detail());
        }
    }

    private static void note(boolean now, FileChannel journal, String what) throws IOException {
        if (now) {
            journal.write(ByteBuffer.wrap(what.getBytes(StandardCharsets.UTF_8)));
        }
    }
}
