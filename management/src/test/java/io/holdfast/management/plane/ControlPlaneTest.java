package io.holdfast.management.plane;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.control.operator.ControlService;
import io.holdfast.control.operator.ErrorCode;
import io.holdfast.control.operator.OperatorCommand;
import io.holdfast.control.operator.OperatorQuery;
import io.holdfast.control.operator.PlaneEvent;
import io.holdfast.control.operator.Role;
import io.holdfast.control.operator.Row;
import io.holdfast.npiv.ClientKind;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ControlPlaneTest {
    private static final long GIB = 1L << 30;

    private final PlaneRig rig = PlaneRig.inMemory();

    @AfterEach
    void close() {
        rig.close();
    }

    @Test
    void shouldGiveAClientAllItNeedsInOneStep() {
        Row.ClientRow web1 = (Row.ClientRow) rig.done(PlaneRig.client("web1"));
        assertThat(web1.wwpn()).matches("3[0-9a-f]{15}");
        assertThat(web1.initiator()).isEqualTo("naa." + web1.wwpn());
        assertThat(web1.target()).isEqualTo("iqn.2026-11.io.holdfast:vfchost0");
        List<Row.AdapterRow> adapters = rig.rows(new OperatorQuery.ListAdapters("web1"));
        assertThat(adapters).hasSize(1);
        assertThat(adapters.get(0).port()).isEqualTo("fcs0");
    }

    @Test
    void shouldListWhatWasMappedAsLsmapDoes() {
        rig.done(PlaneRig.lu("root1", GIB));
        rig.done(PlaneRig.client("web1"));
        rig.done(PlaneRig.map("web1", "root1"));
        List<Row.LsmapRow> rows = rig.rows(new OperatorQuery.Lsmap(null));
        assertThat(rows)
                .containsExactly(new Row.LsmapRow(
                        "vfchost0",
                        "iqn.2026-11.io.holdfast:vfchost0",
                        1,
                        "vtd1_0",
                        "Available",
                        0,
                        "root1",
                        "rw",
                        "private"));
    }

    @Test
    void shouldRefuseAChangeOfWhatSomebodyElseHasChanged() {
        rig.done(PlaneRig.lu("root1", GIB));
        long seen = rig.plane.state().version();
        rig.done(new OperatorCommand.ResizeLu("root1", 2 * GIB));
        assertThat(rig.refused(
                                new OperatorCommand.ResizeLu("root1", 3 * GIB),
                                PlaneRig.ADMIN,
                                OptionalLong.of(seen),
                                ErrorCode.STALE)
                        .message())
                .contains("LU root1 was changed in version " + (seen + 1));
        rig.done(PlaneRig.client("web1"));
        assertThat(rig.plane.ask(
                        new OperatorCommand.RenameClient("web1", "web2"),
                        PlaneRig.ADMIN,
                        OptionalLong.of(rig.plane.state().version())))
                .isInstanceOf(io.holdfast.control.operator.Answer.Done.class);
    }

    @Test
    void shouldChangeNothingWhenOneStepOfManyIsRefused() {
        rig.done(PlaneRig.client("web1"));
        String before = PlaneRig.print(rig.plane.state());
        rig.refused(PlaneRig.client("web1"), ErrorCode.EXISTS);
        rig.refused(new OperatorCommand.AddClient("web2", null, null, "fcs9", null, false), ErrorCode.NOT_FOUND);
        assertThat(PlaneRig.print(rig.plane.state())).isEqualTo(before);
    }

    @Test
    void shouldLetNobodyButAdminsNameFilesOfTheHost() {
        OperatorCommand.CreateLu create = new OperatorCommand.CreateLu(
                "shadow", null, null, "/etc/shadow", null, true, false, null, false, false);
        rig.refused(create, PlaneRig.OPERATOR, OptionalLong.empty(), ErrorCode.FORBIDDEN);
        rig.refused(
                new OperatorCommand.CreateToken("mine", Role.ADMIN, null),
                PlaneRig.OPERATOR,
                OptionalLong.empty(),
                ErrorCode.FORBIDDEN);
    }

    @Test
    void shouldNeverShowASecretAgain() {
        String secret = "twelve bytes or more";
        rig.done(new OperatorCommand.AddClient("web1", null, null, null, secret, false));
        rig.done(new OperatorCommand.SetSecret("web1", secret));
        List<Row.ClientRow> clients = rig.rows(new OperatorQuery.ListClients());
        List<Row.AuditRow> audit = rig.rows(new OperatorQuery.Audit(null));
        assertThat(clients.get(0).chap()).isTrue();
        assertThat(clients.toString() + audit).doesNotContain(secret);
        assertThat(audit).extracting(Row.AuditRow::what).endsWith("client add", "client secret");
        assertThat(audit).extracting(Row.AuditRow::object).endsWith("web1 --secret …", "web1 --secret …");
    }

    @Test
    void shouldTakeActionsInJsonOnly() {
        for (String wrong : List.of("nojson", "[]", "{\"server-crash\":", "{} {}")) {
            assertThat(rig.refused(new OperatorCommand.SetActions("web1", wrong), ErrorCode.BAD_VALUE)
                            .message())
                    .startsWith("the actions of web1 are no JSON object");
        }
        rig.done(new OperatorCommand.SetActions("web1", "{\"server-crash\":\"freeze\"}"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"server-crush\":\"leave\"}  | the actions of web1: there is no event 'server-crush'; events are server-crash,",
                "{\"server-crash\":\"frezee\"} | the actions of web1: 'frezee' is no action; actions are freeze,",
                "{\"server-crash\":1}          | the actions of web1: what is to be done on 'server-crash' must be a text",
                "{\"server-crash\":null}       | the actions of web1: what is to be done on 'server-crash' must be a text",
                "{\"server-crash\":1.5}        | the actions of web1: what is to be done on 'server-crash' must be a text",
                "{\"server-crash\":[[{}]]}     | the actions of web1: what is to be done on 'server-crash' must be a text",
                "{\"x-a\":\"leave\",\"x-a\":\"leave\"} | the actions of web1 are no JSON object",
                "{\"x-a\":\"leave\"} {}         | the actions of web1 are no JSON object",
                "{\"a\\nb\":\"leave\"}          | the actions of web1: there is no event 'a?b'",
            })
    void shouldTakeActionsThatThereAreOnly(String actions, String why) {
        assertThat(rig.refused(new OperatorCommand.SetActions("web1", actions), ErrorCode.BAD_VALUE)
                        .message())
                .startsWith(why);
    }

    @Test
    void shouldTakeActionsForAsManyEventsAsAnAgentDoes() {
        assertThat(rig.refused(new OperatorCommand.SetActions("web1", leave(33)), ErrorCode.BAD_VALUE)
                        .message())
                .isEqualTo("the actions of web1 are for 33 events, the limit is 32");
        rig.done(new OperatorCommand.SetActions("web1", leave(32)));
    }

    private static String leave(int events) {
        return IntStream.range(0, events)
                .mapToObj(i -> "\"x-" + i + "\":\"leave\"")
                .collect(Collectors.joining(",", "{", "}"));
    }

    @Test
    void shouldNoteWhatWasAskedAsItWouldBeTyped() {
        rig.done(new OperatorCommand.AddClient("web1", ClientKind.CONTAINER, null, null, null, true));
        rig.done(new OperatorCommand.RaiseEvent("x-maintenance", "disk shelf is moved", null));
        List<Row.AuditRow> audit = rig.rows(new OperatorQuery.Audit(null));
        assertThat(audit)
                .extracting(Row.AuditRow::object)
                .endsWith("web1 --kind container --bare", "x-maintenance --detail 'disk shelf is moved'");
    }

    @Test
    void shouldKnowATokenUntilItIsRemoved() {
        Row.NewTokenRow made = (Row.NewTokenRow) rig.done(new OperatorCommand.CreateToken("backup", Role.OBSERVER, 1));
        assertThat(PlaneRig.print(rig.plane.state())).doesNotContain(made.token());
        assertThat(PlaneRig.present(rig.plane.callerOf(made.token(), "192.0.2.7"))
                        .role())
                .isEqualTo(Role.OBSERVER);
        assertThat(rig.plane.callerOf(made.token() + "x", "192.0.2.7")).isNull();
        rig.done(new OperatorCommand.RemoveToken("backup"));
        assertThat(rig.plane.callerOf(made.token(), "192.0.2.7")).isNull();
    }

    @Test
    void shouldTellEventsFromWhereTheListenerWas() {
        rig.done(PlaneRig.client("web1"));
        long seen = rig.plane.latestEvent();
        rig.done(PlaneRig.client("web2"));
        List<PlaneEvent> heard = new ArrayList<>();
        ControlService.Subscribed subscribed = rig.plane.subscribe(seen, heard::add);
        rig.done(PlaneRig.client("web3"));
        assertThat(subscribed.complete()).isTrue();
        assertThat(subscribed.missed()).extracting(PlaneEvent::object).containsExactly("client 2 (web2)");
        assertThat(heard).extracting(PlaneEvent::seq).containsExactly(seen + 2);
        subscribed.subscription().close();
        rig.done(PlaneRig.client("web4"));
        assertThat(heard).hasSize(1);
        assertThat(rig.plane.subscribe(7, event -> {}).complete()).isFalse();
    }

    @Test
    void shouldWithdrawWhatCannotBeMadeDurable() {
        List<String> said = new ArrayList<>();
        PlaneStore full = new PlaneStore() {
            private final MemoryStore real = new MemoryStore();

            @Override
            public PlaneState state() {
                return real.state();
            }

            @Override
            public void append(PlaneState before, PlaneState after, Row.AuditRow audit) throws IOException {
                throw new IOException("No space left on device");
            }

            @Override
            public boolean broken() {
                return false;
            }

            @Override
            public List<Row.AuditRow> audit(int last) {
                return List.of();
            }

            @Override
            public void close() {}
        };
        ServedSide served = new ServedSide() {
            @Override
            public void begin(PlaneState state) {}

            @Override
            public Prepared prepare(PlaneChange change) {
                return new Prepared() {
                    @Override
                    public long sizeBytes(LuBacking opened) {
                        return opened.sizeBytes();
                    }

                    @Override
                    public void carryOut(PlaneState after) {
                        said.add("carried out");
                    }

                    @Override
                    public void withdraw() {
                        said.add("withdrawn");
                    }
                };
            }
        };
        try (PlaneRig other = new PlaneRig(full, served)) {
            assertThat(other.refused(PlaneRig.client("web1"), ErrorCode.UNAVAILABLE)
                            .message())
                    .contains("No space left on device");
            assertThat(other.plane.state().version()).isZero();
            assertThat(said).containsExactly("withdrawn");
        }
    }
}
