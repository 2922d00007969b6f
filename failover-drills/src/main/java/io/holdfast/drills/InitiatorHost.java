package io.holdfast.drills;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The host's side of the checks: what the guest asks for, from the number of a port to the death of the server. Used by the
 * one thread that reads the guest's port.
 */
final class InitiatorHost {
    /** What the guest calls an ability of the server, and how {@code serve --help} shows that the server has it. */
    private static final Map<String, String> ABILITIES = Map.of("block", "block-size=", "cache", "cache=");

    private final InitiatorServer server;
    private final Optional<InitiatorServer> guarded;
    private final ChapSecrets secrets;
    private final List<TcpRelay> paths;
    private final List<String> checks;

    /**
     * @param guarded the server that asks for CHAP with these secrets
     * @param paths to the portals of {@code server}
     * @param checks the names of those to run; empty for all
     */
    InitiatorHost(
            InitiatorServer server,
            Optional<InitiatorServer> guarded,
            ChapSecrets secrets,
            List<TcpRelay> paths,
            List<String> checks) {
        this.server = server;
        this.guarded = guarded;
        this.secrets = secrets;
        this.paths = List.copyOf(paths);
        this.checks = List.copyOf(checks);
    }

    /** The answer to a request: {@code ok …} or {@code no REASON}. */
    String answer(String request) throws InterruptedException {
        String[] words = request.split(" ", -1);
        try {
            return "ok " + obey(words);
        } catch (DrillFailure e) {
            return "no " + e.getMessage();
        } catch (IndexOutOfBoundsException | NumberFormatException e) {
            return "no such request: " + request;
        }
    }

    private String obey(String[] words) throws DrillFailure, InterruptedException {
        return switch (words[0]) {
            case "checks" -> checks.isEmpty() ? "all" : String.join(" ", checks);
            case "portal" -> String.valueOf(portal(words[1]));
            case "secret" -> secret(words[1]);
            case "relay" -> String.valueOf(path(words[1]).port());
            case "exports" ->
                server.exports().stream().map(InitiatorExport::target).collect(Collectors.joining(" "));
            case "sectors" -> String.valueOf(export(words[1]).sectors());
            case "offers" -> offers(words[1]);
            case "grow" -> {
                server.grow(InitiatorExport.GROW, Long.parseLong(words[1]));
                yield "";
            }
            case "server" -> server(words[1]);
            case "path" -> path(words[1], path(words[2]));
            default -> throw new DrillFailure("request: " + words[0]);
        };
    }

    private int portal(String which) throws DrillFailure {
        if (which.equals("chap")) {
            return guarded.orElseThrow(() -> new DrillFailure("server that asks for CHAP"))
                    .portals()
                    .get(0);
        }
        return server.portals().get(Integer.parseInt(which));
    }

    private String secret(String which) throws DrillFailure {
        return switch (which) {
            case "user" -> secrets.user();
            case "password" -> secrets.password();
            case "target-user" -> secrets.targetUser();
            case "target-password" -> secrets.targetPassword();
            default -> throw new DrillFailure("secret: " + which);
        };
    }

    private TcpRelay path(String number) {
        return paths.get(Integer.parseInt(number));
    }

    private InitiatorExport export(String target) throws DrillFailure {
        Optional<InitiatorExport> found = server.exports().stream()
                .filter(export -> export.target().equals(target))
                .findFirst();
        return found.orElseThrow(() -> new DrillFailure("disk: " + target));
    }

    private String offers(String ability) throws DrillFailure {
        String word = ABILITIES.get(ability);
        boolean offered = ability.equals("chap") ? guarded.isPresent() : word != null && server.offers(word);
        if (!offered) {
            throw new DrillFailure("the server has no option for it (" + ability + ")");
        }
        return "";
    }

    private String server(String action) throws DrillFailure, InterruptedException {
        switch (action) {
            case "kill" -> server.kill();
            case "start" -> server.start();
            default -> throw new DrillFailure("server action: " + action);
        }
        return "";
    }

    private static String path(String action, TcpRelay path) throws DrillFailure {
        switch (action) {
            case "hang" -> path.hang();
            case "cut" -> path.cut();
            case "restore" -> path.restore();
            default -> throw new DrillFailure("path action: " + action);
        }
        return "";
    }
}
