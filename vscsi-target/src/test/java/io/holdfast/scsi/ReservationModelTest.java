package io.holdfast.scsi;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Random PERSISTENT RESERVE OUT commands from several nexuses, compared after each with a model that was written from the
 * standard alone and shares nothing with the implementation; now and then the server is started anew.
 */
class ReservationModelTest {
    private static final int ROUNDS = 1_500;
    private static final String[] NAMES = {"iqn.p", "iqn.q", "iqn.r"};
    private static final int[] PORTS = {1, 2};
    private static final int[] TYPES = {1, 3, 5, 6, 7, 8};

    /** The registrations, the reservation, and what each nexus is to hear, as plain as can be. */
    private static final class Model {
        final Map<String, Integer> keys = new TreeMap<>();
        final Map<String, Set<SenseCode>> news = new TreeMap<>();
        int type;
        String holder = "";
        int generation;

        boolean everybodyHolds() {
            return type == 7 || type == 8;
        }

        boolean holds(String nexus) {
            return type != 0 && keys.containsKey(nexus) && (everybodyHolds() || holder.equals(nexus));
        }

        boolean writes(String nexus) {
            return type == 0 || holds(nexus) || (type >= 5 && keys.containsKey(nexus));
        }

        boolean reads(String nexus) {
            return writes(nexus) || type == 1 || type == 5 || type == 7;
        }

        void tell(String nexus, SenseCode what) {
            news.computeIfAbsent(nexus, any -> new TreeSet<>()).add(what);
        }

        void tellOthers(String but, SenseCode what) {
            keys.keySet().stream().filter(nexus -> !nexus.equals(but)).forEach(nexus -> tell(nexus, what));
        }

        boolean knows(String who, int key) {
            return keys.containsKey(who) && keys.getOrDefault(who, 0) == key;
        }

        String register(List<String> all, int key, int newKey, boolean ignore) {
            for (String nexus : all) {
                if (!ignore && keys.getOrDefault(nexus, 0) != key) {
                    return "CONFLICT";
                }
            }
            boolean known = all.stream().anyMatch(keys::containsKey);
            if (newKey == 0 && !known) {
                return "GOOD";
            }
            generation++;
            if (newKey != 0) {
                all.forEach(nexus -> keys.put(nexus, newKey));
                return "GOOD";
            }
            boolean holderLeaves = all.contains(holder);
            keys.keySet().removeAll(all);
            if (type != 0 && (everybodyHolds() ? keys.isEmpty() : holderLeaves)) {
                if (type == 5 || type == 6) {
                    tellOthers("", SenseCode.RESERVATIONS_RELEASED);
                }
                type = 0;
                holder = "";
            }
            return "GOOD";
        }

        String reserve(String who, int key, int newType) {
            if (!knows(who, key)) {
                return "CONFLICT";
            }
            if (type == 0) {
                type = newType;
                holder = newType >= 7 ? "" : who;
                return "GOOD";
            }
            return holds(who) && type == newType ? "GOOD" : "CONFLICT";
        }

        String release(String who, int key, int itsType) {
            if (!knows(who, key)) {
                return "CONFLICT";
            }
            if (!holds(who)) {
                return "GOOD";
            }
            if (type != itsType) {
                return "CHECK";
            }
            if (type >= 5) {
                tellOthers(who, SenseCode.RESERVATIONS_RELEASED);
            }
            type = 0;
            holder = "";
            return "GOOD";
        }

        String clear(String who, int key) {
            if (!knows(who, key)) {
                return "CONFLICT";
            }
            tellOthers(who, SenseCode.RESERVATIONS_PREEMPTED);
            keys.clear();
            type = 0;
            holder = "";
            generation++;
            return "GOOD";
        }

