package io.holdfast.drills;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * A process this program started: its output, line by line with the time each line came, and its end.
 *
 * <p>Thread-safe. Two threads of its own: one reads the output, one (the JDK's) sees the end.
 */
final class Child {
    /** Enough for every drill; a program that prints more than this has its later lines in the log file only. */
    private static final int MAX_LINES_KEPT = 10_000;

    /** One line of output and the {@link System#nanoTime()} at which it was read. */
    record Line(long atNs, String text) {}

    private final String name;
    private final Process process;
    private final Path log;
    private final long startedNs;
    private final Thread reader;
    private final List<Line> lines = new ArrayList<>();
    private volatile long endedNs;
    private volatile boolean ended;
    private volatile boolean over;

    private Child(String name, Process process, Path log, long startedNs) {
        this.name = name;
        this.process = process;
        this.log = log;
        this.startedNs = startedNs;
        this.reader = new Thread(this::read, name + "-output");
        var unused = process.onExit().thenRun(() -> {
            endedNs = System.nanoTime();
            ended = true;
        });
        reader.setDaemon(true);
        reader.start();
    }

    /**
     * @param name for messages: "the server"
     * @param log gets everything it prints, appended
     */
    static Child start(String name, List<String> command, Path log) throws DrillFailure {
        long startedNs = System.nanoTime();
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            process.getOutputStream().close();
            return new Child(name, process, log, startedNs);
        } catch (IOException e) {
            throw new DrillFailure("cannot start " + name + ": " + e.getMessage(), e);
        }
    }

    private void read() {
        try (BufferedReader in =
                        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
                BufferedWriter out = Files.newBufferedWriter(
                        log, StandardCharsets.UTF_8, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
            for (String text = in.readLine(); text != null; text = in.readLine()) {
                keep(new Line(System.nanoTime(), text));
                out.write(text);
                out.newLine();
                out.flush();
            }
        } catch (IOException e) {
            // The log's disk is full, or the pipe has been closed at the end.
            if (!over) {
                keep(new Line(System.nanoTime(), "(output lost: " + e.getMessage() + ")"));
            }
        }
    }

    private void keep(Line line) {
        synchronized (lines) {
            if (lines.size() < MAX_LINES_KEPT) {
                lines.add(line);
            }
        }
    }

    String name() {
        return name;
    }

    long pid() {
        return process.pid();
    }

    /** Just before the process was made. */
    long startedNs() {
        return startedNs;
    }

    Path log() {
        return log;
    }

    boolean alive() {
        return process.isAlive();
    }

    int exitCode() {
        return process.exitValue();
    }

    /** How it ended and what it said last, for messages. Only once it has ended. */
    String obituary() {
        String lastWords = tail(1).stream().collect(Collectors.joining());
        return name + " ended with exit code " + exitCode() + (lastWords.isEmpty() ? "" : ", saying: " + lastWords);
    }

    /** When its end was seen; empty while it lives. */
    OptionalLong endedNs() {
        return ended ? OptionalLong.of(endedNs) : OptionalLong.empty();
    }

    List<Line> lines() {
        synchronized (lines) {
            return List.copyOf(lines);
        }
    }

    /** The last lines it printed, for messages. */
    List<String> tail(int count) {
        List<Line> all = lines();
        return all.subList(Math.max(0, all.size() - count), all.size()).stream()
                .map(Line::text)
                .toList();
    }

    /** SIGTERM. By its handle: the process itself would close its streams at once, and its last lines would be lost. */
    void terminate() {
        process.toHandle().destroy();
    }

    /** SIGKILL. */
    void kill() {
        process.toHandle().destroyForcibly();
    }

    /** Waits for the end and for the last line; false if it still lives after {@code limit}. */
    boolean awaitEnd(Duration limit) throws InterruptedException {
        if (!process.waitFor(limit.toNanos(), TimeUnit.NANOSECONDS)) {
            return false;
        }
        // A grandchild may hold the pipe open; its lines are not worth a longer wait.
        reader.join(500);
        return true;
    }

    /** SIGTERM, and SIGKILL to one that is still there after {@code grace}. */
    void end(Duration grace) throws InterruptedException {
        if (alive() && !grace.isZero()) {
            terminate();
            awaitEnd(grace);
        }
        kill();
        awaitEnd(Duration.ofSeconds(2));
        // A grandchild that holds the pipe open is not read any longer.
        over = true;
        process.destroyForcibly();
    }
}
