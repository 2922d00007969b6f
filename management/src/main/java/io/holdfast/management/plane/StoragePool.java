package io.holdfast.management.plane;

import java.nio.file.Path;

/**
 * A directory of the host that LUs are made in.
 *
 * @param revision the state's version that last changed it
 */
public record StoragePool(String name, Path directory, long revision) {}
