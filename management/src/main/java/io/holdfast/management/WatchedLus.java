package io.holdfast.management;

import io.holdfast.block.BlockBackend;
import io.holdfast.block.FileBackend;
import io.holdfast.block.IoPool;
import io.holdfast.management.plane.LuBacking;
import io.holdfast.management.served.ServedLus;
import io.holdfast.scsi.LogicalUnit;
import io.holdfast.scsi.StorageListener;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Makes the logical units of LUs, and has their storage watched for as long as they are served. Clients see an LU, each
 * under a target of its own. Thread-safe.
 */
final class WatchedLus implements ServedLus.Units {
    private final ServedExports exports;
    private final UnitWatch watch;
    private final IoPool pool;
    private final Function<String, List<String>> targetsOf;
    private final Function<String, @Nullable FileBackend> fileOf;
    private final Map<String, StorageListener> byLu = new ConcurrentHashMap<>();

    /**
     * @param targetsOf names of the targets at which clients have an LU
     * @param fileOf an LU's image, null while that is not open
     */
    WatchedLus(
            ServedExports exports,
            UnitWatch watch,
            IoPool pool,
            Function<String, List<String>> targetsOf,
            Function<String, @Nullable FileBackend> fileOf) {
        this.exports = exports;
        this.watch = watch;
        this.pool = pool;
        this.targetsOf = targetsOf;
        this.fileOf = fileOf;
    }

    @Override
    public boolean remembers(LuBacking lu) {
        return exports.remembers(lu.uuid());
    }

    @Override
    public LogicalUnit of(LuBacking lu, BlockBackend backend) {
        return exports.unitOf(lu, backend, watched(lu.name()));
    }

    @Override
    public LogicalUnit fresh(LuBacking lu, BlockBackend backend) {
        return exports.freshUnitOf(lu, backend, watched(lu.name()));
    }

    private StorageListener watched(String lu) {
        StorageListener listener = watch.watch(() -> targetsOf.apply(lu), () -> fileOf.apply(lu), pool);
        StorageListener before = byLu.put(lu, listener);
        if (before != null) {
            watch.forget(before);
        }
        return listener;
    }

    /** To be called where LUs come and go, and nowhere else: one that is just coming looks as if gone. */
    void forgetAllBut(Predicate<String> served) {
        byLu.entrySet().removeIf(watched -> {
            boolean gone = !served.test(watched.getKey());
            if (gone) {
                watch.forget(watched.getValue());
            }
            return gone;
        });
    }
}
