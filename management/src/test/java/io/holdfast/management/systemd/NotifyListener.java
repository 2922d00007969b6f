package io.holdfast.management.systemd;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import jnr.unixsocket.UnixDatagramChannel;
import jnr.unixsocket.UnixSocketAddress;

/** The service manager's end of a notify socket. */
public final class NotifyListener implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final Path path;
    private final UnixDatagramChannel channel;
    private final BlockingQueue<String> messages = new LinkedBlockingQueue<>();
    private final List<String> heard = new ArrayList<>();
    private final Thread thread = new Thread(this::receive, "notify-listener");
    private volatile boolean closed;

    private NotifyListener(Path path, UnixDatagramChannel channel) {
        this.path = path;
        this.channel = channel;
    }

    /** Listens at a path, on a thread of its own. */
    public static NotifyListener at(Path path) throws IOException {
        System.setProperty("jnr.ffi.x86asm.enabled", "false");
        UnixDatagramChannel channel = UnixDatagramChannel.open();
        channel.bind(new UnixSocketAddress(path.toString()));
        NotifyListener listener = new NotifyListener(path, channel);
        listener.thread.setDaemon(true);
        listener.thread.start();
        return listener;
    }

    public String path() {
        return path.toString();
    }

    private void receive() {
        ByteBuffer buffer = ByteBuffer.allocate(4096);
        try {
            while (!closed) {
                buffer.clear();
                channel.receive(buffer);
                messages.add(new String(buffer.array(), 0, buffer.position(), StandardCharsets.UTF_8));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The next message that begins so; others before it are dropped. */
    public String await(String beginning) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            String message = next(Duration.ofNanos(deadline - System.nanoTime()));
            assertThat(message)
                    .as("a message that begins with %s; heard: %s", beginning, heard)
                    .isNotNull();
            if (message.startsWith(beginning)) {
                return message;
            }
        }
    }

    /** Whether nothing comes within a time. */
    public boolean quietFor(Duration time) {
        return next(time) == null;
    }

    private @org.jspecify.annotations.Nullable String next(Duration limit) {
        try {
            String message = messages.poll(limit.toNanos(), TimeUnit.NANOSECONDS);
            if (message != null) {
                heard.add(message);
            }
            return message;
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** First the thread: a receive on a descriptor that was closed would take the messages of the next one of its number. */
    @Override
    public void close() {
        closed = true;
        try (UnixDatagramChannel last = UnixDatagramChannel.open()) {
            last.send(ByteBuffer.wrap(new byte[1]), new UnixSocketAddress(path.toString()));
            thread.join();
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
