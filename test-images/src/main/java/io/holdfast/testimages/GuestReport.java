package io.holdfast.testimages;

import io.holdfast.testimages.GuestLine.Ack;
import io.holdfast.testimages.GuestLine.Garbled;
import io.holdfast.testimages.GuestLine.KernelMessage;
import io.holdfast.testimages.GuestLine.Ready;
import io.holdfast.testimages.GuestLine.Stopped;
import io.holdfast.testimages.GuestLine.Summary;
import io.holdfast.testimages.GuestLine.Tick;
import io.holdfast.testimages.GuestLine.WriteError;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;

/**
 * All that one guest has said since it was started, with the host's time of receipt ({@link System#nanoTime()}).
 * Acknowledgements go to the {@link AckLedger}.
 *
 * <p>Thread-safe: one thread feeds it ({@link GuestPort}), any other asks.
 */
public final class GuestReport {

    /** A line and when the host received it. */
    public record Received<T>(T line, long receivedNanos) {}

    private final AckLedger ledger = new AckLedger();
    private final List<Received<Tick>> ticks = new ArrayList<>();
    private final Moments tickMoments = new Moments();
    private final List<Received<WriteError>> errors = new ArrayList<>();
    private final List<Received<KernelMessage>> kernelMessages = new ArrayList<>();
    private final List<Received<Garbled>> garbled = new ArrayList<>();
    private final Map<Integer, Long> stopped = new TreeMap<>();
    private Optional<Received<Ready>> ready = Optional.empty();
    private Optional<Received<Summary>> summary = Optional.empty();
    private boolean ended;

    /**
     * How far the guest's clocks went from one tick to the next. About 20 ms while all is well; a clock that was put right,
     * or ran on while the CPUs stood, shows as a larger step. Set back, a step of the wall clock is negative.
     */
    public record ClockSteps(long uptimeMicros, long realtimeMicros) {
        private ClockSteps orLarger(long otherUptimeMicros, long otherRealtimeMicros) {
            return new ClockSteps(
                    Math.max(uptimeMicros, otherUptimeMicros),
                    Math.abs(otherRealtimeMicros) > Math.abs(realtimeMicros) ? otherRealtimeMicros : realtimeMicros);
        }
    }

    /** Takes one line, without its newline. */
    public synchronized void accept(String text, long receivedNanos) {
        GuestLine line = GuestLine.parse(text);
        if (line instanceof Ack ack) {
            ledger.acknowledge(ack, receivedNanos);
        } else if (line instanceof Tick tick) {
            ticks.add(new Received<>(tick, receivedNanos));
            tickMoments.add(receivedNanos);
        } else if (line instanceof Ready first) {
            ready = Optional.of(new Received<>(first, receivedNanos));
        } else if (line instanceof WriteError error) {
            ledger.fail(error);
            errors.add(new Received<>(error, receivedNanos));
        } else if (line instanceof KernelMessage message) {
            kernelMessages.add(new Received<>(message, receivedNanos));
        } else if (line instanceof Stopped writer) {
            stopped.put(writer.writer(), writer.lastAcked());
        } else if (line instanceof Summary last) {
            summary = Optional.of(new Received<>(last, receivedNanos));
        } else if (line instanceof Garbled unknown) {
            garbled.add(new Received<>(unknown, receivedNanos));
        }
        notifyAll();
    }

    /** The guest or its machine has closed the port; nothing more will come. */
    synchronized void end() {
        ended = true;
        notifyAll();
    }

    /**
     * Waits until the condition holds; it is asked after every line.
     *
     * @param what for the message, such as "the guest is ready"
     * @throws TimeoutException when the time is over, or the guest has gone, and it does not hold
     */
    public synchronized void await(String what, Duration limit, Predicate<GuestReport> condition)
            throws TimeoutException, InterruptedException {
        long deadlineNanos = System.nanoTime() + limit.toNanos();
        while (!condition.test(this)) {
            long leftNanos = deadlineNanos - System.nanoTime();
            if (ended) {
                throw new TimeoutException("the guest closed its port before " + what + "; " + describe());
            }
            if (leftNanos <= 0) {
                throw new TimeoutException("not within " + limit.toMillis() + " ms: " + what + "; " + describe());
            }
            wait(Math.max(1, leftNanos / 1_000_000));
        }
    }

    public AckLedger ledger() {
        return ledger;
    }

    public synchronized Optional<Received<Ready>> ready() {
        return ready;
    }

    /** True once every writer that was started has ended. */
    public synchronized boolean allStopped() {
        return ready.map(first -> stopped.size() >= first.line().writers()).orElse(false);
    }

    /** The last acknowledged sequence number of each writer that has ended, as the guest counts. */
    public synchronized Map<Integer, Long> stopped() {
        return new TreeMap<>(stopped);
    }

    public synchronized Optional<Summary> summary() {
        return summary.map(Received::line);
    }

    public synchronized List<Received<WriteError>> errors() {
        return List.copyOf(errors);
    }

    public synchronized List<Received<KernelMessage>> kernelMessages() {
        return List.copyOf(kernelMessages);
    }

    /** Lines that are not of the protocol. */
    public synchronized List<Received<Garbled>> garbled() {
        return List.copyOf(garbled);
    }

    /** Number of ticks received. */
    public synchronized int ticks() {
        return ticks.size();
    }

    /** When the guest's CPUs were first seen to run after {@code hostNanos}. */
    public synchronized OptionalLong firstTickAfter(long hostNanos) {
        return tickMoments.firstAfter(hostNanos);
    }

    /** When the guest's CPUs were last seen to run up to {@code hostNanos}. */
    public synchronized OptionalLong lastTickUpTo(long hostNanos) {
        return tickMoments.lastUpTo(hostNanos);
    }

    /** The longest time between two of these moments without a tick: the CPUs stood, or the host was slow. */
    public synchronized Gap longestTickGap(long fromNanos, long toNanos) {
        return tickMoments.longestGap(fromNanos, toNanos);
    }

    /** The largest steps of the guest's clocks to a tick received within these moments of the host. */
    public synchronized ClockSteps largestClockSteps(long fromNanos, long toNanos) {
        ClockSteps largest = new ClockSteps(0, 0);
        for (int i = 1; i < ticks.size(); i++) {
            long receivedNanos = ticks.get(i).receivedNanos();
            if (receivedNanos - fromNanos >= 0 && receivedNanos - toNanos <= 0) {
                Tick before = ticks.get(i - 1).line();
                Tick tick = ticks.get(i).line();
                largest = largest.orLarger(
                        tick.uptimeMicros() - before.uptimeMicros(), tick.realtimeMicros() - before.realtimeMicros());
            }
        }
        return largest;
    }

    /** One line for people. */
    public synchronized String describe() {
        return "the guest said: ready=" + (ready.isPresent() ? "yes" : "no") + " acked=" + ledger.acked() + " errors="
                + errors.size() + " kmsg=" + kernelMessages.size() + " stopped=" + stopped.size() + " garbled="
                + garbled.size() + " ticks=" + ticks.size();
    }
}
