package io.holdfast.scsi;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** MODE SENSE and MODE SELECT (SPC-4 §6.9 to §6.12, SBC-3 §6.5). Nothing can be saved: a restart brings the defaults. */
final class ModeCommands {
    private static final int ALL_PAGES = 0x3f;
    private static final int ALL_SUBPAGES = 0xff;

    private static final int DBD = 0x08;
    private static final int LLBAA = 0x10;
    private static final int PAGE_FORMAT = 0x10;
    private static final int SAVE_PAGES = 0x01;

    private static final int WRITE_PROTECTED = 0x80;
    private static final int DPO_FUA = 0x10;

    private static final int SHORT_DESCRIPTOR_BYTES = 8;
    private static final int LONG_DESCRIPTOR_BYTES = 16;

    private ModeCommands() {}

    /** PAGE CONTROL (SPC-4 table 172). */
    private enum PageControl {
        CURRENT,
        CHANGEABLE,
        DEFAULT,
        SAVED
    }

    static void modeSense(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        byte[] cdb = task.cdb();
        PageControl control = PageControl.values()[Cdb.u8(cdb, 2) >>> 6];
        int pageCode = cdb[2] & 0x3f;
        int subpage = Cdb.u8(cdb, 3);
        if (control == PageControl.SAVED) {
            task.execution().fail(SenseCode.SAVING_PARAMETERS_NOT_SUPPORTED);
            return;
        }
        ModePage single = ModePage.withCode(pageCode);
        if (single == null && pageCode != ALL_PAGES) {
            task.execution().fail(Sense.inCdb(2, 5));
            return;
        }
        // Pages without subpages: 00h is the page, FFh "all its subpages" is the same here.
        if (subpage != 0 && subpage != ALL_SUBPAGES) {
            task.execution().fail(Sense.inCdb(3, 7));
            return;
        }
        ByteBuffer answer = ByteBuffer.allocate(256);
        boolean six = command == ScsiCommand.MODE_SENSE_6;
        answer.position(six ? 4 : 8);
        int descriptorBytes = putBlockDescriptor(answer, unit, cdb, six);
        for (ModePage page : single == null ? ModePage.values() : new ModePage[] {single}) {
            answer.put(content(unit, page, control));
        }
        answer.flip();
        int deviceSpecific = DPO_FUA | (unit.writeProtected(task) ? WRITE_PROTECTED : 0);
        if (six) {
            answer.put(0, (byte) (answer.limit() - 1));
            answer.put(2, (byte) deviceSpecific);
            answer.put(3, (byte) descriptorBytes);
        } else {
            answer.putShort(0, (short) (answer.limit() - 2));
            answer.put(3, (byte) deviceSpecific);
            answer.put(4, (byte) (descriptorBytes == LONG_DESCRIPTOR_BYTES ? 1 : 0));
            answer.putShort(6, (short) descriptorBytes);
        }
        byte[] bytes = Arrays.copyOf(answer.array(), answer.limit());
        task.execution().reply(bytes, six ? Cdb.u8(cdb, 4) : Cdb.u16(cdb, 7));
    }

    private static byte[] content(LogicalUnit unit, ModePage page, PageControl control) {
        return switch (control) {
            case CHANGEABLE -> page.changeable();
            case DEFAULT -> unit.defaultModes().page(page);
            case CURRENT, SAVED -> unit.modes().page(page);
        };
    }

    private static int putBlockDescriptor(ByteBuffer into, LogicalUnit unit, byte[] cdb, boolean six) {
        if ((cdb[1] & DBD) != 0) {
            return 0;
        }
        long blocks = unit.blocks();
        if (!six && (cdb[1] & LLBAA) != 0) {
            into.putLong(blocks).putInt(0).putInt(unit.blockBytes());
            return LONG_DESCRIPTOR_BYTES;
        }
        into.putInt((int) Math.min(blocks, 0xffff_ffffL)).putInt(unit.blockBytes());
        return SHORT_DESCRIPTOR_BYTES;
    }

