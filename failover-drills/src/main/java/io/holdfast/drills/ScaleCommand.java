package io.holdfast.drills;

import io.holdfast.control.client.ApiClient;
import io.holdfast.control.client.ServerAddress;
import io.holdfast.control.operator.Operation;
import io.holdfast.iscsi.wire.BasicHeader;
import io.holdfast.iscsi.wire.Opcode;
import io.holdfast.iscsi.wire.PduEncoder;
import io.holdfast.iscsi.wire.TextKeys;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command line of {@code scripts/scale.sh}: what a server of many clients takes, as its users would see it. */
@Command(
        name = "scale.sh",
        mixinStandardHelpOptions = true,
        version = "Holdfast 0.1.0",
        sortOptions = false,
        usageHelpAutoWidth = true,
        description = "Makes clients and LUs on a server by its API, then measures: 'holdfast lsmap -all' as a "
                + "whole command, the time from a start after SIGKILL to the first login answered, and the "
                + "login of every client. The limits are for the medians, of logins for 99 %.",
        footer = {"", "Exit code: 0 all within their limits, 1 something is not, 2 wrong usage."})
public final class ScaleCommand implements Callable<Integer> {
    private static final int LSMAP_LIMIT_MS = 1_000;
    private static final int START_LIMIT_MS = 1_000;
    private static final int LOGIN_LIMIT_US = 10_000;
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final long LINUX_ISID = 0x00023d000001L;
    private static final int HEADER_BYTES = 48;
    private static final int STATUS_CLASS = 36;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Option(names = "--clients", paramLabel = "N", defaultValue = "1000", description = "Default: ${DEFAULT-VALUE}.")
    private int clients = 1000;

    @Option(
            names = "--lus",
            paramLabel = "N",
            defaultValue = "5",
            description = "How many LUs each client has. Default: ${DEFAULT-VALUE}.")
    private int lus = 5;

    @Option(
            names = "--repeat",
            paramLabel = "N",
            defaultValue = "5",
            description = "How often starts and lsmap are measured. Default: ${DEFAULT-VALUE}.")
    private int repeat = 5;

    private boolean good = true;

    @Mixin
    private WhereOptions where = new WhereOptions();

    /** Runs the command line and ends the process. */
    public static void main(String[] args) {
        DrillCommandLine.run(new ScaleCommand(), args);
    }

