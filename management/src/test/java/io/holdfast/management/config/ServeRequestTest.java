package io.holdfast.management.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ServeRequestTest {

    private static ServeRequest request(Map<ServeSetting, List<String>> values, String... exports)
            throws ConfigException {
        List<Export> parsed = new ArrayList<>();
        for (String export : exports) {
            parsed.add(Export.parse(export));
        }
        return new ServeRequest(values, parsed);
    }

    private static ServeRequest.Change change(ServeRequest before, ServeRequest next) {
        return next.since(before, before.exports());
    }

    @Test
    void shouldFindExportsThatCameAndWent() throws ConfigException {
        ServeRequest.Change change =
                change(request(Map.of(), "/a/one.img", "/a/two.img"), request(Map.of(), "/a/two.img", "/a/three.img"));
        assertThat(change.added()).extracting(Export::name).containsExactly("three");
        assertThat(change.removed()).containsExactly("one");
        assertThat(change.needRestart()).isEmpty();
    }

    @Test
    void shouldNameWhatCannotChangeWhileItRuns() throws ConfigException {
        ServeRequest before = request(Map.of(ServeSetting.SPIN, List.of("50")), "/a/one.img", "/a/two.img");
        ServeRequest next = request(
                Map.of(ServeSetting.SPIN, List.of("0"), ServeSetting.STOP_LIMIT, List.of("3")),
                "/a/one.img,ro",
                "/b/two.img");
        assertThat(change(before, next).needRestart()).containsExactly("spin", "export one", "export two");
        assertThat(change(before, next).removed()).isEmpty();
    }

    @Test
    void shouldTakeASettingThatIsGoneForItsInitialValue() throws ConfigException {
        ServeRequest before = request(Map.of(ServeSetting.SPIN, List.of("50")), "/a/one.img");
        assertThat(change(before, request(Map.of(), "/a/one.img")).needRestart())
                .isEmpty();
    }
}
