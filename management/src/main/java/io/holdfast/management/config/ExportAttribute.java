package io.holdfast.management.config;

/**
 * What can be said of an export: {@code --export PATH[,attribute…]} on the command line, {@code [[export]]} in the
 * configuration file.
 */
public enum ExportAttribute {
    SIZE(
            "size",
            "BYTES",
            "A missing file is created with it, sparse; an existing one must have it. A multiple of the block size; K, M, G, T (or "
                    + "KiB, …) for powers of 1024."),
    READ_ONLY("ro", "", "Initiators cannot write."),
    CACHE(
            "cache",
            "WAY",
            "writeback: a write is answered when the host's page cache has it, and is safe from loss of power after the "
                    + "initiator's next flush. writethrough: it is safe before it is answered. Default: writeback."),
    DIRECT(
            "direct",
            "",
            "The host's page cache is left out (O_DIRECT): for images larger than memory, or storage that caches itself."),
    PREALLOCATE(
            "preallocate",
            "",
            "A missing file is created with all its blocks, so that no write runs out of space; initiators cannot give them "
                    + "back."),
    REMOVABLE(
            "removable",
            "",
            "Initiators may eject the medium, which is then not there for any of them, and load it again."),
    BLOCK_SIZE(
            "block-size",
            "BYTES",
            "Logical block length, 512 or 4096. A disk keeps it for life: what is on it was laid out in such blocks. Default: "
                    + "512."),
    NAME("name", "NAME", "The target's name after the prefix. Default: the file's name without its ending.");

    private final String key;
    private final String label;
    private final String help;

    ExportAttribute(String key, String label, String help) {
        this.key = key;
        this.label = label;
        this.help = help;
    }

    public String key() {
        return key;
    }

    /** What stands for the value in help texts; empty for a switch. */
    public String label() {
        return label;
    }

    public String help() {
        return help;
    }
}
