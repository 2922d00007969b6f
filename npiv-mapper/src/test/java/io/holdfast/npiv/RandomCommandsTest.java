package io.holdfast.npiv;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Any sequence of commands, with backups and restores in between: what must always hold, holds after each of them. The
 * expectations are kept here, beside the fabric, from nothing but the commands that succeeded.
 */
class RandomCommandsTest {
    private static final int COMMANDS = 1_500;
    private static final int SMALL = 6;
    private static final String[] PORTS = {"fcs0", "fcs1"};
    private static final String[] PREFIXES = {"c05076075aa", "c05076075aac000", "3000000000a", "5005076801234"};

    private Random random = new Random(0);
    private Fabric fabric = Fabric.EMPTY;
    private final List<FabricState> backups = new ArrayList<>();
    /** Every name ever issued, and the adapter it was issued to. */
    private final Map<Wwpn, AdapterId> everIssued = new HashMap<>();

    private int logins;

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
    void shouldKeepWhatItPromisesWhateverIsAskedOfIt(long seed) {
        random = new Random(seed);
        int done = 0;
        for (int i = 0; i < COMMANDS; i++) {
            Fabric before = fabric;
            boolean restored = random.nextInt(40) == 0 && restoreSomeBackup();
            if (!restored) {
                FabricCommand command = anyCommand();
                Outcome outcome = fabric.apply(command);
                if (outcome instanceof Outcome.Done succeeded) {
                    done++;
                    fabric = succeeded.fabric();
                    note(command, succeeded.objects().get(0));
                    lunsAreStable(before, command);
                } else {
                    assertThat(((Outcome.Refused) outcome).refusal().message()).isNotBlank();
                }
            }
            if (random.nextInt(25) == 0) {
                backups.add(fabric.state());
            }
            countersNeverGoBack(before);
            namesAreUniqueForEver();
            privateLusAreSeenByOneClient();
            if (i % 50 == 0) {
                maskingIsComplete();
                assertThat(FabricRules.problemsOf(fabric.state())).isEmpty();
                assertThat(Scene.fabricOf(Fabric.of(fabric.state())).state()).isEqualTo(fabric.state());
            }
        }
        assertThat(done).as("commands that succeeded").isGreaterThan(COMMANDS / 5);
        assertThat(logins).as("logins granted").isGreaterThan(10);
        assertThat(everIssued).as("names issued").hasSizeGreaterThan(20);
    }

    private boolean restoreSomeBackup() {
        if (backups.isEmpty()) {
            return false;
        }
        Outcome outcome = fabric.restore(backups.get(random.nextInt(backups.size())));
        if (outcome instanceof Outcome.Done succeeded) {
            fabric = succeeded.fabric();
            return true;
        }
        assertThat(Scene.refusal(outcome)).isInstanceOf(Refusal.PrefixTaken.class);
        return false;
    }

    private void note(FabricCommand command, FabricObject object) {
        if (command instanceof AdapterCommand.Add) {
            ClientAdapter adapter = (ClientAdapter) object;
            for (Side side : Side.values()) {
                assertThat(everIssued.put(adapter.pair().of(side), adapter.id()))
                        .as(adapter.pair().of(side) + " was issued before")
                        .isNull();
            }
        }
    }

    private void countersNeverGoBack(Fabric before) {
        assertThat(fabric.version()).isGreaterThanOrEqualTo(before.version());
        assertThat(fabric.nextClient()).isGreaterThanOrEqualTo(before.nextClient());
        assertThat(fabric.nextServer()).isGreaterThanOrEqualTo(before.nextServer());
        Map<WwpnPrefix, Long> now = counters(fabric);
        counters(before)
                .forEach((prefix, count) -> assertThat(now.getOrDefault(prefix, -1L))
                        .as("counter of " + prefix)
                        .isGreaterThanOrEqualTo(count));
    }

    private static Map<WwpnPrefix, Long> counters(Fabric fabric) {
        Map<WwpnPrefix, Long> counters = new TreeMap<>(fabric.retiredPrefixes);
        fabric.pools().forEach(pool -> counters.put(pool.prefix(), pool.nextPair()));
        return counters;
    }

    private void namesAreUniqueForEver() {
        Set<Wwpn> present = new HashSet<>();
        for (ClientAdapter adapter : fabric.adapters()) {
            for (Side side : Side.values()) {
                assertThat(present.add(adapter.pair().of(side))).isTrue();
                assertThat(everIssued.get(adapter.pair().of(side))).isEqualTo(adapter.id());
            }
        }
    }

    private void privateLusAreSeenByOneClient() {
        Set<String> shared = new HashSet<>();
        fabric.lus().stream().filter(lu -> lu.sharing() == Sharing.SHARED).forEach(lu -> shared.add(lu.name()));
        Map<String, Integer> owners = new HashMap<>();
        for (LuMap map : fabric.maps()) {
            Integer other = owners.put(map.lu(), map.client());
            assertThat(other == null || shared.contains(map.lu()))
                    .as(map + " is seen by client " + other + " too")
                    .isTrue();
        }
    }

    /** Every name that could be tried, at every target and port: who gets in sees his own LUs, all of them, as mapped. */
    private void maskingIsComplete() {
        LoginDirectory directory = new LoginDirectory(fabric, Scene.TARGETS);
        for (ClientAdapter adapter : fabric.adapters()) {
            List<LuMap> own = List.copyOf(fabric.mapsOf(adapter.id().client()));
            for (Side side : Side.values()) {
                Wwpn name = adapter.pair().of(side);
                for (String spelling : spellings(name)) {
                    boolean itsName =
                            spelling.equalsIgnoreCase(name.naaName()) || spelling.equalsIgnoreCase(name.euiName());
                    tryEverywhere(directory, adapter, spelling, itsName, own);
                }
            }
        }
        for (Wwpn gone : everIssued.keySet()) {
            if (fabric.adapters().stream()
                    .noneMatch(a ->
                            a.pair().first().equals(gone) || a.pair().second().equals(gone))) {
                assertThat(directory.wwpnOf(gone.naaName())).isEmpty();
                assertThat(directory.rightOf(gone)).isEqualTo(LoginRight.NONE);
            }
        }
    }

