package io.holdfast.block;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class GroupCommitTest {
    private final Semaphore started = new Semaphore(0);
    private final Semaphore mayEnd = new Semaphore(0);
    private final AtomicInteger syncs = new AtomicInteger();

    private OpenFile disk;
    private LaneRig one;
    private LaneRig two;

    @BeforeEach
    void openLanes() throws IOException {
        disk = new OpenFile(FileChannel.open(Path.of("/dev/null")), "disk");
        one = LaneRig.portable();
        two = LaneRig.portable();
    }

    @AfterEach
    void closeLanes() throws IOException {
        one.close();
        two.close();
        disk.channel().close();
    }

    /** A sync that says when it has started, and ends when it is told to. */
    private void steppedSync() throws IOException {
        syncs.incrementAndGet();
        started.release();
        try {
            if (!mayEnd.tryAcquire(30, TimeUnit.SECONDS)) {
                throw new IOException("the test did not let the sync end");
            }
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    @Test
    void shouldLetFlushesOfSeveralLanesShareTheNextSyncButNeverTheRunningOne() throws Exception {
        GroupCommit commits = new GroupCommit(disk, this::steppedSync);
        CompletableFuture<Optional<BlockError>> first = one.start(commits::flush);
        assertThat(started.tryAcquire(30, TimeUnit.SECONDS)).isTrue();
        List<CompletableFuture<Optional<BlockError>>> late = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            late.add((i % 2 == 0 ? one : two).start(commits::flush));
        }
        one.run((lane, done) -> done.done(null));
        two.run((lane, done) -> done.done(null));

        mayEnd.release();
        assertThat(first.get(30, TimeUnit.SECONDS)).isEmpty();
        assertThat(started.tryAcquire(30, TimeUnit.SECONDS)).isTrue();
        assertThat(late).noneMatch(CompletableFuture::isDone);

        mayEnd.release();
        for (CompletableFuture<Optional<BlockError>> flush : late) {
            assertThat(flush.get(30, TimeUnit.SECONDS)).isEmpty();
        }
        assertThat(syncs).hasValue(2);
    }

    @Test
    void shouldSyncAgainForAFlushAfterAQuietTime() {
        GroupCommit commits = new GroupCommit(disk, this::steppedSync);
        mayEnd.release(2);
        assertThat(one.run(commits::flush)).isEmpty();
        assertThat(two.run(commits::flush)).isEmpty();
        assertThat(syncs).hasValue(2);
    }

    @Test
    void shouldFailAllSharersAndEveryLaterFlushWhenASyncFails() throws Exception {
        GroupCommit commits = new GroupCommit(disk, () -> {
            steppedSync();
            if (syncs.get() == 2) {
                throw new IOException("Input/output error");
            }
        });
        CompletableFuture<Optional<BlockError>> first = one.start(commits::flush);
        assertThat(started.tryAcquire(30, TimeUnit.SECONDS)).isTrue();
        CompletableFuture<Optional<BlockError>> second = one.start(commits::flush);
        CompletableFuture<Optional<BlockError>> third = two.start(commits::flush);
        one.run((lane, done) -> done.done(null));
        two.run((lane, done) -> done.done(null));
        mayEnd.release(10);

        assertThat(first.get(30, TimeUnit.SECONDS)).isEmpty();
        assertThat(second.get(30, TimeUnit.SECONDS)).hasValueSatisfying(GroupCommitTest::isLost);
        assertThat(third.get(30, TimeUnit.SECONDS)).hasValueSatisfying(GroupCommitTest::isLost);
        // Linux would let this one succeed: it takes the pages for clean now.
        assertThat(one.run(commits::flush)).hasValueSatisfying(GroupCommitTest::isLost);
        assertThat(syncs).hasValue(2);
    }

    private static void isLost(BlockError failure) {
        assertThat(failure.kind()).isEqualTo(BlockError.Kind.MEDIUM);
        assertThat(failure.detail())
                .contains("disk")
                .contains("Input/output error")
                .contains("opened again");
    }

    @Test
    void shouldFailLikeASyncThatFailedWhenTheSyncThrowsAnythingElse() {
        GroupCommit commits = new GroupCommit(disk, () -> {
            throw new IllegalStateException("a fault of ours");
        });
        assertThat(one.run(commits::flush))
                .hasValueSatisfying(failure -> assertThat(failure.detail()).contains("a fault of ours"));
    }

    @Test
    void shouldAnswerFlushesWhenThePoolTakesNothing() {
        LaneRig refused = LaneRig.withClosedPool();
        GroupCommit commits = new GroupCommit(disk, () -> {});
        for (int i = 0; i < 3; i++) {
            assertThat(refused.run(commits::flush))
                    .hasValueSatisfying(failure -> assertThat(failure.detail()).contains("pool is closed"));
        }
        assertThat(one.run(commits::flush)).as("the next lane may try").isEmpty();
        refused.close();
    }

    /**
     * Every answer must come after the end of a sync that started after the flush was asked for. Time is a counter that
     * everybody draws numbers from.
     */
    @Test
    void shouldNeverAcknowledgeBeforeASyncThatStartedAfterTheFlush() {
        AtomicLong clock = new AtomicLong();
        AtomicLong startOfLastEndedSync = new AtomicLong(-1);
        GroupCommit commits = new GroupCommit(disk, () -> {
            long start = clock.incrementAndGet();
            startOfLastEndedSync.set(start);
        });
        AtomicInteger tooEarly = new AtomicInteger();
        List<CompletableFuture<Optional<BlockError>>> flushes = new ArrayList<>();
        for (int i = 0; i < 4000; i++) {
            flushes.add((i % 2 == 0 ? one : two).start((lane, done) -> {
                long asked = clock.incrementAndGet();
                commits.flush(lane, failure -> {
                    if (startOfLastEndedSync.get() < asked) {
                        tooEarly.incrementAndGet();
                    }
                    done.done(failure);
                });
            }));
        }
        assertThat(flushes).allSatisfy(flush -> assertThat(flush.join()).isEmpty());
        assertThat(tooEarly).hasValue(0);
    }
}
