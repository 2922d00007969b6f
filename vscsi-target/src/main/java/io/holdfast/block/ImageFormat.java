package io.holdfast.block;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Formats that other programs keep a disk in. What is served is always the file as it is: whoever serves such a file has mostly
 * forgotten to convert it, and a guest finds nothing to boot from.
 */
enum ImageFormat {
    QCOW2("qcow2", "QFI\u00fb"),
    VMDK("VMDK", "KDMV"),
    VHDX("VHDX", "vhdxfile"),
    VHD("VHD", "conectix");

    private static final int LONGEST = 8;

    private final String label;
    private final String magic;

    ImageFormat(String label, String magic) {
        this.label = label;
        this.magic = magic;
    }

    /** What the file's first bytes say, if anything. Reads through this channel: closing another one would drop its lock. */
    static Optional<ImageFormat> of(FileChannel file) throws IOException {
        ByteBuffer first = ByteBuffer.allocate(LONGEST);
        int read = file.read(first, 0);
        String text = new String(first.array(), 0, Math.max(0, read), StandardCharsets.ISO_8859_1);
        for (ImageFormat format : values()) {
            if (text.startsWith(format.magic)) {
                return Optional.of(format);
            }
        }
        return Optional.empty();
    }

    /** For people: {@code qcow2}. */
    String label() {
        return label;
    }
}
