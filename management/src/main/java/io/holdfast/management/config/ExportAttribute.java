package io.holdfast.management.config;

/**
 * What can be said of an export: {@code --export PATH[,attribute…]} on the command line, {@code [[export]]} in the
 * configuration file.
 */
public enum ExportAttribute {
    SIZE(
            "size",
            "BYTES",
            "A missing file is created with it, sparse; an existing one must have it. A multiple of 512; K, M, G, T for "
                    + "powers of 1024."),
    READ_ONLY("ro", "", "Initiators cannot write."),
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