        String preempt(String who, int key, int victims, int newType) {
            if (!knows(who, key)) {
                return "CONFLICT";
            }
            boolean takes = everybodyHolds() ? victims == 0 : type != 0 && keys.getOrDefault(holder, 0) == victims;
            if (!takes && victims == 0) {
                return "CHECK";
            }
            List<String> gone = new ArrayList<>();
            for (String nexus : keys.keySet()) {
                boolean meant = keys.getOrDefault(nexus, 0) == victims || (takes && victims == 0);
                if (meant && !(takes && nexus.equals(who))) {
                    gone.add(nexus);
                }
            }
            if (!takes && gone.isEmpty()) {
                return "CONFLICT";
            }
            generation++;
            keys.keySet().removeAll(gone);
            gone.remove(who);
            gone.forEach(nexus -> tell(nexus, SenseCode.REGISTRATIONS_PREEMPTED));
            if (takes) {
                if (type != newType) {
                    tellOthers(who, SenseCode.RESERVATIONS_RELEASED);
                }
                type = newType;
                holder = newType >= 7 ? "" : who;
            } else if (everybodyHolds() && keys.isEmpty()) {
                type = 0;
            }
            return "GOOD";
        }

        String move(String who, int key, int newKey, String to, boolean unregister) {
            if (!knows(who, key) || !holds(who) || everybodyHolds()) {
                return "CONFLICT";
            }
            if (newKey == 0 || to.equals(who)) {
                return "CHECK";
            }
            keys.put(to, newKey);
            holder = to;
            if (unregister) {
                keys.remove(who);
            }
            generation++;
            return "GOOD";
        }
    }

    @TempDir
    Path dir;

    private final Map<String, Reserver> reservers = new TreeMap<>();
    private final Model model = new Model();

    private void start() throws IOException {
        LogicalUnit unit = LogicalUnit.builder(LogicalUnitIdentity.of(Initiator.UNIT_UUID), new TestBackend(1 << 16))
                .reservations(FileReservationStore.open(dir, Initiator.UNIT_UUID))
                .targetPorts(List.of(1, 2))
                .build();
        reservers.clear();
        for (String name : NAMES) {
            for (int port : PORTS) {
                Reserver one = Reserver.at(unit, name, port);
                reservers.put(one.name().initiatorPort() + " " + port, one);
            }
        }
        model.news.clear();
    }

    @ParameterizedTest
    @ValueSource(longs = {11, 12, 13, 14})
    void shouldDoWhatTheStandardSays(long seed) throws IOException {
        Random random = new Random(seed);
        start();
        Map<String, Integer> answers = new TreeMap<>();
        for (int i = 0; i < ROUNDS; i++) {
            if (random.nextInt(100) == 0) {
                start();
            }
            List<String> names = List.copyOf(reservers.keySet());
            String who = names.get(random.nextInt(names.size()));
            // Mostly the right key: or nothing would ever happen.
            int key = random.nextInt(8) == 0 ? random.nextInt(4) : model.keys.getOrDefault(who, 0);
            int other = random.nextInt(4);
            int type = TYPES[random.nextInt(TYPES.length)];
            String step = step(random, who, key, other, type, names.get(random.nextInt(names.size())));
            answers.merge(step, 1, Integer::sum);
            compare("seed " + seed + " round " + i + ": " + who + " " + step);
        }
        assertThat(answers.keySet()).as("what has been tried, with its answer").hasSize(15);
    }

