package io.holdfast.management;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.agent.AgentConfig;
import io.holdfast.control.http.OpenApi;
import io.holdfast.control.operator.ErrorCode;
import io.holdfast.control.operator.Labels;
import io.holdfast.control.operator.Operation;
import io.holdfast.control.operator.RowJson;
import io.holdfast.control.operator.Shape;
import io.holdfast.iscsi.IscsiLimit;
import io.holdfast.management.cli.CliExit;
import io.holdfast.management.config.ExportAttribute;
import io.holdfast.management.config.ServeSetting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The reference pages are the tables of commands and settings, printed. */
class ReferencePageTest {
    private static final Path FOLDER = Path.of("../docs/reference");
    private static final String AGENT_EXAMPLE = """
            server = ["192.0.2.10:3261", "192.0.2.11:3261"]
            reports = "/var/log/holdfast-agent"

            [[vm]]
            name = "web1"
            qmp = "/run/web1.qmp"
            portal = "127.0.0.1:3270"
            priority = 10
            on = ["storage-full:leave", "server-crash:reclaim"]
            """;
    private static final String WRITE = "holdfast.docs.write";

    @Test
    void shouldPrintEveryCommandAndOption() throws IOException {
        assertPage(FOLDER.resolve("commands.md"), commands());
    }

    @Test
    void shouldPrintEverySettingOfTheConfigurationFile() throws IOException {
        assertPage(FOLDER.resolve("configuration.md"), configuration());
    }

    @Test
    void shouldPrintEveryOperationOfARunningServer() throws IOException {
        assertPage(FOLDER.resolve("operations.md"), operations());
    }

    @Test
    void shouldPrintTheDescriptionOfTheApi() throws IOException {
        assertPage(FOLDER.resolve("openapi.json"), OpenApi.text());
    }

