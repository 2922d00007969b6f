package io.holdfast.npiv;

import java.util.List;

/**
 * A fabric as plain values, to be stored, sent and restored: lists of records of numbers, texts and enums. (A
 * {@link Wwpn} or a {@link WwpnPrefix} is best written as its text, and read by its {@code parse} or constructor.)
 *
 * @param version of the fabric; goes up by one with every change
 * @param nextClient the lowest client id that was never used
 * @param nextServer the lowest server adapter number above all that were ever used
 * @param retiredPrefixes what deleted pools have issued
 */
public record FabricState(
        long version,
        int nextClient,
        int nextServer,
        ZonePolicy zonePolicy,
        List<RetiredPrefix> retiredPrefixes,
        List<WwpnPool> pools,
        List<Client> clients,
        List<ClientAdapter> adapters,
        List<ServerAdapter> servers,
        List<PhysicalPort> ports,
        List<Zone> zones,
        List<Lu> lus,
        List<LuMap> maps,
        List<InitiatorBinding> initiators) {

    public FabricState {
        retiredPrefixes = List.copyOf(retiredPrefixes);
        pools = List.copyOf(pools);
        clients = List.copyOf(clients);
        adapters = List.copyOf(adapters);
        servers = List.copyOf(servers);
        ports = List.copyOf(ports);
        zones = List.copyOf(zones);
        lus = List.copyOf(lus);
        maps = List.copyOf(maps);
        initiators = List.copyOf(initiators);
    }
}
