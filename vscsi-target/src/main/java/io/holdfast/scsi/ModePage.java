package io.holdfast.scsi;

import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * The mode pages (SPC-4 §7.5, SBC-3 §6.5): their default values, and the bits that MODE SELECT may change. In the order
 * in which page 3Fh returns them.
 */
enum ModePage {
    // WCE: the host's page cache is a volatile write cache, and is said to be one. Changeable, because write-through is
    // really done: see DataCommands.
    CACHING(
            "08 12 04 00 0000 0000 0000 0000 00 00 0000 00 000000",
            "08 12 04 00 0000 0000 0000 0000 00 00 0000 00 000000"),

    // GLTSD: nothing is logged. TST 001b: each nexus has a task set of its own. QUEUE ALGORITHM MODIFIER 1: simple
    // tasks
    // are reordered freely, the backend's completion decides. TAS: an initiator whose task another one ended hears of
    // it;
    // QEMU and Linux know no time-out of their own that would help them without. Changeable: D_SENSE, SWP and TAS. The
    // busy
    // time-out is unlimited.
    CONTROL("0a 0a 22 10 00 40 0000 ffff 0000", "0a 0a 04 00 08 40 0000 0000 0000"),

    // DEXCPT: there are no informational exceptions to report.
    INFORMATIONAL_EXCEPTIONS("1c 0a 08 00 00000000 00000000", "1c 0a 00 00 00000000 00000000");

    @SuppressWarnings("ImmutableEnumChecker") // never given away, only copies
    private final byte[] defaults;

    @SuppressWarnings("ImmutableEnumChecker") // likewise
    private final byte[] changeable;

    ModePage(String defaults, String changeable) {
        this.defaults = HexFormat.of().parseHex(defaults.replace(" ", ""));
        this.changeable = HexFormat.of().parseHex(changeable.replace(" ", ""));
    }

    int code() {
        return Cdb.u8(defaults, 0);
    }

    int length() {
        return defaults.length;
    }

    byte[] defaults() {
        return defaults.clone();
    }

    byte[] changeable() {
        return changeable.clone();
    }

    static @Nullable ModePage withCode(int code) {
        for (ModePage page : values()) {
            if (page.code() == code) {
                return page;
            }
        }
        return null;
    }
}
