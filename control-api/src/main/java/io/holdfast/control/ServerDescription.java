package io.holdfast.control;

import java.util.List;

/**
 * What a server serves, as an agent needs to know it.
 *
 * @param name the server, for people
 * @param portals addresses of its iSCSI portals, {@code ip:port}, the preferred one first
 */
public record ServerDescription(String name, List<String> portals, List<ExportedUnit> units) {}
