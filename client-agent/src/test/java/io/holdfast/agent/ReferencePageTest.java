package io.holdfast.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.agent.freeze.EventAction;
import io.holdfast.agent.freeze.KnownEvent;
import io.holdfast.control.VmActions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The page of events is their tables, printed. */
class ReferencePageTest {
    private static final Path PAGE = Path.of("../docs/reference/events.md");
    private static final String WRITE = "holdfast.docs.write";

    @Test
    void shouldPrintEveryEventActionAndWish() throws IOException {
        StringBuilder page = new StringBuilder("# Events and actions\n\n");
        page.append("Printed from the agent's tables; `ReferencePageTest` keeps it true.\n\n## Events\n\n");
        page.append(
                "Operators raise events of their own with `holdfast events raise x-NAME`; where nothing is registered for one,"
                        + " it is answered by `freeze`.\n\n");
        page.append("| event | built-in action | meaning |\n|---|---|---|\n");
        for (KnownEvent known : KnownEvent.values()) {
            page.append(row("`" + known.event() + "`", known.initial().word(), known.help()));
        }
        page.append("\n## Actions\n\n| action | what is done |\n|---|---|\n");
        for (EventAction action : EventAction.values()) {
            page.append(row("`" + action.word() + "`", action.help()));
        }
        page.append("\n## Who goes first\n\n");
        page.append("For each event of a VM the first of these that says something:\n\n"
                + "1. what its guest registered (`register`, below);\n"
                + "2. `on=EVENT:ACTION` of the agent's settings on its host;\n"
                + "3. what operators registered with `holdfast actions set VM JSON` at the server that the event comes"
                + " from, for the VM by its name at its agent: at most "
                + VmActions.MAX_EVENTS
                + " events, and an agent is told of at most "
                + VmActions.MAX_VMS
                + " VMs;\n"
                + "4. the built-in action.\n\n"
                + "An agent does not take from operators: events and actions that it does not know, `hook` for a VM"
                + " without `hook=PROGRAM` in its settings, and `power-off` for one without `limit=SECONDS:power-off`. `holdfast"
                + " vms` shows its answer. While the server is away it goes by what it was told last, also when it is"
                + " restarted itself.\n");
        page.append("\n## What a guest may say\n\n");
        page.append("On its port `io.holdfast.events`, a line each of at most ")
                .append(GuestPort.MAX_LINE_BYTES)
                .append(" bytes. The answer's last line is `ok`, or `error` and why.\n\n");
        page.append("| line | meaning |\n|---|---|\n");
        for (GuestWishes.Verb verb : GuestWishes.Verb.values()) {
            page.append(row("`" + verb.form() + "`", verb.help()));
        }
        if (Boolean.getBoolean(WRITE)) {
            Files.writeString(PAGE, page);
        }

        assertThat(PAGE)
                .as(
                        "The page is stale: mvn -pl client-agent -am test -Dtest=ReferencePageTest -D%s=true"
                                + " -Dsurefire.failIfNoSpecifiedTests=false writes it anew",
                        WRITE)
                .content()
                .isEqualTo(page.toString());
    }

    private static String row(String... cells) {
        StringBuilder row = new StringBuilder("|");
        for (String cell : cells) {
            row.append(' ').append(cell.replace("|", "\\|")).append(" |");
        }
        return row.append('\n').toString();
    }
}
