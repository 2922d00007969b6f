package io.holdfast.management.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class ServeConfigTest {

    private static ServeConfig with(ServeSetting setting, String... values) throws ConfigException {
        return ServeConfig.of(Map.of(setting, List.of(values)), List.of(Export.parse("disk.img")));
    }

    // ------------------------------------------------------------------ settings

    @Test
    void shouldBindLoopbackUnlessToldOtherwise() throws ConfigException {
        ServeConfig config = ServeConfig.of(Map.of(), List.of(Export.parse("disk.img")));
        assertThat(config.portals()).singleElement().satisfies(portal -> {
            assertThat(portal.address().getAddress().isLoopbackAddress()).isTrue();
            assertThat(portal.address().getPort()).isEqualTo(3260);
            assertThat(portal.group()).isEqualTo(1);
        });
        assertThat(config.control().getPort()).isEqualTo(3261);
        assertThat(config.control().getAddress().isLoopbackAddress()).isTrue();
        assertThat(config.eventLoops()).isPositive();
        assertThat(config.state()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"127.0.0.1:0,0", "127.0.0.1:65535,0", "127.0.0.1:5000,5001"})
    void shouldPutAgentsNextToThePortal(String listen, int control) throws ConfigException {
        assertThat(with(ServeSetting.LISTEN, listen).control().getPort()).isEqualTo(control);
    }

    @Test
    void shouldServeOnEveryPortalGiven() throws ConfigException {
        assertThat(with(ServeSetting.LISTEN, "127.0.0.1:1", "[::1]:2").portals())
                .hasSize(2);
    }

    @Test
    void shouldPutPortalsIntoTheirGroups() throws ConfigException {
        assertThat(with(ServeSetting.LISTEN, "127.0.0.1:1", "[::1]:2,group=65535")
                        .portals())
                .extracting(Portal::group)
                .containsExactly(1, 65_535);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "[::1]:1,group=",
                "[::1]:1,group=0",
                "[::1]:1,group=65536",
                "[::1]:1,group=a",
                "[::1]:1,tag=1",
                "[::1]:1,"
            })
    void shouldRefuseGroupsWithTheValueInTheMessage(String text) {
        assertThatThrownBy(() -> with(ServeSetting.LISTEN, text))
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith("listen '" + text + "'");
    }

    @Test
    void shouldTakeTheLastOfSeveralSingleValues() throws ConfigException {
        assertThat(with(ServeSetting.IO, "ring", "portable").io()).isEqualTo("portable");
    }

    @ParameterizedTest
    @EnumSource(ServeSetting.class)
    void shouldTakeEveryInitialValue(ServeSetting setting) throws ConfigException {
        if (!setting.initial().isEmpty()) {
            setting.check(setting.initial());
        }
        assertThat(setting.help()).isNotBlank();
    }

    @Test
    void shouldTakeMemoryInPeoplesUnitsAndSayWhatIsTooLittle() throws ConfigException {
        assertThat(with(ServeSetting.MEMORY, "1.5G").iscsi().memoryBytes()).isEqualTo(3L << 29);
        assertThatThrownBy(() -> with(ServeSetting.MEMORY, "64M"))
                .hasMessage("memory '64M' is not between 128 MiB and 1 TiB");
    }

    @Test
    void shouldSayThatThereIsNothingToServe() {
        assertThatThrownBy(() -> ServeConfig.of(Map.of(), List.of()))
                .hasMessage("nothing to serve: give --export PATH, or [[export]] in the configuration file; or"
                        + " --state DIR, and create LUs with 'holdfast lu create'");
    }

    @Test
    void shouldRefuseTwoExportsOfOneName() {
        assertThatThrownBy(() ->
                        ServeConfig.of(Map.of(), List.of(Export.parse("/a/disk.img"), Export.parse("/b/disk.raw"))))
                .hasMessage(
                        "exports '/a/disk.img' and '/b/disk.raw' both have the name 'disk'; give one of them another"
                                + " with name=");
    }

    // ------------------------------------------------------------------ exports

    @Test
    void shouldReadAnExportWithItsAttributes() throws ConfigException {
        Export export = Export.parse("/srv/a,,b.img,size=1.5G,ro,name=db");
        assertThat(export.path()).hasToString("/srv/a,b.img");
        assertThat(export.sizeBytes()).hasValue(3L << 29);
        assertThat(export.readOnly()).isTrue();
        assertThat(export.name()).isEqualTo("db");
        assertThat(export.direct() || export.preallocate() || export.writeThrough())
                .isFalse();
        Export other = Export.parse("a.img,size=1M,preallocate,direct,cache=writethrough");
        assertThat(other.direct() && other.preallocate() && other.writeThrough())
                .isTrue();
        assertThat(Export.parse("a.img,cache=writeback").writeThrough()).isFalse();
        assertThat(other.blockBytes()).isEqualTo(512);
        assertThat(other.removable()).isFalse();
        assertThat(Export.parse("a.img,removable").removable()).isTrue();
        assertThat(Export.parse("a.img,block-size=4096").blockBytes()).isEqualTo(4096);
    }

    @ParameterizedTest
    @CsvSource({"/srv/Disk One.img,disk-one", "/dev/sdb,sdb", "x.tar.gz,x.tar", "UPPER,upper"})
    void shouldNameATargetAfterItsFile(String path, String name) throws ConfigException {
        assertThat(Export.parse(path).name()).isEqualTo(name);
    }

    @ParameterizedTest(name = "export {0}")
    @CsvSource(
            delimiter = '|',
            value = {
                "''|an export has no path",
                "a.img,siez=1G|export 'a.img,siez=1G': no attribute 'siez'; there are size, ro, cache, direct, preallocate,"
                        + " removable, block-size, name (a comma in the path is written twice)",
                "a.img,cache=unsafe|export cache 'unsafe' is neither writeback nor writethrough",
                "a.img,block-size=520|export block-size '520' is neither 512 nor 4096",
                "a.img,size=512,block-size=4096|size '512' is 512 bytes, which is not a multiple of 4096; the next one is"
                        + " 4096",
                "a.img,direct=no|export 'a.img,direct=no': direct takes no value",
                "a.img,size|export 'a.img,size': size needs a value: size=BYTES",
                "a.img,ro=yes|export 'a.img,ro=yes': ro takes no value",
                "a.img,size=1G,size=2G|export 'a.img,size=1G,size=2G': size is given twice",
                "a.img,size=0|size '0' is not between 1 byte and 4096P",
                "a.img,size=-1|size '-1' is not a number of bytes, such as 1048576, 64M or 2G",
                "a.img,size=9999999P|size '9999999P' is not between 1 byte and 4096P",
                "a.img,name=_x|export name '_x' is not 1 to 100 of a-z, 0-9, '.', ':' and '-', the first a letter or digit",
                "/|export '/': its name cannot be part of a target name; give one with name=",
            })
    void shouldSayWhatIsWrongWithAnExport(String text, String message) {
        assertThatThrownBy(() -> Export.parse(text))
                .isInstanceOf(ConfigException.class)
                .hasMessage(message);
    }

    @Test
    void shouldRefuseAPathThatCannotBeOne() {
        assertThatThrownBy(() -> Export.parse("a\0b")).isInstanceOf(ConfigException.class);
    }

    // ------------------------------------------------------------------ sizes and addresses

    @ParameterizedTest
    @CsvSource({
        "512,512",
        "64M,67108864",
        "64m,67108864",
        "1GiB,1073741824",
        "2 G,2147483648",
        "1.5K,1536",
        "4096T,4503599627370496",
        "123456789012345,123456789012345"
    })
    void shouldReadSizes(String text, long bytes) throws ConfigException {
        assertThat(ByteSize.parse(text)).isEqualTo(bytes);
    }

    @ParameterizedTest
    @CsvSource({"1,1 B", "512,512 B", "1024,1 KiB", "1536,1.5 KiB", "268435456,256 MiB", "1610612736,1.5 GiB"})
    void shouldPrintSizes(long bytes, String text) {
        assertThat(ByteSize.print(bytes)).isEqualTo(text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "3260", ":3260", "::1:3260", "host", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:-1"})
    void shouldRefuseAddressesWithTheValueInTheMessage(String text) {
        assertThatThrownBy(() -> SettingRule.endpoint("listen", text))
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith("listen '" + text + "'");
    }

    @Test
    void shouldReadAddressesOfBothFamilies() throws ConfigException {
        assertThat(SettingRule.endpoint("listen", "[::1]:3260").getAddress().isLoopbackAddress())
                .isTrue();
        assertThat(SettingRule.endpoint("listen", "localhost:0").getPort()).isZero();
    }

    @Test
    void shouldSayWhatIsWrongInOneLineWhateverIsQuoted() {
        assertThatThrownBy(() -> Export.parse("disk\n.img,\u001b[2Jro=yes"))
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith("export 'disk?.img,?[2Jro=yes'");
    }

    @Test
    void shouldSayThatAPathCannotBeWrittenHere() {
        // Half of a character: no encoding has it. With LANG=C the same holds for every letter that is not ASCII.
        assertThatThrownBy(() -> Export.parse("disk\ud800.img"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("cannot write in file names");
    }
}
