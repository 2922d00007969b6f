package io.holdfast.scsi;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;

/**
 * The mode parameters of a logical unit at one moment: an immutable value. What the hot path asks is decoded once.
 */
final class ModeParameters {
    private static final int WCE_BYTE = 2;
    private static final int WCE = 0x04;
    private static final int D_SENSE_BYTE = 2;
    private static final int D_SENSE = 0x04;
    private static final int TAS_BYTE = 5;
    private static final int TAS = 0x40;
    private static final int SWP_BYTE = 4;
    private static final int SWP = 0x08;

    private final Map<ModePage, byte[]> pages;
    private final boolean writeCache;
    private final boolean descriptorSense;
    private final boolean softwareWriteProtect;
    private final boolean taskAbortedStatus;

    private ModeParameters(Map<ModePage, byte[]> pages) {
        this.pages = pages;
        writeCache = isSet(ModePage.CACHING, WCE_BYTE, WCE);
        descriptorSense = isSet(ModePage.CONTROL, D_SENSE_BYTE, D_SENSE);
        taskAbortedStatus = isSet(ModePage.CONTROL, TAS_BYTE, TAS);
        softwareWriteProtect = isSet(ModePage.CONTROL, SWP_BYTE, SWP);
    }

    /** The defaults of the table: WCE=1. */
    static ModeParameters writeBack() {
        Map<ModePage, byte[]> pages = new EnumMap<>(ModePage.class);
        for (ModePage page : ModePage.values()) {
            pages.put(page, page.defaults());
        }
        return new ModeParameters(pages);
    }

    /** The defaults but for WCE=0. */
    static ModeParameters writeThrough() {
        byte[] caching = ModePage.CACHING.defaults();
        caching[WCE_BYTE] &= (byte) ~WCE;
        return writeBack().with(ModePage.CACHING, caching);
    }

    /** The same with another content of a page. */
    ModeParameters with(ModePage page, byte[] content) {
        Map<ModePage, byte[]> changed = new EnumMap<>(pages);
        changed.put(page, content.clone());
        return new ModeParameters(changed);
    }

    /** The first byte of {@code content} that changes what may not be changed, or -1. */
    int firstForbidden(ModePage page, byte[] content) {
        byte[] present = page(page);
        byte[] changeable = page.changeable();
        for (int i = 2; i < present.length; i++) {
            if (((content[i] ^ present[i]) & ~changeable[i]) != 0) {
                return i;
            }
        }
        return -1;
    }

    boolean same(ModeParameters other) {
        return pages.keySet().stream().allMatch(page -> Arrays.equals(page(page), other.page(page)));
    }

    byte[] page(ModePage page) {
        return Objects.requireNonNull(pages.get(page)).clone();
    }

    /** WCE: a write may be acknowledged while it is in the cache only. */
    boolean writeCache() {
        return writeCache;
    }

    /** TAS: tasks that another nexus ended are answered with TASK ABORTED. */
    boolean taskAbortedStatus() {
        return taskAbortedStatus;
    }

    /** D_SENSE: sense data comes in descriptor format. */
    boolean descriptorSense() {
        return descriptorSense;
    }

    /** SWP: writes are refused. */
    boolean softwareWriteProtect() {
        return softwareWriteProtect;
    }

    private boolean isSet(ModePage page, int byteIndex, int bit) {
        return (page(page)[byteIndex] & bit) != 0;
    }
}
