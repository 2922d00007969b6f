package io.holdfast.management.plane;

import io.holdfast.npiv.Fabric;
import java.util.Collection;
import java.util.Map;
import java.util.UUID;

/** States for tests of the served side, without the commands that lead to them. */
public final class PlaneStates {
    private PlaneStates() {}

    /** @param secrets by client's id */
    public static PlaneState of(Fabric fabric, Collection<LuBacking> lus, Map<Integer, String> secrets) {
        PlaneState.Draft draft = PlaneState.empty(new UUID(1, 1)).draft(fabric);
        lus.forEach(draft::put);
        secrets.forEach((client, secret) -> draft.put(new ClientSecret(client, secret, 1)));
        return draft.done();
    }
}
