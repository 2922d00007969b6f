package io.holdfast.linux;

/** What must be true before the first class of jnr is touched. Everything in this package that uses jnr calls it first. */
final class JnrSettings {

    private JnrSettings() {}

    /**
     * Turns jnr-ffi's x86-64 code generator off: in 2.3.4 it passes a wrong sixth integer argument. jnr reads the property
     * once, when its runtime is created.
     */
    static void apply() {
        System.setProperty("jnr.ffi.x86asm.enabled", "false");
    }
}
