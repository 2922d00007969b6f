package io.holdfast.management;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.iscsi.IscsiLimit;
import io.holdfast.management.config.ExportAttribute;
import io.holdfast.management.config.ServeSetting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.junit.jupiter.api.Test;

/** The reference pages are the tables of commands and settings, printed. */
class ReferencePageTest {
    private static final Path FOLDER = Path.of("../docs/reference");
    private static final String WRITE = "holdfast.docs.write";

    @Test
    void shouldPrintEveryCommandAndOption() throws IOException {
        assertPage(FOLDER.resolve("commands.md"), commands());
    }

    @Test
    void shouldPrintEverySettingOfTheConfigurationFile() throws IOException {
        assertPage(FOLDER.resolve("configuration.md"), configuration());
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
                .append("=debug` in the environment makes the log tell more.\n");
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

    private static String configuration() {
        StringBuilder page = new StringBuilder("# Configuration file\n\n");
        page.append("Printed from the settings' table; `ReferencePageTest` keeps it true.\n\n");
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
        page.append("\n## Exports: `[[export]]`, one for each\n\n");
        page.append("| key | meaning |\n|---|---|\n");
        page.append(row("`path`", "The file or block device to serve."));
        for (ExportAttribute attribute : ExportAttribute.values()) {
            page.append(row("`" + attribute.key() + "`", attribute.help()));
        }
        page.append("\n## Limits that are not settings\n\n");
        page.append("| what | at most | meaning |\n|---|---|---|\n");
        for (IscsiLimit limit : IscsiLimit.values()) {
            String name = limit.name().toLowerCase(Locale.ROOT).replace('_', ' ');
            page.append(row(name, limit.value() + " " + limit.unit(), limit.help()));
        }
        page.append("\n## Example\n\n```toml\n");
        page.append("listen = [\"192.0.2.10:3260\", \"[2001:db8::10]:3260\"]\n");
        page.append("control = \"192.0.2.10:3261\"\n");
        page.append("state = \"/var/lib/holdfast\"\n\n");
        page.append("[[export]]\npath = \"/srv/holdfast/web1.img\"\nsize = \"20G\"\n\n");
        page.append("[[export]]\npath = \"/srv/holdfast/debian.iso\"\nname = \"install\"\nro = true\n```\n");
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
