package io.holdfast.scsi;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Locale;
import org.junit.jupiter.api.Test;

/** The reference page is the command table, printed. */
class ReferencePageTest {
    private static final Path PAGE = Path.of("../docs/reference/scsi-commands.md");
    private static final String WRITE = "holdfast.docs.write";

    @Test
    void shouldAgreeWithTheTables() throws IOException {
        String page = page();
        if (Boolean.getBoolean(WRITE)) {
            Files.createDirectories(PAGE.getParent());
            Files.writeString(PAGE, page);
        }

        assertThat(PAGE)
                .as(
                        "The page is stale: mvn -pl vscsi-target -am test -Dtest=ReferencePageTest -D%s=true"
                                + " -Dsurefire.failIfNoSpecifiedTests=false writes it anew",
                        WRITE)
                .content()
                .isEqualTo(page);
    }

    private static String page() {
        StringBuilder page = new StringBuilder();
        page.append("# SCSI reference\n\n");
        page.append("Printed from the tables of `io.holdfast.scsi`; `ReferencePageTest` keeps it true.\n\n");
        page.append("## Commands\n\n");
        page.append("Usage: the bits of the CDB that may be set, in hexadecimal, as REPORT SUPPORTED OPERATION CODES")
                .append(" returns them. Any other bit is answered with INVALID FIELD IN CDB and a pointer to it.")
                .append(
                        " GROUP NUMBER and DPO are accepted and ignored. Under reservation: what becomes of the command when")
                .append(" another nexus holds a reservation that does not let this one in: free (carried out), shared")
                .append(" (conflicts with exclusive access, and with RESERVE), exclusive (conflicts). Time-out: what")
                .append(" initiators are recommended to wait.\n\n");
        page.append(
                "| command | opcode | CDB bytes | usage | access | under reservation | access states | time-out s | only if |\n");
        page.append("|---|---|---|---|---|---|---|---|---|\n");
        for (ScsiCommand command : ScsiCommand.values()) {
            page.append(row(command));
        }
        page.append("\n## Sense codes\n\n| name | sense key | ASC/ASCQ |\n|---|---|---|\n");
        for (SenseCode code : SenseCode.values()) {
            page.append(String.format(
                    "| %s | %s | %02Xh/%02Xh |%n",
                    code.name().replace('_', ' '), code.key().name().replace('_', ' '), code.asc(), code.ascq()));
        }
        page.append("\n## Vital product data pages\n\n| page | code |\n|---|---|\n");
        for (VpdPage vpd : VpdPage.values()) {
            page.append(String.format("| %s | %02Xh |%n", vpd.name().replace('_', ' '), vpd.code()));
        }
        page.append("\n## Mode pages\n\n| page | code | default | changeable bits |\n|---|---|---|---|\n");
        for (ModePage mode : ModePage.values()) {
            page.append(String.format(
                    "| %s | %02Xh | `%s` | `%s` |%n",
                    mode.name().replace('_', ' '), mode.code(), hex(mode.defaults(), 2), hex(mode.changeable(), 2)));
        }
        page.append("\n## Limits of one command\n\n| what | limit |\n|---|---|\n");
        page.append(
                String.format("| data of READ, WRITE, VERIFY, PRE-FETCH | %d MiB |%n", mib(Limits.MAX_TRANSFER_BYTES)));
        page.append(String.format("| COMPARE AND WRITE | %d blocks |%n", Limits.MAX_COMPARE_BLOCKS));
        page.append("| WRITE ATOMIC | one physical block, aligned |\n");
        page.append(String.format("| WRITE SAME | %d MiB of medium |%n", mib(Limits.MAX_WRITE_SAME_BYTES)));
        page.append(String.format(
                "| UNMAP | %d blocks in %d descriptors |%n", Limits.MAX_UNMAP_BLOCKS, Limits.MAX_UNMAP_DESCRIPTORS));
        page.append(String.format(
                "| EXTENDED COPY | %d logical units, %d segments, %d at a time |%n",
                Limits.MAX_COPY_TARGETS, Limits.MAX_COPY_SEGMENTS, Limits.MAX_COPIES));
        page.append(String.format("| GET LBA STATUS | %d descriptors |%n", Limits.MAX_STATUS_DESCRIPTORS));
        return page.toString().replace("\r\n", "\n");
    }

    private static String row(ScsiCommand command) {
        CdbUsage usage = command.usage();
        String action = usage.serviceAction() == CdbUsage.NO_SERVICE_ACTION
                ? ""
                : String.format("/%02Xh", usage.serviceAction());
        String only = switch (command.needs()) {
            case NOTHING -> "";
            case THIN -> "thin provisioned";
            case REMOVABLE -> "removable";
        };
        return String.format(
                "| %s | %02Xh%s | %d | `%s` | %s | %s | %s | %d | %s |%n",
                command.title(),
                usage.opcode(),
                action,
                command.cdbLength(),
                hex(usage.bytes(), 0),
                command.access().name().toLowerCase(Locale.ROOT),
                command.underReservation().label(),
                command.reach().label(),
                command.effort().recommendedTimeoutS(),
                only);
    }

    private static String hex(byte[] bytes, int from) {
        return HexFormat.ofDelimiter(" ").formatHex(bytes, from, bytes.length);
    }

    private static int mib(long bytes) {
        return (int) (bytes >> 20);
    }
}
