package io.holdfast.testimages;

import java.util.ArrayList;
import java.util.List;

/**
 * One line the guest's workload says on its virtio-serial port. The protocol is described in {@code test-images/README.md}
 * and spoken by {@code src/main/c/guest.c}.
 */
public sealed interface GuestLine {

    /**
     * The workload runs.
     *
     * @param uptimeMicros the guest's CLOCK_MONOTONIC
     * @param device holds its root
     * @param bootId another one after every boot
     */
    record Ready(long uptimeMicros, int writers, String device, String bootId) implements GuestLine {}

    /** Record {@code sequence} of {@code writer} is durable: its fsync returned 0 after {@code latencyMicros}. */
    record Ack(int writer, long sequence, long uptimeMicros, long latencyMicros) implements GuestLine {}

    /** A system call of a writer failed; {@code sequence} is 0 outside of a record. */
    record WriteError(int writer, long sequence, int errno, String text) implements GuestLine {}

    /** Said every 20 ms while the guest's CPUs run and the host listens. */
    record Tick(long uptimeMicros, long realtimeMicros) implements GuestLine {}

    /** The kernel complained; {@code level} is 0 (emergency) to 7 (debug). */
    record KernelMessage(int level, String text) implements GuestLine {}

    /** The writer has ended; {@code lastAcked} is 0 if nothing was acknowledged. */
    record Stopped(int writer, long lastAcked) implements GuestLine {}

    /** The guest's own count of what it reported, and which boot it was then. */
    record Summary(long errors, long kernelMessages, boolean remountedReadOnly, String bootId) implements GuestLine {}

    /** Not of the protocol. Kept, because it shows what went wrong. */
    record Garbled(String text) implements GuestLine {}

    /** Reads one line, without its newline. Never fails: what is not of the protocol is {@link Garbled}. */
    static GuestLine parse(String line) {
        try {
            Words words = new Words(line);
            GuestLine parsed = switch (words.next()) {
                case "ready" ->
                    new Ready(
                            words.nextLong(),
                            (int) words.nextLong("writers="),
                            words.next("device="),
                            words.next("boot="));
                case "ack" -> new Ack(words.nextWriter(), words.nextLong(), words.nextLong(), words.nextLong());
                case "error" ->
                    new WriteError(words.nextWriter(), words.nextLong(), (int) words.nextLong(), words.rest());
                case "tick" -> new Tick(words.nextLong(), words.nextLong());
                case "kmsg" -> new KernelMessage((int) words.nextLong(), words.rest());
                case "stopped" -> new Stopped(words.nextWriter(), words.nextLong());
                case "report" ->
                    new Summary(
                            words.nextLong("errors="),
                            words.nextLong("kmsg="),
                            words.nextYes("remounted_ro="),
                            words.next("boot="));
                default -> throw new IllegalArgumentException("unknown word");
            };
            return words.atEnd() ? parsed : new Garbled(line);
        } catch (IllegalArgumentException notOfTheProtocol) {
            return new Garbled(line);
        }
    }

    /** The words of a line, one after the other. */
    final class Words {
        /** The guest starts no more; a larger number is noise, and must not make the ledger allocate. */
        private static final int MOST_WRITERS = 64;

        private final List<String> words;
        private int position;

        Words(String line) {
            this.words = new ArrayList<>(List.of(line.split(" ", -1)));
        }

        String next() {
            if (atEnd()) {
                throw new IllegalArgumentException("line too short");
            }
            return words.get(position++);
        }

        String next(String prefix) {
            String word = next();
            if (!word.startsWith(prefix)) {
                throw new IllegalArgumentException("expected " + prefix);
            }
            return word.substring(prefix.length());
        }

        long nextLong() {
            return number(next());
        }

        long nextLong(String prefix) {
            return number(next(prefix));
        }

        int nextWriter() {
            long writer = nextLong();
            if (writer >= MOST_WRITERS) {
                throw new IllegalArgumentException("no such writer");
            }
            return (int) writer;
        }

        boolean nextYes(String prefix) {
            return switch (next(prefix)) {
                case "yes" -> true;
                case "no" -> false;
                default -> throw new IllegalArgumentException("neither yes nor no");
            };
        }

        String rest() {
            String rest = String.join(" ", words.subList(position, words.size()));
            position = words.size();
            return rest;
        }

        boolean atEnd() {
            return position == words.size();
        }

        private static long number(String word) {
            long number = Long.parseLong(word);
            if (number < 0) {
                throw new IllegalArgumentException("negative");
            }
            return number;
        }
    }
}