    /** Who logs in where. */
    private record Login(String initiator, String target) {}

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (clients < 1 || lus < 0 || repeat < 1) {
            throw new ParameterException(
                    spec.commandLine(),
                    "clients and repeat must be 1 or more, lus 0 or more: " + clients + ", " + repeat + ", " + lus);
        }
        try (Workplace place = Workplace.below(where.work())) {
            measure(place);
            return good ? 0 : 1;
        } catch (DrillFailure e) {
            say(String.valueOf(e.getMessage()));
            return 1;
        }
    }

    private void measure(Workplace place) throws DrillFailure, IOException, InterruptedException {
        int portal = FreePort.choose();
        Child server = server(place).start(portal);
        server(place).awaitAdministrator(server, PATIENCE);
        List<Login> logins = furnish(place);
        lsmap(place);
        logins(portal, logins);
        List<Long> starts = new ArrayList<>();
        for (int i = 0; i < repeat; i++) {
            server.kill();
            Child dead = server;
            Patience.await("the end of the server", PATIENCE, List.of(), () -> !dead.alive());
            server = server(place).start(portal);
            starts.add(awaitLogin(server, portal, logins.get(i % logins.size())) / 1_000_000);
        }
        Collections.sort(starts);
        tell("start_to_login_ms", median(starts), last(starts), START_LIMIT_MS);
        logins(portal, logins);
    }

    private void say(String text) {
        PrintWriter out = spec.commandLine().getOut();
        out.println(text);
        out.flush();
    }

    private void tell(String what, long median, long max, long limit) {
        boolean within = median <= limit;
        good &= within;
        say(what + " median=" + median + " max=" + max + " limit=" + limit + (within ? "" : " EXCEEDED"));
    }

    private static long median(List<Long> sorted) {
        return sorted.get(sorted.size() / 2);
    }

    private static long last(List<Long> sorted) {
        return sorted.get(sorted.size() - 1);
    }

    // ------------------------------------------------------------------ the server

    private AdministeredServer server(Workplace place) {
        return new AdministeredServer(where.program(), place);
    }

    private List<Login> furnish(Workplace place) throws DrillFailure, IOException {
        ApiClient api = new ApiClient(ServerAddress.local(server(place).socket()));
        Path images = Files.createDirectories(place.file("images"));
        ask(api, Operation.POOL_CREATE, Map.of("name", "images", "directory", images.toString()));
        List<Login> logins = new ArrayList<>();
        long began = System.nanoTime();
        for (int i = 0; i < clients; i++) {
            String client = "c" + i;
            ApiClient.Reply reply = ask(api, Operation.CLIENT_ADD, Map.of("name", client));
            logins.add(new Login(
                    reply.json().object("object").text("initiator"),
                    reply.json().object("object").text("target")));
            for (int j = 0; j < lus; j++) {
                String lu = "lu" + i + "-" + j;
                ask(api, Operation.LU_CREATE, Map.of("name", lu, "size", 1L << 20));
                ask(api, Operation.MAP, Map.of("client", client, "lu", lu));
            }
        }
        long ms = (System.nanoTime() - began) / 1_000_000;
        int commands = clients * (1 + 2 * lus);
        say(clients + " clients and " + clients * lus + " LUs were made by " + commands + " commands in " + ms + " ms");
        return logins;
    }

    private static ApiClient.Reply ask(ApiClient api, Operation operation, Map<String, Object> values)
            throws DrillFailure, IOException {
        ApiClient.Reply reply = api.ask(operation, values, OptionalLong.empty());
        if (!reply.good()) {
            throw new DrillFailure(operation + " " + values + ": " + reply.status() + " "
                    + reply.json().text("message"));
        }
        return reply;
    }

    private void lsmap(Workplace place) throws DrillFailure, InterruptedException {
        List<Long> times = new ArrayList<>();
        for (int i = 0; i < repeat; i++) {
            long began = System.nanoTime();
            Child child = place.start(
                    "lsmap",
                    List.of(
                            "env",
                            "HOLDFAST_SOCKET=" + server(place).socket(),
                            where.program().toString(),
                            "lsmap",
                            "-all"),
                    place.file("lsmap.log"),
                    Duration.ZERO);
            Patience.await("the end of lsmap", PATIENCE, List.of(), () -> !child.alive());
            times.add((System.nanoTime() - began) / 1_000_000);
            child.awaitEnd(PATIENCE);
            if (child.exitCode() != 0) {
                throw new DrillFailure(child.obituary());
            }
        }
        Collections.sort(times);
        tell("lsmap_all_ms", median(times), last(times), LSMAP_LIMIT_MS);
    }

    // ------------------------------------------------------------------ logins

    /** Nanoseconds from the server's start to the first answer that lets a client in. */
    private static long awaitLogin(Child server, int portal, Login login) throws DrillFailure, InterruptedException {
        Patience.await("the first login", PATIENCE, List.of(server), () -> {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), portal)) {
                return answer(socket, request(login)) == 0;
            } catch (IOException e) {
                return false;
            }
        });
        return System.nanoTime() - server.startedNs();
    }

    private void logins(int portal, List<Login> logins) throws DrillFailure, IOException {
        List<Long> micros = new ArrayList<>();
        List<Socket> open = new ArrayList<>();
        try {
            for (Login login : logins) {
                byte[] request = request(login);
                long began = System.nanoTime();
                Socket socket = new Socket(InetAddress.getLoopbackAddress(), portal);
                open.add(socket);
                socket.setTcpNoDelay(true);
                int status = answer(socket, request);
                micros.add((System.nanoTime() - began) / 1_000);
                if (status != 0) {
                    throw new DrillFailure("login of " + login + " refused, class " + status);
                }
            }
        } finally {
            for (Socket socket : open) {
                socket.close();
            }
        }
        Collections.sort(micros);
        long most = micros.get(micros.size() * 99 / 100);
        boolean within = most <= LOGIN_LIMIT_US;
        good &= within;
        say("login_us median=" + median(micros) + " p99=" + most + " max=" + last(micros) + " limit=" + LOGIN_LIMIT_US
                + (within ? "" : " EXCEEDED"));
    }

    private static byte[] request(Login login) throws IOException {
        Map<String, String> keys = new LinkedHashMap<>();
        keys.put("InitiatorName", login.initiator());
        keys.put("SessionType", "Normal");
        keys.put("TargetName", login.target());
        byte[] text = new TextKeys(keys).encode();
        // Straight from operational negotiation to full feature phase: RFC 7143 §6.3.
        BasicHeader header = new BasicHeader()
                .begin(Opcode.LOGIN_REQUEST, BasicHeader.FINAL | 1 << 2 | 3)
                .isidAndTsih(LINUX_ISID, 0)
                .initiatorTaskTag(1)
                .cmdSn(1);
        header.immediate(true);
        ByteBuf out = Unpooled.buffer();
        try {
            new PduEncoder().writePdu(header, text, text.length, out);
            return ByteBufUtil.getBytes(out);
        } finally {
            out.release();
        }
    }

    /** @return the status class, 0 for success */
    private static int answer(Socket socket, byte[] request) throws IOException {
        socket.setSoTimeout((int) PATIENCE.toMillis());
        socket.getOutputStream().write(request);
        byte[] header = socket.getInputStream().readNBytes(HEADER_BYTES);
        if (header.length < HEADER_BYTES) {
            throw new IOException("hung up before it answered");
        }
        return header[STATUS_CLASS];
    }
}
