package io.holdfast.scsi;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class RangeLockTest {
    private final RangeLock lock = new RangeLock();
    private final List<String> granted = new ArrayList<>();

    @Test
    void shouldLetAnyNumberShareARange() {
        Claim one = new Claim("one");
        Claim two = new Claim("two");

        assertThat(lock.share(one, 0, 10)).isEqualTo(RangeLock.Outcome.ENTERED);
        assertThat(lock.share(two, 5, 15)).isEqualTo(RangeLock.Outcome.ENTERED);
        lock.leave(one);
        lock.leave(two);

        assertThat(lock.isIdle()).isTrue();
    }

    @Test
    void shouldMakeAnExclusiveClaimWaitForThoseWhoShareAlready() {
        Claim reader = new Claim("reader");
        Claim writer = new Claim("writer");
        lock.share(reader, 0, 10);

        assertThat(lock.exclude(writer, 5, 6)).isEqualTo(RangeLock.Outcome.WAITING);
        lock.leave(reader);

        assertThat(granted).containsExactly("writer");
        lock.leave(writer);
        assertThat(lock.isIdle()).isTrue();
    }

    @Test
    void shouldShareForAMomentOnlyWhileNobodyClaimsExclusively() {
        Claim moment = new Claim("moment");
        Claim writer = new Claim("writer");
        assertThat(lock.shareNow(moment)).isTrue();
        assertThat(lock.exclude(writer, 5, 6)).isEqualTo(RangeLock.Outcome.WAITING);
        lock.leave(moment);
        assertThat(granted).containsExactly("writer");

        assertThat(lock.shareNow(moment)).isFalse();
        lock.leave(moment);
        lock.leave(writer);

        assertThat(lock.isIdle()).isTrue();
        assertThat(lock.shareNow(moment)).isTrue();
        lock.leave(moment);
    }

    @Test
    void shouldMakeNewcomersWaitInTheExclusiveRangeOnly() {
        Claim writer = new Claim("writer");
        Claim inside = new Claim("inside");
        Claim beside = new Claim("beside");
        assertThat(lock.exclude(writer, 5, 10)).isEqualTo(RangeLock.Outcome.ENTERED);

        assertThat(lock.share(inside, 9, 12)).isEqualTo(RangeLock.Outcome.WAITING);
        assertThat(lock.share(beside, 10, 12)).isEqualTo(RangeLock.Outcome.ENTERED);
        assertThat(granted).isEmpty();
        lock.leave(writer);

        assertThat(granted).containsExactly("inside");
        lock.leave(inside);
        lock.leave(beside);
        assertThat(lock.isIdle()).isTrue();
    }

    @Test
    void shouldGrantInTheOrderOfArrival() {
        Claim first = new Claim("first");
        Claim second = new Claim("second");
        Claim reader = new Claim("reader");
        Claim third = new Claim("third");
        lock.exclude(first, 0, 4);
        lock.exclude(second, 2, 6);
        lock.share(reader, 5, 8);
        lock.exclude(third, 7, 9);

        lock.leave(first);
        assertThat(granted).as("the reader is behind the second").containsExactly("second");
        lock.leave(second);
        assertThat(granted).containsExactly("second", "reader");
        lock.leave(reader);
        assertThat(granted).containsExactly("second", "reader", "third");
        lock.leave(third);
        assertThat(lock.isIdle()).isTrue();
    }

    @Test
    void shouldRefuseMoreExclusiveClaimsThanItsLimit() {
        List<Claim> claims = new ArrayList<>();
        for (int i = 0; i < RangeLock.MAX_EXCLUSIVE; i++) {
            Claim claim = new Claim("claim " + i);
            assertThat(lock.exclude(claim, 0, 1)).isNotEqualTo(RangeLock.Outcome.REFUSED);
            claims.add(claim);
        }

        assertThat(lock.exclude(new Claim("too many"), 0, 1)).isEqualTo(RangeLock.Outcome.REFUSED);
        claims.forEach(lock::leave);
        assertThat(lock.isIdle()).isTrue();
    }

    @Test
    void shouldIgnoreALeaveWithoutAClaim() {
        lock.leave(new Claim("never entered"));

        assertThat(lock.isIdle()).isTrue();
    }

    /** Four threads on 16 blocks: an exclusive claim must be alone on its blocks, whoever comes and goes. */
    @Test
    void shouldKeepEverybodyOutOfAnExclusiveRangeUnderLoad() throws Exception {
        int threads = 4;
        AtomicIntegerArray sharers = new AtomicIntegerArray(16);
        AtomicIntegerArray owners = new AtomicIntegerArray(16);
        CyclicBarrier start = new CyclicBarrier(threads);
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try {
            List<Future<?>> all = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                int seed = i;
                all.add(pool.submit(() -> hammer(seed, sharers, owners, start)));
            }
            for (Future<?> one : all) {
                one.get(60, TimeUnit.SECONDS);
            }
        } finally {
            pool.shutdownNow();
        }

        assertThat(lock.isIdle()).isTrue();
    }

    private @Nullable Void hammer(int seed, AtomicIntegerArray sharers, AtomicIntegerArray owners, CyclicBarrier start)
            throws Exception {
        Random random = new Random(seed);
        Semaphore grant = new Semaphore(0);
        RangeLock.Claim claim = new RangeLock.Claim() {
            @Override
            void granted() {
                grant.release();
            }
        };
        start.await(10, TimeUnit.SECONDS);
        for (int round = 0; round < 40_000; round++) {
            int from = random.nextInt(16);
            int to = from + 1 + random.nextInt(16 - from);
            boolean alone = random.nextInt(4) == 0;
            RangeLock.Outcome outcome = alone ? lock.exclude(claim, from, to) : lock.share(claim, from, to);
            if (outcome == RangeLock.Outcome.WAITING) {
                assertThat(grant.tryAcquire(30, TimeUnit.SECONDS)).as("granted").isTrue();
            }
            for (int block = from; block < to; block++) {
                if (alone) {
                    assertThat(owners.incrementAndGet(block)).isEqualTo(1);
                    assertThat(sharers.get(block)).isZero();
                } else {
                    sharers.incrementAndGet(block);
                    assertThat(owners.get(block)).isZero();
                }
            }
            for (int block = from; block < to; block++) {
                (alone ? owners : sharers).decrementAndGet(block);
            }
            lock.leave(claim);
        }
        return null;
    }

    private final class Claim extends RangeLock.Claim {
        private final String name;

        Claim(String name) {
            this.name = name;
        }

        @Override
        void granted() {
            granted.add(name);
        }
    }
}