    private String step(Random random, String who, int key, int other, int type, String to) {
        Reserver reserver = reservers.get(who);
        ReservationType itsType = ReservationType.withCode(type);
        assertThat(reserver).isNotNull();
        assertThat(itsType).isNotNull();
        String expected;
        Answer answer;
        String what;
        switch (random.nextInt(9)) {
            case 0, 1 -> {
                boolean everywhere = random.nextInt(4) == 0;
                boolean ignore = random.nextBoolean();
                String port = reserver.name().initiatorPort();
                List<String> all = everywhere ? List.of(port + " 1", port + " 2") : List.of(who);
                int flags = everywhere ? Reserver.ALL_TG_PT : 0;
                what = "register";
                expected = model.register(all, key, other, ignore);
                answer = ignore ? reserver.registerAndIgnore(other, flags) : reserver.register(key, other, flags);
            }
            case 2, 3 -> {
                what = "reserve";
                expected = model.reserve(who, key, type);
                answer = reserver.reserve(key, itsType);
            }
            case 4 -> {
                what = "release";
                ReservationType present = ReservationType.withCode(model.type);
                ReservationType released = present != null && random.nextBoolean() ? present : itsType;
                expected = model.release(who, key, released.code());
                answer = reserver.release(key, released);
            }
            case 5 -> {
                what = "clear";
                boolean rarely = random.nextInt(4) == 0;
                expected = rarely ? model.clear(who, key) : model.clear(who, -1);
                answer = reserver.clear(rarely ? key : -1);
            }
            case 6, 7 -> {
                what = "preempt";
                expected = model.preempt(who, key, other, type);
                answer = random.nextBoolean()
                        ? reserver.preempt(key, other, itsType)
                        : reserver.preemptAndAbort(key, other, itsType);
            }
            default -> {
                what = "move";
                boolean unregister = random.nextBoolean();
                String[] destination = to.split(" ", 2);
                expected = model.move(who, key, other, to, unregister);
                answer = reserver.move(
                        key,
                        other,
                        unregister ? 2 : 0,
                        Integer.parseInt(destination[1]),
                        TransportId.encode(destination[0]));
            }
        }
        assertThat(said(answer)).as(what).isEqualTo(expected);
        return what + " " + expected;
    }

    private static String said(Answer answer) {
        return switch (answer.status()) {
            case GOOD -> "GOOD";
            case RESERVATION_CONFLICT -> "CONFLICT";
            case CHECK_CONDITION -> "CHECK";
            default -> answer.status().name();
        };
    }

    private void compare(String as) {
        reservers.forEach((name, reserver) -> {
            Set<SenseCode> heard = new TreeSet<>();
            for (Answer tur = tur(reserver); tur.status() != ScsiStatus.GOOD; tur = tur(reserver)) {
                heard.add(code(tur));
            }
            assertThat(heard).as("%s: what %s hears", as, name).isEqualTo(model.news.getOrDefault(name, Set.of()));
        });
        model.news.clear();
        Reserver any = reservers.values().iterator().next();
        Set<String> expected = new TreeSet<>();
        model.keys.forEach((nexus, key) ->
                expected.add(nexus + " key " + key + (model.holds(nexus) ? " holds " + model.type : "")));
        List<String> present = any.fullStatus();
        assertThat(new TreeSet<>(present)).as(as).isEqualTo(expected);
        assertThat(any.generation()).as(as).isEqualTo(model.generation);
        int writers = 0;
        for (Map.Entry<String, Reserver> each : reservers.entrySet()) {
            boolean writes = each.getValue().write() == ScsiStatus.GOOD;
            writers += writes ? 1 : 0;
            assertThat(writes).as("%s: %s writes", as, each.getKey()).isEqualTo(model.writes(each.getKey()));
            assertThat(each.getValue().read() == ScsiStatus.GOOD)
                    .as("%s: %s reads", as, each.getKey())
                    .isEqualTo(model.reads(each.getKey()));
        }
        if (model.type == 1 || model.type == 3) {
            assertThat(writers).as("%s: one holder", as).isEqualTo(1);
        }
        if (model.type != 0 && !model.everybodyHolds()) {
            assertThat(present.stream().filter(line -> line.contains("holds")))
                    .as(as)
                    .hasSize(1);
        }
    }

    private static Answer tur(Reserver reserver) {
        return reserver.initiator().send(ScsiCommand.TEST_UNIT_READY);
    }

    private static SenseCode code(Answer answer) {
        for (SenseCode code : SenseCode.values()) {
            if (code.asc() == answer.asc()
                    && code.ascq() == answer.ascq()
                    && code.key().code() == answer.key()) {
                return code;
            }
        }
        throw new AssertionError("sense " + answer.asc() + "/" + answer.ascq());
    }
}
