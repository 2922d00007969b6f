package io.holdfast.control;

import java.util.List;

/** What an agent says to a server: one JSON object on a line, told apart by its {@code type}. */
public sealed interface AgentMessage {

    /**
     * The first line of a connection.
     *
     * @param agentName the agent, for people: host name and process
     * @param protocol highest version of this protocol the agent speaks, {@link ControlProtocol#VERSION}
     * @param vms names of the VMs it looks after
     */
    record Hello(String agentName, int protocol, List<String> vms) implements AgentMessage {}

    /** @param seq counts up from 1 */
    record Heartbeat(long seq) implements AgentMessage {}

    /**
     * The answer to {@link ServerMessage.GoingAway}: nothing more can be done for these VMs, the server may go.
     *
     * @param announcementId of the announcement that is answered
     */
    record Frozen(long announcementId, List<VmOutcome> vms) implements AgentMessage {}

    /** Where VMs stand now; those that are not named stand where they stood. All are named after a welcome. */
    record VmStates(List<VmState> vms) implements AgentMessage {}

    /** The answer to {@link ServerMessage.ActionsRegistered}, for the VMs for which something is registered. */
    record ActionsTaken(List<VmActionsTaken> vms) implements AgentMessage {}

    /**
     * Asks whether a unit that does not let the agent in is the one it knows, and reads and, unless it is read-only, writes.
     * Answered by {@link ServerMessage.UnitProved} in bounded time, whatever is asked.
     *
     * @param id to be repeated in the answer
     * @param unit as the agent knows it
     * @param initiators names of the VM's initiators, whose reservations are no obstacle
     */
    record ProveUnit(long id, ExportedUnit unit, List<String> initiators) implements AgentMessage {}

    /** The agent goes, and leaves its VMs as they are. */
    record Bye(String why) implements AgentMessage {}
}
