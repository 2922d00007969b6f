package io.holdfast.control.operator;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One line of an answer. The components' names are the field names of JSON and of {@code -fmt}, and the columns of tables:
 * stable. Sizes are bytes.
 */
public sealed interface Row permits Row.Listed, PlaneEvent {

    /** All but events. */
    sealed interface Listed extends Row {}

    /** @param clients names of those that see it */
    record LuRow(
            String name,
            long size,
            String state,
            String sharing,
            String access,
            String cache,
            List<String> clients,
            @Nullable String pool,
            String path,
            String uuid,
            long revision)
            implements Listed {}

    /** @param free what its file system has left; -1 if it cannot be asked */
    record PoolRow(String name, String directory, int lus, long allotted, long free, long revision) implements Listed {}

    record WwpnPoolRow(String name, String prefix, long issued, long left, long revision) implements Listed {}

    /**
     * @param wwpn its first adapter's active name
     * @param initiator the initiator name to give to it
     * @param target the target to log in to
     */
    record ClientRow(
            int id,
            String name,
            String kind,
            int adapters,
            int lus,
            int sessions,
            @Nullable String wwpn,
            @Nullable String initiator,
            @Nullable String target,
            boolean chap,
            String migration,
            long revision)
            implements Listed {}

    record AdapterRow(
            String adapter,
            String client,
            @Nullable String vadapter,
            @Nullable String port,
            String active,
            String standby,
            int sessions,
            @Nullable String target,
            long revision)
            implements Listed {}

    record PortRow(String name, String location, int capacity, int used, int sessions, long revision)
            implements Listed {}

    record MapRow(String client, int lun, String lu, long size, String access, String device, long revision)
            implements Listed {}

    record ZoneRow(String name, List<String> members, List<String> ports, long revision) implements Listed {}

    record InitiatorRow(String initiator, String wwpn, String client, long revision) implements Listed {}

    record ActionsRow(String vm, String actions, long revision) implements Listed {}

    record RaisedRow(String name, String target, String detail, long revision) implements Listed {}

    record SessionRow(
            long id,
            @Nullable String client,
            @Nullable String wwpn,
            String initiator,
            String target,
            String peer,
            @Nullable String port,
            Instant since,
            long reads,
            long readBytes,
            long writes,
            long writtenBytes,
            long errors)
            implements Listed {}

    record AgentRow(String name, String peer, Instant since, List<String> vms) implements Listed {}

    /**
     * @param state where it stands, by its agent's word
     * @param why how it came to that
     * @param actions what operators registered for it
     * @param answer what its agent makes of them: {@code taken}, or what it refuses and why
     */
    record VmRow(
            String name,
            @Nullable String agent,
            String state,
            @Nullable Instant since,
            @Nullable String why,
            @Nullable String actions,
            @Nullable String answer)
            implements Listed {}

    record TokenRow(
            String name,
            String role,
            Instant created,
            @Nullable Instant expires,
            long revision) implements Listed {}

    /** @param token shown this once */
    record NewTokenRow(
            String name,
            String role,
            String token,
            @Nullable Instant expires) implements Listed {}

    /** A device that a client sees through a server adapter; {@code lsmap -all} groups them by {@code svsa}. */
    record LsmapRow(
            String svsa,
            String physloc,
            int clientid,
            @Nullable String vtd,
            @Nullable String status,
            @Nullable Integer lun,
            @Nullable String backing,
            @Nullable String access,
            @Nullable String sharing)
            implements Listed {}

    /** As {@code lsmap -npiv} has them. */
    record LsmapNpivRow(
            String name,
            String physloc,
            int clntid,
            String clntname,
            String clntos,
            String status,
            @Nullable String fc,
            @Nullable String fcphysloc,
            int ports,
            List<String> flags,
            String vfcclient,
            String vfcclientdrc,
            String wwpns,
            String active)
            implements Listed {}

    record VfcmapRow(String vadapter, @Nullable String fcp) implements Listed {}

    record LsnportsRow(String name, String physloc, int fabric, int tports, int aports, int swwpns, int awwpns)
            implements Listed {}

    /** @param version of the state */
    record StatusRow(
            String server,
            String release,
            String state,
            List<String> obstacles,
            Instant since,
            long version,
            long latestEvent,
            int keptEvents,
            int lus,
            int clients,
            int maps,
            int sessions,
            int agents,
            int vms)
            implements Listed {}

    /** Who changed what. */
    record AuditRow(Instant time, long version, String by, String role, String from, String what, String object)
            implements Listed {}

    /** Something without more to tell than what it was. */
    record ObjectRow(String object, long revision) implements Listed {}
}