    private static List<String> spellings(Wwpn name) {
        return List.of(
                name.naaName(),
                name.naaName().toUpperCase(Locale.ROOT),
                name.euiName(),
                name.toString(),
                "naa." + name.withColons(),
                "eui." + name.inQuads(),
                "iqn.2026-11.org.example:" + name,
                name.naaName() + "0",
                "naa.0x" + name);
    }

    private void tryEverywhere(
            LoginDirectory directory, ClientAdapter adapter, String spelling, boolean itsName, List<LuMap> own) {
        for (String port : PORTS) {
            for (ServerAdapter server : fabric.servers()) {
                LoginDecision decision =
                        directory.judge(new LoginAttempt(spelling, directory.targetName(server), port, "h"), Map.of());
                if (decision instanceof LoginDecision.Granted granted) {
                    logins++;
                    assertThat(itsName).as(spelling).isTrue();
                    assertThat(server.client()).isEqualTo(adapter.id());
                    assertThat(port).isEqualTo(server.port());
                    assertThat(granted.units()).isEqualTo(own);
                    assertThat(directory.visibleTo(spelling, port)).containsExactly(server);
                }
            }
            for (ServerAdapter visible : directory.visibleTo(spelling, port)) {
                assertThat(itsName).as(spelling).isTrue();
                assertThat(visible.client()).isEqualTo(adapter.id());
            }
        }
        assertThat(directory.wwpnOf(spelling).isPresent()).isEqualTo(itsName);
    }

    /** A number shows the same LU until that very number is unmapped. */
    private void lunsAreStable(Fabric before, FabricCommand command) {
        Map<MapId, String> now = new HashMap<>();
        fabric.maps().forEach(map -> now.put(map.id(), map.lu()));
        for (LuMap map : before.maps()) {
            boolean unmapped = command.equals(new LuCommand.Unmap(map.client(), map.lun()));
            assertThat(now.get(map.id())).isEqualTo(unmapped ? null : map.lu());
        }
    }

    private FabricCommand anyCommand() {
        return switch (random.nextInt(24)) {
            case 0 -> new PoolCommand.Create(name("p"), new WwpnPrefix(PREFIXES[random.nextInt(PREFIXES.length)]));
            case 1 -> new PoolCommand.Delete(name("p"));
            case 2, 3 ->
                new ClientCommand.Create(name("c"), random.nextBoolean() ? ClientKind.VM : ClientKind.CONTAINER);
            case 4 -> new ClientCommand.Delete(client());
            case 5, 6, 7 -> new AdapterCommand.Add(client(), pool(), maybe(3));
            case 8 -> new AdapterCommand.Remove(adapter());
            case 9, 10 -> new AdapterCommand.Pair(adapter(), maybe(SMALL));
            case 11 -> new AdapterCommand.Unpair(server());
            case 12 -> new PortCommand.Add(PORTS[random.nextInt(2)], "here", 1 + random.nextInt(4));
            case 13, 14 -> new PortCommand.Assign(server(), random.nextInt(5) == 0 ? null : PORTS[random.nextInt(2)]);
            case 15 -> new ZoneCommand.Create(name("z"), someNames(), List.of(PORTS[random.nextInt(2)]));
            case 16 -> new ZoneCommand.Delete(name("z"));
            case 17, 18 -> new LuCommand.Add(name("lu"), random.nextInt(3) == 0 ? Sharing.SHARED : Sharing.PRIVATE);
            case 19, 20 -> new LuCommand.Map(client(), name("lu"), MapAccess.READ_WRITE, maybe(4));
            case 21 -> new LuCommand.Unmap(client(), random.nextInt(4));
            case 22 ->
                random.nextBoolean()
                        ? new LuCommand.Declare(name("lu"), random.nextBoolean() ? Sharing.SHARED : Sharing.PRIVATE)
                        : new LuCommand.Remove(name("lu"));
            default ->
                switch (random.nextInt(3)) {
                    case 0 -> new MigrationCommand.Prepare(client());
                    case 1 -> new MigrationCommand.HandOver(client());
                    default -> new MigrationCommand.Cancel(client());
                };
        };
    }

    private String name(String kind) {
        return kind + random.nextInt(SMALL);
    }

    private @Nullable Integer maybe(int bound) {
        return random.nextBoolean() ? null : Integer.valueOf(random.nextInt(bound + 1));
    }

    private int client() {
        return anyOf(fabric.clients().stream().map(Client::id).toList(), 1);
    }

    private String pool() {
        return anyOf(fabric.pools().stream().map(WwpnPool::name).toList(), "p0");
    }

    private AdapterId adapter() {
        return anyOf(fabric.adapters().stream().map(ClientAdapter::id).toList(), new AdapterId(1, 1));
    }

    private int server() {
        return anyOf(fabric.servers().stream().map(ServerAdapter::number).toList(), 0);
    }

    private List<Wwpn> someNames() {
        List<Wwpn> names = new ArrayList<>();
        for (ClientAdapter adapter : fabric.adapters()) {
            for (Side side : Side.values()) {
                if (random.nextInt(4) == 0) {
                    names.add(adapter.pair().of(side));
                }
            }
        }
        return names;
    }

    private <T> T anyOf(List<T> choices, T otherwise) {
        return choices.isEmpty() ? otherwise : choices.get(random.nextInt(choices.size()));
    }
}
