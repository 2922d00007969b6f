package io.holdfast.management;

import io.holdfast.block.FileBackend;
import io.holdfast.iscsi.EventLoops;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * Whether the server does what it is there for: a read of an image through every event loop, as an initiator's would go. One
 * image's answer is enough: storage that hangs holds up its own initiators and nobody else, and another life of the server
 * would not mend it. Owned by one thread.
 */
final class DataPathPulse {
    /** Images read for one beat, in turn: the pulse must cost nothing that anybody notices. */
    private static final int IMAGES_PER_BEAT = 4;

    private final EventLoops loops;
    private final IdentityHashMap<FileBackend, CompletableFuture<Void>> waiting = new IdentityHashMap<>();
    private int next;

    DataPathPulse(EventLoops loops) {
        this.loops = loops;
    }

    /** @return completes when every loop has read one of the images; never exceptionally */
    CompletableFuture<?> beat(List<FileBackend> images) {
        if (images.isEmpty()) {
            return loops.passThroughEach();
        }
        waiting.values().removeIf(CompletableFuture::isDone);
        for (int i = 0; i < Math.min(IMAGES_PER_BEAT, images.size()); i++) {
            FileBackend image = images.get(next++ % images.size());
            // One that has not answered the last time is not asked again: reads would pile up.
            waiting.computeIfAbsent(image, loops::readThroughEach);
        }
        return CompletableFuture.anyOf(waiting.values().toArray(CompletableFuture[]::new));
    }
}
