package io.holdfast.management;

import io.holdfast.block.FileBackend;
import io.holdfast.iscsi.IscsiTarget;
import io.holdfast.management.config.Export;
import java.util.UUID;

/** An export that is being served: one target with one logical unit, LUN 0. */
record ServedUnit(Export export, IscsiTarget target, UUID uuid, FileBackend backend) {
    /** The LUN every export is served at. */
    static final int LUN = 0;
}
