package io.holdfast.drills;

import io.holdfast.testimages.DiskChecker;
import io.holdfast.testimages.DiskReport;
import io.holdfast.testimages.GuestImages;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Many guests on one server, each with its own port name, CHAP secret and LU, who write and verify while what they see is
 * mapped, unmapped and resized, and while others try to take their names and targets.
 */
final class ClientsDrill {
    private static final Duration COMMAND_LIMIT = Duration.ofSeconds(60);
    /** A boot takes seconds alone; here several share two cores. */
    private static final Duration START_LIMIT = Duration.ofSeconds(30);

    private static final Duration GUEST_LIMIT = Duration.ofMinutes(4);

    private static final int RECORDS_BETWEEN_CHANGES = 20;
    private static final int SECRET_BYTES = 16;
    private static final Pattern COMPLAINT = Pattern.compile("\\bERROR\\b");

    /**
     * @param atOnce how many guests boot at the same time
     * @param narrator hears what happens
     */
    record Setting(Path checkout, Path work, int guests, int atOnce, GuestImages images, Consumer<String> narrator) {
        Path holdfast() {
            return checkout.resolve("scripts/holdfast");
        }
    }

    /** What came of it: {@code problems} is empty if everything held. */
    record Result(int guests, long records, int forgeriesRefused, int changes, List<String> problems) {
        boolean good() {
            return problems.isEmpty();
        }

        String line() {
            return "clients=" + (good() ? "ok" : "failed") + " guests=" + guests + " records=" + records
                    + " forgeries_refused=" + forgeriesRefused + " changes=" + changes + " problems=" + problems.size();
        }
    }

    private final Setting setting;
    private final List<ClientGuest> guests = new ArrayList<>();
    private final List<String> problems = new ArrayList<>();
    private int forgeriesRefused;
    private int changes;

    ClientsDrill(Setting setting) {
        this.setting = setting;
    }

    Result run() throws DrillFailure, InterruptedException {
        try (Workplace place = Workplace.below(setting.work())) {
            int portal = FreePort.choose();
            Child server = startServer(place, portal);
            makeClients(place);
            bootAll(place, portal);
            lookAround(place, portal);
            forge(place, portal);
            changeWhileAllWrite(place);
            for (ClientGuest guest : guests) {
                guest.powerOff(GUEST_LIMIT);
            }
            judge(server);
            long records = guests.stream()
                    .mapToLong(guest -> guest.report().ledger().acked())
                    .sum();
            return new Result(guests.size(), records, forgeriesRefused, changes, problems);
        } catch (IOException e) {
            throw new DrillFailure("the drill's files cannot be used: " + e.getMessage(), e);
        }
    }

    private void say(String text) {
        setting.narrator().accept(text);
    }

    private AdministeredServer server(Workplace place) {
        return new AdministeredServer(setting.holdfast(), place);
    }

    private Child startServer(Workplace place, int portal) throws DrillFailure, InterruptedException {
        Child server = server(place).start(portal);
        server(place).awaitAdministrator(server, START_LIMIT);
        say("the server serves at 127.0.0.1:" + portal);
        return server;
    }

    // ------------------------------------------------------------------ the administrator

