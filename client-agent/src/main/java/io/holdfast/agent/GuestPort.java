package io.holdfast.agent;

import io.holdfast.linux.UnixStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The host's end of a guest's virtio-serial port {@code io.holdfast.events}: reads lines, has them answered on the agent's
 * loop, writes the answers. A thread for each VM, for as long as the agent runs; a guest that floods it is read no faster
 * than it is answered.
 */
final class GuestPort implements AutoCloseable {
    /** A longer line ends the connection, which is made again. */
    static final int MAX_LINE_BYTES = 256;

    private static final Logger LOG = LoggerFactory.getLogger(GuestPort.class);
    private static final int CONNECT_LIMIT_MS = 5_000;
    private static final int ANSWER_LIMIT_MS = 5_000;
    private static final int RETRY_MS = 1_000;

    private final String vm;
    private final Path socket;
    private final Executor loop;
    private final GuestWishes wishes;
    private final CountDownLatch closed = new CountDownLatch(1);
    private volatile @Nullable UnixStream current;

    private GuestPort(String vm, Path socket, Executor loop, GuestWishes wishes) {
        this.vm = vm;
        this.socket = socket;
        this.loop = loop;
        this.wishes = wishes;
    }

    /** Begins to connect to the socket of the port's chardev; it need not be there yet. */
    static GuestPort open(String vm, Path socket, Executor loop, GuestWishes wishes) {
        GuestPort port = new GuestPort(vm, socket, loop, wishes);
        Thread thread = new Thread(port::run, "guest-" + vm);
        thread.setDaemon(true);
        thread.start();
        return port;
    }

    private void run() {
        do {
            try (UnixStream stream = UnixStream.connect(socket, CONNECT_LIMIT_MS)) {
                stream.writeTimeoutMs(ANSWER_LIMIT_MS);
                current = stream;
                talk(stream);
            } catch (IOException e) {
                LOG.debug("vm {}: guest port {}: {}", vm, socket, e.getMessage());
            }
        } while (!awaitClose());
    }

    private void talk(UnixStream stream) throws IOException {
        for (; ; ) {
            String line = stream.readLine(MAX_LINE_BYTES);
            if (line == null || closed.getCount() == 0) {
                return;
            }
            if (!line.isBlank()) {
                StringBuilder reply = new StringBuilder();
                answers(line).forEach(answer -> reply.append(answer).append('\n'));
                stream.write(reply.toString().getBytes(StandardCharsets.UTF_8));
            }
        }
    }

    private List<String> answers(String line) throws IOException {
        Answer answer = new Answer();
        loop.execute(() -> answer.give(wishes.answer(line)));
        return answer.await();
    }

    /** One answer on its way from the loop. */
    private static final class Answer {
        private final CountDownLatch there = new CountDownLatch(1);
        private volatile List<String> lines = List.of();

        void give(List<String> given) {
            lines = given;
            there.countDown();
        }

        List<String> await() throws IOException {
            try {
                if (!there.await(ANSWER_LIMIT_MS, TimeUnit.MILLISECONDS)) {
                    throw new IOException("the agent does not answer its guest");
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            return lines;
        }
    }

    private boolean awaitClose() {
        try {
            return closed.await(RETRY_MS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return true;
        }
    }

    @Override
    public void close() {
        closed.countDown();
        UnixStream open = current;
        if (open != null) {
            try {
                open.close();
            } catch (IOException e) {
                // It is over either way.
            }
        }
    }
}
