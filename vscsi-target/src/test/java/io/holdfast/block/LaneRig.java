package io.holdfast.block;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;

/**
 * A lane with a thread of its own, and a guard that every callback comes exactly once and on that thread. For another kind
 * of lane give its executor and how it is made.
 */
public final class LaneRig implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final ExecutorService thread;
    private final IoPool pool;
    private final IoLane lane;
    private final List<AtomicInteger> answers = new CopyOnWriteArrayList<>();
    private final List<String> wrongThreads = new CopyOnWriteArrayList<>();
    private final Thread laneThread;

    public LaneRig(ExecutorService thread, BiFunction<Executor, IoPool, IoLane> newLane) {
        this(thread, new IoPool(4, 10_000), newLane);
    }

    private LaneRig(ExecutorService thread, IoPool pool, BiFunction<Executor, IoPool, IoLane> newLane) {
        this.thread = thread;
        this.pool = pool;
        this.lane = newLane.apply(thread, pool);
        this.laneThread =
                CompletableFuture.supplyAsync(Thread::currentThread, thread).join();
    }

    public static LaneRig portable() {
        return new LaneRig(Executors.newSingleThreadExecutor(), PortableLane::new);
    }

    /** A portable lane on this pool. */
    static LaneRig portable(IoPool pool) {
        return new LaneRig(Executors.newSingleThreadExecutor(), pool, PortableLane::new);
    }

    /** A lane that can do nothing but what needs no pool. */
    public static LaneRig withClosedPool() {
        LaneRig rig = portable();
        rig.pool.close();
        return rig;
    }

    /** Starts an operation on the lane's thread. */
    public CompletableFuture<Optional<BlockError>> start(BiConsumer<IoLane, IoCallback> operation) {
        AtomicInteger answered = new AtomicInteger();
        answers.add(answered);
        CompletableFuture<Optional<BlockError>> outcome = new CompletableFuture<>();
        thread.execute(() -> operation.accept(lane, failure -> {
            answered.incrementAndGet();
            if (Thread.currentThread() != laneThread) {
                wrongThreads.add(Thread.currentThread().getName());
            }
            outcome.complete(Optional.ofNullable(failure));
        }));
        return outcome;
    }

    /** Runs an operation to its end. */
    public Optional<BlockError> run(BiConsumer<IoLane, IoCallback> operation) {
        return start(operation)
                .orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS)
                .join();
    }

    /** Ends the pool first, so that a callback that comes twice has come. */
    @Override
    public void close() {
        assertThat(pool.close(PATIENCE)).as("the pool is idle").isTrue();
        CompletableFuture.runAsync(() -> {}, thread)
                .orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS)
                .join();
        thread.shutdown();
        assertThat(wrongThreads)
                .as("threads of callbacks that are not the lane's")
                .isEmpty();
        assertThat(answers)
                .as("callbacks per operation")
                .allSatisfy(n -> assertThat(n.get()).isEqualTo(1));
    }
}
