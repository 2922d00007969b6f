package io.holdfast.management.doctor;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * The machine, as {@code /proc} and {@code /etc} below a root tell it.
 *
 * @param root {@code /}; tests plant theirs elsewhere
 */
public record Host(Path root) {
    private static final int PIECE_BYTES = 64 * 1024;

    /** A process with its arguments. */
    record Running(long pid, List<String> arguments) {
        String program() {
            String first = arguments.isEmpty() ? "" : arguments.get(0);
            return first.substring(first.lastIndexOf('/') + 1);
        }
    }

    /** What a file holds, without white space at both ends; empty if it cannot be read. */
    Optional<String> text(String path) {
        try (InputStream in = Files.newInputStream(at(path))) {
            // Not Files.readString: it asks a file of no size for one byte first, and a sysctl answers with its first
            // digit
            // and has nothing to say after that.
            byte[] piece = new byte[PIECE_BYTES];
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            for (int read = in.read(piece); read >= 0; read = in.read(piece)) {
                all.write(piece, 0, read);
            }
            return Optional.of(all.toString(StandardCharsets.UTF_8).strip());
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    OptionalLong number(String path) {
        Optional<String> text = text(path).filter(digits -> digits.matches("-?[0-9]{1,18}"));
        return text.isEmpty() ? OptionalLong.empty() : OptionalLong.of(Long.parseLong(text.get()));
    }

    /** A server or agent of ours that runs, by its command: {@code serve}, {@code agent}. */
    Optional<Running> holdfast(String command) {
        return processes().stream()
                .filter(process -> process.arguments().contains(command)
                        && process.arguments().stream().anyMatch(argument -> argument.contains("holdfast")))
                .findFirst();
    }

    /**
     * A soft limit; empty if there is none, or it cannot be read.
     *
     * @param process its number, or {@code self}
     */
    OptionalLong limit(String process, String name) {
        return text("proc/" + process + "/limits").stream()
                .flatMap(String::lines)
                .filter(line -> line.startsWith(name))
                .map(line -> line.substring(name.length()).strip().split("\\s+", 2)[0])
                .filter(value -> value.matches("[0-9]{1,18}"))
                .mapToLong(Long::parseLong)
                .findFirst();
    }

    List<Running> processes() {
        List<Running> found = new ArrayList<>();
        try (Stream<Path> entries = Files.list(at("proc"))) {
            for (Path entry : (Iterable<Path>) entries::iterator) {
                String pid = entry.getFileName().toString();
                if (pid.matches("[0-9]{1,10}")) {
                    arguments(entry.resolve("cmdline"))
                            .ifPresent(arguments -> found.add(new Running(Long.parseLong(pid), arguments)));
                }
            }
        } catch (IOException | UncheckedIOException e) {
            // Without /proc there are no processes to look at.
        }
        return found;
    }

    private static Optional<List<String>> arguments(Path file) {
        try {
            String text = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
            return text.isEmpty() ? Optional.empty() : Optional.of(List.of(text.split("\0", -1)));
        } catch (IOException e) {
            // It has ended, or is not ours to look at.
            return Optional.empty();
        }
    }

    /**
     * Who listens at a TCP port.
     *
     * @return empty if nobody does; a process that cannot be found has pid 0 and no arguments
     */
    Optional<Running> listener(int port) {
        String suffix = String.format(Locale.ROOT, ":%04X", port);
        for (String table : List.of("proc/net/tcp", "proc/net/tcp6")) {
            for (String line : text(table).orElse("").lines().toList()) {
                String[] columns = line.strip().split("\\s+", -1);
                if (columns.length > 9 && columns[1].endsWith(suffix) && columns[3].equals("0A")) {
                    return Optional.of(ownerOf(columns[9]));
                }
            }
        }
        return Optional.empty();
    }

    private Running ownerOf(String inode) {
        for (Running process : processes()) {
            try (Stream<Path> descriptors = Files.list(at("proc/" + process.pid() + "/fd"))) {
                if (descriptors.anyMatch(descriptor -> isSocket(descriptor, inode))) {
                    return process;
                }
            } catch (IOException | UncheckedIOException e) {
                // Another user's.
            }
        }
        return new Running(0, List.of());
    }

    private static boolean isSocket(Path descriptor, String inode) {
        try {
            return Files.readSymbolicLink(descriptor).toString().equals("socket:[" + inode + "]");
        } catch (IOException e) {
            return false;
        }
    }

    Path at(String path) {
        return root.resolve(path);
    }
}