    @Test
    void shouldGiveAnExampleThatAnAgentTakes(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("agent.toml"), AGENT_EXAMPLE);
        AgentConfig config = AgentCommand.config(new Arguments(Map.of("--config", List.of(file.toString()))));
        assertThat(config.servers()).hasSize(2);
        assertThat(config.vms()).singleElement().satisfies(vm -> {
            assertThat(vm.priority()).isEqualTo(10);
            assertThat(vm.events()).hasSize(2);
        });
    }

    static void assertPage(Path page, String text) throws IOException {
        if (Boolean.getBoolean(WRITE)) {
            Files.createDirectories(page.getParent());
            Files.writeString(page, text);
        }
        assertThat(page)
                .as(
                        "The page is stale: mvn -pl management -am test -Dtest=*PageTest,*PagesTest -D%s=true"
                                + " -Dsurefire.failIfNoSpecifiedTests=false writes it anew",
                        WRITE)
                .content()
                .isEqualTo(text);
    }

    private static String commands() {
        StringBuilder page = new StringBuilder("# Commands\n\n");
        page.append("Printed from the commands' tables; `ReferencePageTest` keeps it true.\n\n");
        page.append("| exit code | meaning |\n|---|---|\n");
        page.append("| 0 | done, or stopped as asked (143 when SIGTERM ended it) |\n");
        page.append("| 1 | could not be done: a file is missing or locked, a port is busy |\n");
        page.append("| 2 | the command line or the configuration is wrong |\n\n");
        page.append("Results go to standard output, log lines to standard error. `")
                .append(Logging.LEVEL_VARIABLE)
                .append("=debug` in the environment makes the log tell more, `")
                .append(Logging.FORMAT_VARIABLE)
                .append("=json` makes each line a JSON object.\n");
        for (Command command : Main.COMMANDS) {
            if (!command.hidden()) {
                page.append("\n## holdfast ").append(command.name()).append("\n\n");
                command.description().forEach(line -> page.append(line).append("\n\n"));
                page.append("| option | value | meaning |\n|---|---|---|\n");
                for (Command.Option option : command.options()) {
                    page.append(row(
                            "`" + option.name() + "`" + (option.required() == Command.Need.REQUIRED ? " (needed)" : ""),
                            "`" + option.label() + "`",
                            option.help()));
                }
            }
        }
        return page.toString();
    }

    private static String operations() {
        StringBuilder page = new StringBuilder("# Operating a running server\n\n");
        page.append(
                        "Printed from the table of operations; `ReferencePageTest` keeps it true. Each is a command of `holdfast`")
                .append(" and a route of the HTTP API ([description](openapi.json)).\n\n");
        page.append(
                        "Commands print a table for people; `--format json` prints what the API answers, `-fmt DELIM` the fields")
                .append(
                        " of each row in the order given below, `--field NAME,...` some of them. They reach the server of this")
                .append(
                        " host at `--socket PATH` (`$HOLDFAST_SOCKET`, else `/var/lib/holdfast/control.sock`), another one")
                .append(" with `--server HOST:PORT --token-file FILE [--ca FILE]` (`$HOLDFAST_SERVER`,")
                .append(
                        " `$HOLDFAST_TOKEN_FILE`, `$HOLDFAST_CA`). `--if-version N` makes a change only if what it changes")
                .append(" was not changed since version N.\n\n");
        page.append("| exit code | meaning |\n|---|---|\n");
        for (CliExit exit : CliExit.values()) {
            page.append(row(String.valueOf(exit.code()), exit.help()));
        }
        page.append("\n| error | HTTP | what to do |\n|---|---|---|\n");
        for (ErrorCode code : ErrorCode.values()) {
            page.append(row("`" + code.label() + "`", String.valueOf(code.httpStatus()), code.advice()));
        }
        page.append("\nEvents have the type of the operation, its words joined by `-`: `lu-create`, `map`.\n");
        for (Operation operation : Operation.values()) {
            operation(page, operation);
        }
        page.append(
                        "\n## holdfast events\n\nPrints what has happened, `--follow` also what happens; `--after SEQ` goes on after")
                .append(" an event.\n\n`GET /v1/events`, role observer.\n");
        return page.toString();
    }

    private static void operation(StringBuilder page, Operation operation) {
        boolean npiv = operation == Operation.LSMAP_NPIV;
        page.append("\n## holdfast ").append(npiv ? "lsmap -npiv" : String.join(" ", operation.words()));
        Shape shape = Shape.of(operation);
        for (Shape.Field field : shape.places()) {
            String label = field.param().label();
            page.append(' ').append(field.required() ? label : "[" + label + "]");
        }
        page.append("\n\n").append(operation.help()).append("\n\n");
        page.append("`")
                .append(operation.verb())
                .append(' ')
                .append(operation.path())
                .append("`, role ");
        page.append(Labels.of(operation.role())).append(". Answer: ");
        page.append("`")
                .append(String.join("`, `", RowJson.fields(operation.answer())))
                .append("`.\n");
        if (shape.fields().isEmpty()) {
            return;
        }
        page.append("\n| command line | API | meaning |\n|---|---|---|\n");
        for (Shape.Field field : shape.fields()) {
            String label = field.param().label();
            String option = field.option() + (label.isEmpty() ? "" : " " + label);
            page.append(row(
                    "`" + (field.param().place() > 0 ? label : option) + "`" + (field.required() ? " (needed)" : ""),
                    "`" + field.name() + "`",
                    field.param().value()));
        }
    }

    private static String configuration() {
        StringBuilder page = new StringBuilder("# Configuration files\n\n");
        page.append("Printed from the settings' table; `ReferencePageTest` keeps it true.\n\n## The server\n\n");
        page.append("`holdfast serve --config FILE` reads TOML. Options on the command line override the file; exports")
                .append(" of both are served.\n\n");
        page.append("| key | kind | default | meaning |\n|---|---|---|---|\n");
        for (ServeSetting setting : ServeSetting.values()) {
            String initial = setting.initial().isEmpty() ? "" : "`" + setting.initial() + "`";
            String kind = switch (setting.kind()) {
                case TEXT -> "text";
                case NUMBER -> "number";
                case LIST -> "text, or list of texts";
            };
            page.append(row("`" + setting.key() + "`", kind, initial, setting.help()));
        }
        page.append("\n### Exports: `[[export]]`, one for each\n\n");
        page.append("| key | meaning |\n|---|---|\n");
        page.append(row("`path`", "The file or block device to serve."));
        for (ExportAttribute attribute : ExportAttribute.values()) {
            page.append(row("`" + attribute.key() + "`", attribute.help()));
        }
        page.append("\n### Limits that are not settings\n\n");
        page.append("| what | at most | meaning |\n|---|---|---|\n");
        for (IscsiLimit limit : IscsiLimit.values()) {
            String name = limit.name().toLowerCase(Locale.ROOT).replace('_', ' ');
            page.append(row(name, limit.value() + " " + limit.unit(), limit.help()));
        }
        page.append("\n### Example\n\n```toml\n");
        page.append("listen = [\"192.0.2.10:3260\", \"[2001:db8::10]:3260\"]\n");
        page.append("control = \"192.0.2.10:3261\"\n");
        page.append("state = \"/var/lib/holdfast\"\n\n");
        page.append("[[export]]\npath = \"/srv/holdfast/web1.img\"\nsize = \"20G\"\n\n");
        page.append("[[export]]\npath = \"/srv/holdfast/debian.iso\"\nname = \"install\"\nro = true\n```\n");
        page.append("\n## The agent\n\n`holdfast agent --config FILE` reads TOML too. The keys are the options of")
                .append(
                        " [`holdfast agent`](commands.md#holdfast-agent) without dashes; each VM is a `[[vm]]` with `name`,")
                .append(
                        " `qmp`, and the attributes of `--vm`. What may be said several times, `server` and `on`, is a text")
                .append(" or a list of texts.\n\n```toml\n")
                .append(AGENT_EXAMPLE)
                .append("```\n");
        return page.toString();
    }

    private static String row(String... cells) {
        StringBuilder row = new StringBuilder("|");
        for (String cell : cells) {
            row.append(' ').append(cell.replace("|", "\\|")).append(" |");
        }
        return row.append('\n').toString();
    }
}
