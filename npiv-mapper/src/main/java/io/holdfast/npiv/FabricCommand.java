package io.holdfast.npiv;

/**
 * Everything that can change a {@link Fabric}. A new command is one record: what it says, and in {@link #applyTo} the
 * rules it obeys.
 */
public sealed interface FabricCommand
        permits PoolCommand,
                ClientCommand,
                AdapterCommand,
                PortCommand,
                ZoneCommand,
                LuCommand,
                MigrationCommand,
                InitiatorCommand {

    /**
     * Carries it out on a draft; called by {@link Fabric#apply} only, which throws the draft away if it fails.
     *
     * @return what was made, changed or removed
     */
    FabricObject applyTo(FabricDraft draft);
}
