package io.holdfast.iscsi;

import java.util.Arrays;

/** What a command does to the data, as it is counted. */
public enum IoKind {
    READ(0, "read", 0x08, 0x28, 0xa8, 0x88),
    /** WRITE, WRITE AND VERIFY, WRITE ATOMIC, WRITE SAME, COMPARE AND WRITE. */
    WRITE(1, "write", 0x0a, 0x2a, 0xaa, 0x8a, 0x2e, 0xae, 0x8e, 0x9c, 0x41, 0x93, 0x89),
    /** SYNCHRONIZE CACHE. */
    FLUSH(2, "flush", 0x35, 0x91),
    UNMAP(3, "unmap", 0x42),
    OTHER(4, "other");

    private static final IoKind[] BY_OPCODE = new IoKind[256];

    static {
        Arrays.fill(BY_OPCODE, OTHER);
        for (IoKind kind : values()) {
            for (int opcode : kind.opcodes) {
                BY_OPCODE[opcode] = kind;
            }
        }
    }

    private final int place;
    private final String label;

    @SuppressWarnings("ImmutableEnumChecker") // Nobody writes to it.
    private final int[] opcodes;

    IoKind(int place, String label, int... opcodes) {
        this.place = place;
        this.label = label;
        this.opcodes = opcodes;
    }

    /** In metrics. */
    public String label() {
        return label;
    }

    /** Where its numbers stand among those of all kinds, from 0. */
    int place() {
        return place;
    }

    static IoKind of(byte[] cdb) {
        return BY_OPCODE[cdb[0] & 0xff];
    }
}
