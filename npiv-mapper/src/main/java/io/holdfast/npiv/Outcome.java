package io.holdfast.npiv;

import java.util.List;

/** What became of a command. */
public sealed interface Outcome {

    /**
     * It was carried out.
     *
     * @param fabric the new state
     * @param objects what each command made, changed or removed, in their order; of a restore: nothing
     */
    record Done(Fabric fabric, List<FabricObject> objects) implements Outcome {
        public Done {
            objects = List.copyOf(objects);
        }
    }

    /** Nothing was changed. */
    record Refused(Refusal refusal) implements Outcome {}
}
