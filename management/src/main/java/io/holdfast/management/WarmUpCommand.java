package io.holdfast.management;

import io.holdfast.agent.Agent;
import io.holdfast.agent.AgentConfig;
import io.holdfast.agent.AgentConfigException;
import io.holdfast.agent.VmConfig;
import io.holdfast.control.ControlJson.Fields;
import io.holdfast.control.client.ApiClient;
import io.holdfast.control.client.ServerAddress;
import io.holdfast.control.operator.Operation;
import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Opcode;
import io.holdfast.iscsi.wire.Padding;
import io.holdfast.iscsi.wire.TextKeys;
import io.holdfast.management.config.ConfigException;
import io.holdfast.management.config.ServeRequest;
import io.holdfast.management.systemd.PassedPorts;
import io.holdfast.management.systemd.ServiceManager;
import io.holdfast.net.Addresses;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.Writer;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.apache.commons.io.file.PathUtils;

/**
 * {@code holdfast warm-up}: serves an empty image on loopback, lets an initiator read and write a little, and stops. Not
 * for people: what it loads is what the class-data archive holds, and the archive is what makes a start quick.
 */
final class WarmUpCommand implements Command {
    private static final int SOCKET_LIMIT_MS = 10_000;
    private static final int BLOCK_BYTES = 512;
    private static final String STRANGER = "iqn.2026-11.io.holdfast:warm-up";
    private static final int FULL_FEATURE = BasicHeader.FINAL | 1 << 2 | 3;

    @Override
    public String name() {
        return "warm-up";
    }

    @Override
    public List<String> description() {
        return List.of("Loads what a start loads, for the class-data archive.");
    }

    @Override
    public boolean hidden() {
        return true;
    }

    @Override
    public List<Option> options() {
        return List.of();
    }

    @Override
    public int run(Arguments arguments, PrintWriter out, PrintWriter err) {
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        // Log lines are rehearsed too, but nobody wants to read them if all goes well. Nor what threads say that end
        // with
        // the program, which is why this is not taken back.
        System.setErr(new PrintStream(said, true, StandardCharsets.UTF_8));
        Logging.startPlain();
        try {
            Path directory = Files.createTempDirectory("holdfast-warm-up");
            try {
                serveTwice(directory);
            } finally {
                PathUtils.deleteDirectory(directory);
            }
            return ExitCode.OK;
        } catch (ConfigException | IOException e) {
            err.print(said.toString(StandardCharsets.UTF_8));
            err.println("holdfast warm-up: " + e.getMessage());
            return ExitCode.FAILED;
        }
    }

    /** Who logs in where. */
    private record Door(String initiator, String target) {}

    /** The second life finds what the first one has written, as a server does whose guests wait for it. */
    private static void serveTwice(Path directory) throws ConfigException, IOException {
        Preloading.begin();
        ServeCommand serve = new ServeCommand();
        Path state = directory.resolve("state");
        ServeRequest request = ServeCommand.request(Arguments.simple(
                        serve,
                        List.of(
                                "--listen",
                                "127.0.0.1:0",
                                "--control",
                                "127.0.0.1:0",
                                "--state",
                                state.toString(),
                                "--export",
                                directory.resolve("warm-up.img") + ",size=1M"))
                .orElseThrow());
        for (int life = 1; life <= 2; life++) {
            TargetServer server = TargetServer.start(request, PassedPorts.fromEnvironment());
            try (ServiceManager manager = ServiceManager.fromEnvironment()) {
                server.printTo(new PrintWriter(Writer.nullWriter()));
                InetSocketAddress portal = server.portals().get(0);
                visit(portal, new Door(STRANGER, request.judged().namePrefix() + ":warm-up"));
                server.finishStart();
                server.openToOperators();
                manager.ready(server);
                visit(portal, ask(state, directory, portal, "life" + life));
                watchOnce(server, directory);
            } finally {
                server.stop();
            }
        }
    }

    /** What an operator does: changes, and a look. */
    private static Door ask(Path state, Path directory, InetSocketAddress portal, String name) throws IOException {
        Path socket = ControlSide.socket(state);
        ApiClient api = new ApiClient(ServerAddress.local(socket));
        Path images = Files.createDirectory(directory.resolve(name));
        ask(api, Operation.POOL_CREATE, Map.of("name", name, "directory", images.toString()));
        ask(api, Operation.LU_CREATE, Map.of("name", name, "size", 1L << 20, "pool", name));
        // The settings say any port; this is the one that it became.
        ask(api, Operation.PORT_ADD, Map.of("name", name, "location", Addresses.print(portal)));
        Fields made = ask(api, Operation.CLIENT_ADD, Map.of("name", name, "kind", "vm", "port", name));
        ask(api, Operation.MAP, Map.of("client", name, "lu", name));
        PrintWriter nobody = new PrintWriter(Writer.nullWriter());
        Main.run(List.of("lsmap", "-all", "--socket", socket.toString()), nobody, nobody);
        return new Door(made.text("initiator"), made.text("target"));
    }