    /** Runs a command of the administrator's, which must succeed. */
    private String holdfast(Workplace place, String... words) throws DrillFailure, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                "env",
                "HOLDFAST_SOCKET=" + server(place).socket(),
                setting.holdfast().toString()));
        command.addAll(List.of(words));
        Child child = run(place, "holdfast " + String.join(" ", words), command);
        String said = String.join("\n", child.tail(1000));
        if (child.exitCode() != 0) {
            throw new DrillFailure(child.name() + ": " + said);
        }
        return said;
    }

    private static Child run(Workplace place, String name, List<String> command)
            throws DrillFailure, InterruptedException {
        Child child = place.start(name, command, place.file("commands.log"), Duration.ZERO);
        Patience.await("the end of " + name, COMMAND_LIMIT, List.of(), () -> !child.alive());
        child.awaitEnd(Duration.ofSeconds(1));
        return child;
    }

    private void makeClients(Workplace place) throws DrillFailure, InterruptedException, IOException {
        holdfast(place, "wwpn-pool", "create", "drill", "c05076075aac");
        for (int i = 0; i < setting.guests(); i++) {
            String name = "vm" + i;
            Path secret = place.file(name + ".secret");
            byte[] random = new byte[SECRET_BYTES];
            new SecureRandom().nextBytes(random);
            Files.writeString(secret, HexFormat.of().formatHex(random));
            Path image = setting.images().copyRoot(place.file("root-" + name + ".img"));
            holdfast(place, "client", "add", name, "--secret", secret.toString());
            holdfast(place, "lu", "create", "root-" + name, "--path", image.toString());
            holdfast(place, "map", name, "root-" + name);
            String shown = holdfast(place, "client", "show", name, "--format", "json");
            guests.add(new ClientGuest(
                    new ClientIdentity(name, field(shown, "initiator"), field(shown, "target"), secret), image));
        }
        say(setting.guests() + " clients, each with a port name, a secret and an LU");
    }

    private static String field(String json, String name) throws DrillFailure {
        Matcher field = Pattern.compile("\"" + name + "\"\\s*:\\s*\"([^\"]+)\"").matcher(json);
        if (!field.find()) {
            throw new DrillFailure("no \"" + name + "\" in " + json);
        }
        return field.group(1);
    }

    // ------------------------------------------------------------------ the guests

    /** A few at a time: a boot under TCG takes a core. */
    private void bootAll(Workplace place, int portal) throws DrillFailure, InterruptedException {
        for (int from = 0; from < guests.size(); from += setting.atOnce()) {
            List<ClientGuest> batch = guests.subList(from, Math.min(guests.size(), from + setting.atOnce()));
            for (ClientGuest guest : batch) {
                guest.start(place, setting.images(), portal);
            }
            for (ClientGuest guest : batch) {
                guest.awaitRecords(1, GUEST_LIMIT);
            }
            say((from + batch.size()) + " guests write");
        }
    }

    private void allGoOn() throws DrillFailure, InterruptedException {
        for (ClientGuest guest : guests) {
            guest.awaitRecords(RECORDS_BETWEEN_CHANGES, GUEST_LIMIT);
        }
    }

    /** Each sees its own target and LU, and nothing else. */
    private void lookAround(Workplace place, int portal) throws DrillFailure, InterruptedException, IOException {
        for (ClientGuest guest : guests) {
            ClientIdentity who = guest.identity();
            Path chap = place.file(who.client() + ".chap");
            Files.writeString(chap, who.client() + "\n" + Files.readString(who.secret()) + "\n");
            Child list = run(
                    place,
                    "holdfast-port list " + who.initiator(),
                    List.of(
                            "env",
                            "HOLDFAST_CHAP=" + chap,
                            setting.checkout().resolve("scripts/holdfast-port").toString(),
                            "list",
                            who.initiator(),
                            "127.0.0.1:" + portal));
            String seen = String.join("\n", list.tail(100));
            if (!seen.equals(who.target() + " 0")) {
                problems.add(who.client() + " sees: " + seen);
            }
        }
        say("each sees its own target and LU only");
    }

    /** Everybody tries his neighbour's name, with his own secret, and his neighbour's target, under his own name. */
    private void forge(Workplace place, int portal) throws DrillFailure, InterruptedException {
        for (int i = 0; i < guests.size(); i++) {
            ClientIdentity forger = guests.get(i).identity();
            ClientIdentity neighbour = guests.get((i + 1) % guests.size()).identity();
            tryToRead(place, portal, forger.called(neighbour.initiator()).at(neighbour.target()));
            tryToRead(place, portal, forger.at(neighbour.target()));
        }
        say(forgeriesRefused + " forgeries refused");
    }

    private void tryToRead(Workplace place, int portal, ClientIdentity forged)
            throws DrillFailure, InterruptedException {
        Child reader = run(
                place,
                "a forger",
                List.of(
                        "qemu-io",
                        "--image-opts",
                        "--object",
                        "secret,id=chap,file=" + forged.secret(),
                        "-c",
                        "read 0 512",
                        "driver=raw," + forged.blockNode(portal, "file.") + ",file.password-secret=chap"));
        String said = String.join("\n", reader.tail(100));
        if (said.contains("read 512/512") || reader.exitCode() == 0) {
            problems.add(forged.client() + " as " + forged.initiator() + " read " + forged.target());
        } else {
            forgeriesRefused++;
        }
    }

    private void changeWhileAllWrite(Workplace place) throws DrillFailure, InterruptedException, IOException {
        for (ClientGuest guest : guests) {
            String client = guest.identity().client();
            String more = "more-" + client;
            holdfast(
                    place,
                    "lu",
                    "create",
                    more,
                    "16M",
                    "--path",
                    place.file(more + ".img").toString());
            holdfast(place, "map", client, more);
            holdfast(place, "lu", "resize", more, "32M");
            holdfast(place, "lu", "resize", "root-" + client, String.valueOf(Files.size(guest.image()) + (16 << 20)));
            holdfast(place, "unmap", client, more);
            holdfast(place, "lu", "remove", more, "--delete-image");
            changes += 6;
            allGoOn();
        }
        say(changes + " changes while all of them wrote");
    }

    // ------------------------------------------------------------------ the verdict

    private void judge(Child server) throws DrillFailure, InterruptedException {
        for (ClientGuest guest : guests) {
            String client = guest.identity().client();
            guest.report().errors().forEach(error -> problems.add(client + ": " + error.line()));
            guest.report().kernelMessages().forEach(message -> problems.add(client + "'s kernel: " + message.line()));
            try {
                DiskReport disk =
                        DiskChecker.check(guest.image(), guest.report().ledger());
                if (!disk.intact()) {
                    problems.add(client + "'s disk: " + disk);
                }
            } catch (IOException e) {
                throw new DrillFailure("the disk of " + client + " cannot be checked: " + e.getMessage(), e);
            }
        }
        server.tail(10_000).stream()
                .filter(line -> COMPLAINT.matcher(line).find())
                .forEach(line -> problems.add("the server: " + line));
    }
}