    static void modeSelect(LogicalUnit unit, ScsiCommand command, ScsiTask task) {
        byte[] cdb = task.cdb();
        boolean six = command == ScsiCommand.MODE_SELECT_6;
        int listLength = six ? Cdb.u8(cdb, 4) : Cdb.u16(cdb, 7);
        task.dataOutWanted(listLength);
        if ((cdb[1] & SAVE_PAGES) != 0) {
            task.execution().fail(Sense.inCdb(1, 0));
            return;
        }
        if (listLength == 0) {
            task.execution().good();
            return;
        }
        if ((cdb[1] & PAGE_FORMAT) == 0) {
            task.execution().fail(Sense.inCdb(1, 4));
            return;
        }
        byte[] list = ParameterList.copy(task.dataOut(), listLength);
        if (list == null) {
            task.execution().fail(SenseCode.PARAMETER_LIST_LENGTH_ERROR);
            return;
        }
        while (true) {
            Selection selection = new Selection(unit, list, six);
            Sense complaint = selection.parse();
            if (complaint != null) {
                task.execution().fail(complaint);
                return;
            }
            if (apply(unit, task, selection)) {
                return;
            }
        }
    }

    /** @return false if the parameters have changed since the selection was checked against them */
    private static boolean apply(LogicalUnit unit, ScsiTask task, Selection selection) {
        ModeParameters before = selection.before;
        ModeParameters chosen = selection.result;
        if (!before.same(chosen) && !unit.changeModes(before, chosen, task.nexus())) {
            return false;
        }
        if (before.writeCache() && !chosen.writeCache()) {
            // From here on every write is durable; what was cached before becomes so before the initiator hears GOOD.
            unit.backend().flush(task.lane(), task.execution().thenGood());
        } else {
            task.execution().good();
        }
        return true;
    }

    /** One pass over a parameter list: everything is checked before anything is changed. */
    private static final class Selection {
        private final LogicalUnit unit;
        private final byte[] list;
        private final boolean six;
        private final ModeParameters before;
        private ModeParameters result;

        Selection(LogicalUnit unit, byte[] list, boolean six) {
            this.unit = unit;
            this.list = list;
            this.six = six;
            before = unit.modes();
            result = before;
        }

        @Nullable
        Sense parse() {
            int header = six ? 4 : 8;
            if (list.length < header) {
                return Sense.of(SenseCode.PARAMETER_LIST_LENGTH_ERROR);
            }
            if (list[six ? 1 : 2] != 0) {
                return Sense.inParameters(six ? 1 : 2);
            }
            int descriptorBytes = six ? Cdb.u8(list, 3) : Cdb.u16(list, 6);
            if (list.length < header + descriptorBytes) {
                return Sense.of(SenseCode.PARAMETER_LIST_LENGTH_ERROR);
            }
            Sense complaint = checkBlockDescriptor(header, descriptorBytes);
            int at = header + descriptorBytes;
            while (complaint == null && at < list.length) {
                complaint = takePage(at);
                at += 2 + (at + 1 < list.length ? Cdb.u8(list, at + 1) : 0);
            }
            return complaint;
        }

        // The block length cannot be changed, nor the capacity: they may only be told to us as they are.
        private @Nullable Sense checkBlockDescriptor(int at, int bytes) {
            if (bytes == 0) {
                return null;
            }
            boolean longForm = !six && (list[4] & 1) != 0;
            if (bytes != (longForm ? LONG_DESCRIPTOR_BYTES : SHORT_DESCRIPTOR_BYTES)) {
                return Sense.inParameters(six ? 3 : 6);
            }
            long blocks = longForm ? Cdb.u64(list, at) : Cdb.u32(list, at);
            long blockBytes = longForm ? Cdb.u32(list, at + 12) : Cdb.u32(list, at + 4) & 0xff_ffff;
            long shown = longForm ? unit.blocks() : Math.min(unit.blocks(), 0xffff_ffffL);
            if (blocks != 0 && blocks != shown) {
                return Sense.inParameters(at);
            }
            return blockBytes == unit.blockBytes() ? null : Sense.inParameters(at + (longForm ? 12 : 5));
        }

        private @Nullable Sense takePage(int at) {
            if (at + 2 > list.length) {
                return Sense.of(SenseCode.PARAMETER_LIST_LENGTH_ERROR);
            }
            // PS is reserved here, SPF says there is a subpage: neither can be set.
            ModePage page = ModePage.withCode(Cdb.u8(list, at));
            if (page == null) {
                return Sense.inParameters(at);
            }
            if (Cdb.u8(list, at + 1) != page.length() - 2) {
                return Sense.inParameters(at + 1);
            }
            if (at + page.length() > list.length) {
                return Sense.of(SenseCode.PARAMETER_LIST_LENGTH_ERROR);
            }
            byte[] content = Arrays.copyOfRange(list, at, at + page.length());
            int forbidden = result.firstForbidden(page, content);
            if (forbidden >= 0) {
                return Sense.inParameters(at + forbidden);
            }
            result = result.with(page, content);
            return null;
        }
    }
}
