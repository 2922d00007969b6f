package io.holdfast.agent;

import io.holdfast.agent.freeze.FreezeState;
import io.holdfast.agent.freeze.RecordBatch;
import io.holdfast.agent.freeze.RecordStore;
import io.holdfast.agent.freeze.ServerView;
import io.holdfast.agent.portal.PortalLimits;
import io.holdfast.control.ExportedUnit;
import io.holdfast.control.IscsiSession;
import io.holdfast.control.ServerDescription;
import io.holdfast.control.VmOutcome;
import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Opcode;
import io.holdfast.iscsi.wire.PduEncoder;
import io.holdfast.iscsi.wire.TextKeys;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.helpers.NOPLogger;

/**
 * Freezes and thaws a VM that does not exist, at start-up, so that the classes and call sites of the freeze path are
 * linked before they are needed: the first freeze of a cold process took three times as long as the second. Nothing of it
 * touches the real VMs: it has a loop, a portal, a monitor in memory and a record directory of its own.
 */
final class Rehearsal implements VmKeeper.Home {
    private static final Logger LOG = LoggerFactory.getLogger(Rehearsal.class);
    private static final int STEP_LIMIT_MS = 3_000;
    private static final String TARGET = "iqn.2026-11.io.holdfast:rehearsal";
    private static final String INITIATOR = "iqn.2026-11.io.holdfast:rehearsal-vm";
    private static final long ISID = 0x80_0000_0000_02L;
    private static final int READ_10 = 0x28;
    /** Below the state directory, which one agent at a time uses; no VM's name begins like that. */
    static final String DIRECTORY = "_rehearsal";

    private static final ExportedUnit DISK = new ExportedUnit(TARGET, 0, "rehearsal", 1, false);

    private final LinkedBlockingQueue<FreezeState> states = new LinkedBlockingQueue<>();
    private final byte[] scrap = new byte[4096];

    private Rehearsal() {}

    /**
     * Rehearses on a thread of its own, which ends by itself; failing is a reason for a line in the log, not for anything
     * else.
     */
    static Thread begin(Path stateDirectory, AgentListener listener) {
        Thread thread = new Thread(
                () -> {
                    long began = System.nanoTime();
                    try {
                        new Rehearsal().run(stateDirectory.resolve(DIRECTORY));
                        long tookMs = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
                        LOG.info("freeze and thaw rehearsed in {} ms", tookMs);
                        listener.rehearsed(tookMs);
                    } catch (IOException | RuntimeException e) {
                        LOG.warn("the rehearsal failed, the first freeze may be slow: {}", e.toString());
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                },
                "rehearsal");
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    private void run(Path directory) throws IOException, InterruptedException {
        if (Files.exists(directory)) {
            // Of an agent that was killed meanwhile; the state directory is this one's now.
            deleteAll(directory);
        }
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(
                1, new DefaultThreadFactory("rehearsal-loop", true), EpollIoHandler.newFactory());
        try (RecordStore records = RecordStore.open(directory);
                VmKeeper keeper = new VmKeeper(
                        new VmConfig("rehearsal", Path.of("memory"), Optional.empty(), VmConfig.RelayMode.AUTO),
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                        group.next(),
                        new RecordBatch(records),
                        answer -> answer.accept(true),
                        PortalLimits.DEFAULT,
                        this)) {
            play(keeper, group.next());
        } finally {
            group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(STEP_LIMIT_MS);
            deleteAll(directory);
        }
    }

    private void play(VmKeeper keeper, EventLoop loop) throws IOException, InterruptedException {
        InetSocketAddress portal = keeper.portal().address();
        ServerView server = new ServerView(
                "rehearsal", 1, new ServerDescription("rehearsal", List.of("127.0.0.1:9"), List.of(DISK)));
        keeper.start(socket -> new MemoryMonitor());
        await(FreezeState.RUNNING);
        loop.execute(() -> keeper.serverServes(server, portal, List.of()));
        try (Socket first = login(portal)) {
            read(first);
        }
        loop.execute(() -> keeper.serverLost("rehearsal"));
        await(FreezeState.FROZEN);
        try (Socket standIn = login(portal)) {
            read(standIn);
            write(standIn, command(), new byte[0]);
            read(standIn);
            loop.execute(() -> keeper.serverServes(server, portal, List.of()));
            read(standIn);
        }
        try (Socket back = login(portal)) {
            read(back);
        }
        loop.execute(() -> keeper.sessionOpened(new IscsiSession(INITIATOR, ISID, TARGET, "127.0.0.1:9")));
        await(FreezeState.RUNNING);
        loop.execute(() -> keeper.serverLost("rehearsal"));
        await(FreezeState.FROZEN);
    }

    private void await(FreezeState wanted) throws IOException, InterruptedException {
        FreezeState state;
        do {
            state = states.poll(STEP_LIMIT_MS, TimeUnit.MILLISECONDS);
            if (state == null) {
                throw new IOException("it did not become " + wanted + " within " + STEP_LIMIT_MS + " ms");
            }
        } while (state != wanted);
    }

    // ------------------------------------------------------------------ an initiator in a nutshell

    private static Socket login(InetSocketAddress portal) throws IOException {
        Socket socket = new Socket(portal.getAddress(), portal.getPort());
        socket.setSoTimeout(STEP_LIMIT_MS);
        Map<String, String> keys = new LinkedHashMap<>();
        keys.put("InitiatorName", INITIATOR);
        keys.put("TargetName", TARGET);
        keys.put("SessionType", "Normal");
        keys.put("HeaderDigest", "None,CRC32C");
        BasicHeader login = new BasicHeader()
                .begin(Opcode.LOGIN_REQUEST, BasicHeader.FINAL | 1 << 2 | 3)
                .isidAndTsih(ISID, 0);
        write(socket, login, new TextKeys(keys).encode());
        return socket;
    }

    private static BasicHeader command() {
        BasicHeader read = new BasicHeader().begin(Opcode.SCSI_COMMAND, BasicHeader.FINAL | BasicHeader.READ);
        read.bytes()[32] = READ_10;
        return read;
    }

    private static void write(Socket socket, BasicHeader header, byte[] data) throws IOException {
        ByteBuf out = Unpooled.buffer();
        new PduEncoder().writePdu(header, data, data.length, out);
        socket.getOutputStream().write(out.array(), 0, out.readableBytes());
    }

    private void read(Socket socket) throws IOException {
        if (socket.getInputStream().read(scrap) < 0) {
            throw new IOException("the portal hung up");
        }
    }

    private static void deleteAll(Path directory) throws IOException {
        try (var files = Files.list(directory)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(directory);
    }

    // ------------------------------------------------------------------ the VM's home

    @Override
    public void announcementAnswered(VmKeeper vm, long announcementId, VmOutcome outcome) {
        // Nobody has asked.
    }

    @Override
    public AgentListener listener() {
        return new AgentListener() {
            @Override
            public void vmChanged(String vm, FreezeState from, FreezeState to, String why, long heldMs) {
                states.add(to);
            }
        };
    }

    @Override
    public OptionalInt passed(InetSocketAddress address) {
        return OptionalInt.empty();
    }

    @Override
    public Executor besides() {
        return Runnable::run;
    }

    @Override
    public Logger log() {
        // A freeze that did not happen must not be read in the log.
        return NOPLogger.NOP_LOGGER;
    }
}
