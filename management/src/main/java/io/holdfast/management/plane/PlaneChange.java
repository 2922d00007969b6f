package io.holdfast.management.plane;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * From one state to the next.
 *
 * @param image what is to become of the image of the LU that is made or removed
 */
public record PlaneChange(PlaneState before, PlaneState after, Image image) {

    /** What is to become of an image. */
    public enum Image {
        /** It is there and stays there; the usual case, and that of changes that concern no image. */
        KEPT,
        /** Must not be there yet; it is made, sparse. */
        CREATED,
        /** The same, with all its blocks. */
        CREATED_WHOLE,
        /** Deleted, once the change is durable and nobody uses it any more. */
        DELETED
    }

    /** LUs that are new. */
    public List<LuBacking> opened() {
        return missingIn(after, before);
    }

    /** LUs that are gone. */
    public List<LuBacking> closed() {
        return missingIn(before, after);
    }

    /** LUs that have another size, with the new one. */
    public List<LuBacking> resized() {
        List<LuBacking> resized = new ArrayList<>();
        if (before.backings() != after.backings()) {
            for (Map.Entry<String, LuBacking> row : after.backings().entrySet()) {
                LuBacking old = before.backings().get(row.getKey());
                if (old != null && old.sizeBytes() != row.getValue().sizeBytes()) {
                    resized.add(row.getValue());
                }
            }
        }
        return resized;
    }

    /** Where pools lie that are new. */
    public List<Path> newPoolDirectories() {
        List<Path> directories = new ArrayList<>();
        if (before.pools() != after.pools()) {
            for (StoragePool pool : after.pools().values()) {
                if (!before.pools().containsKey(pool.name())) {
                    directories.add(pool.directory());
                }
            }
        }
        return directories;
    }

    private static List<LuBacking> missingIn(PlaneState here, PlaneState there) {
        List<LuBacking> missing = new ArrayList<>();
        for (LuBacking row : here.backings().values()) {
            LuBacking same = there.backings().get(row.name());
            if (same == null || !same.uuid().equals(row.uuid())) {
                missing.add(row);
            }
        }
        return missing;
    }
}
