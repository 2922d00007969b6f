package io.holdfast.management;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PicocliFrontTest {
    private final StringWriter err = new StringWriter();

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "sevre                 | holdfast: there is no command 'sevre'; is 'serve' meant?",
                "lu creat              | holdfast lu: there is no command 'creat'; is 'create' meant?",
                "fly                   | holdfast: there is no command 'fly'",
                "serve --exprt x       | holdfast serve: there is no option '--exprt'; is '--export' meant?",
                "serve --exprt=x       | holdfast serve: there is no option '--exprt'; is '--export' meant?",
                "serve --colour        | holdfast serve: there is no option '--colour'",
                "--server x status     | holdfast: there is no option '--server'; options stand behind the command",
                "lu remove one two     | holdfast lu remove: 'two' is one argument too many",
            })
    void shouldSayWhatIsMistypedAndWhatWasMeant(String typed, String words) {
        PrintWriter lines = new PrintWriter(err, true);

        int exitCode = PicocliFront.commandLine(List.of(new ServeCommand()), lines, lines)
                .execute(typed.split(" "));

        assertThat(exitCode).isEqualTo(ExitCode.USAGE);
        assertThat(err.toString().lines().findFirst()).contains(words);
    }
}