    private static Fields ask(ApiClient api, Operation operation, Map<String, Object> values) throws IOException {
        ApiClient.Reply reply = api.ask(operation, values, OptionalLong.empty());
        if (!reply.good()) {
            throw new IOException(operation + ": " + reply.json().text("message"));
        }
        return reply.json().object("object");
    }

    /** An agent finds the server, proves its disk as before a thaw, and hears that the server goes. */
    private static void watchOnce(TargetServer server, Path directory) throws IOException {
        try (Agent agent = Agent.start(AgentConfig.of(
                server.controlAddress(),
                List.of(VmConfig.parse("warm-up=" + directory.resolve("warm-up.qmp") + ",portal=127.0.0.1:0")),
                directory.resolve("agent")))) {
            long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(SOCKET_LIMIT_MS);
            while (!agent.serverServes() && System.nanoTime() - deadline < 0) {
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
            }
            String objection = agent.proveUnits().get(SOCKET_LIMIT_MS, TimeUnit.MILLISECONDS);
            if (!objection.isEmpty()) {
                throw new IOException(objection);
            }
            server.announce();
        } catch (AgentConfigException | ExecutionException | TimeoutException e) {
            throw new IOException(e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        }
    }

    /** What an initiator does when it comes: login, a look around, a write, a read, a flush, logout. */
    private static void visit(InetSocketAddress portal, Door door) throws IOException {
        try (Socket socket = new Socket()) {
            socket.connect(portal, SOCKET_LIMIT_MS);
            socket.setSoTimeout(SOCKET_LIMIT_MS);
            Visit visit = new Visit(socket);
            Map<String, String> keys = new LinkedHashMap<>();
            keys.put("InitiatorName", door.initiator());
            keys.put("TargetName", door.target());
            keys.put("SessionType", "Normal");
            keys.put("HeaderDigest", "None,CRC32C");
            keys.put("MaxRecvDataSegmentLength", "262144");
            byte[] text = new TextKeys(keys).encode();
            visit.exchange(visit.begin(Opcode.LOGIN_REQUEST, FULL_FEATURE), text, Opcode.LOGIN_RESPONSE);
            visit.command(BasicHeader.FINAL, 0, new byte[0], 0x00);
            visit.command(BasicHeader.FINAL | BasicHeader.READ, 96, new byte[0], 0x12, 0, 0, 0, 96);
            visit.command(
                    BasicHeader.FINAL | BasicHeader.READ,
                    32,
                    new byte[0],
                    0x9e,
                    0x10,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    0,
                    32);
            byte[] block = new byte[BLOCK_BYTES];
            visit.command(BasicHeader.FINAL | BasicHeader.WRITE, BLOCK_BYTES, block, 0x2a, 0, 0, 0, 0, 0, 0, 0, 1);
            visit.command(BasicHeader.FINAL | BasicHeader.READ, BLOCK_BYTES, new byte[0], 0x28, 0, 0, 0, 0, 0, 0, 0, 1);
            visit.command(BasicHeader.FINAL, 0, new byte[0], 0x35);
            visit.exchange(visit.begin(Opcode.LOGOUT_REQUEST, BasicHeader.FINAL), new byte[0], Opcode.LOGOUT_RESPONSE);
        }
    }

    /** The least that an initiator needs: one request, its response, the next. */
    private static final class Visit {
        private final OutputStream out;
        private final DataInputStream in;
        private final BasicHeader header = new BasicHeader();
        private final BasicHeader answer = new BasicHeader();
        private int tag;
        private int cmdSn = 1;

        Visit(Socket socket) throws IOException {
            out = socket.getOutputStream();
            in = new DataInputStream(socket.getInputStream());
        }

        BasicHeader begin(int opcode, int flags) {
            header.begin(opcode, flags);
            header.immediate(opcode != Opcode.SCSI_COMMAND);
            return header.initiatorTaskTag(++tag).cmdSn(cmdSn);
        }

        void command(int flags, int expectedBytes, byte[] data, int... cdb) throws IOException {
            begin(Opcode.SCSI_COMMAND, flags);
            cmdSn++;
            header.putInt(20, expectedBytes);
            for (int i = 0; i < cdb.length; i++) {
                header.bytes()[32 + i] = (byte) cdb[i];
            }
            exchange(header, data, Opcode.SCSI_RESPONSE);
        }

        /** Sends a PDU and reads until the answer has come; Data-In may carry the status instead. */
        void exchange(BasicHeader request, byte[] data, int expected) throws IOException {
            request.dataSegmentBytes(data.length);
            out.write(request.bytes());
            out.write(data);
            out.write(new byte[Padding.of(data.length)]);
            boolean answered = false;
            while (!answered) {
                in.readFully(answer.bytes());
                int length = answer.dataSegmentBytes();
                in.skipNBytes(length + (long) Padding.of(length));
                answered = answer.opcode() == expected
                        || answer.opcode() == Opcode.DATA_IN && answer.flag(BasicHeader.STATUS);
            }
        }
    }
}
