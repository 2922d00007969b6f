package io.holdfast.scsi;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * An I_T nexus (SAM-5 §4.3): one initiator port talking to one target port. Logical units keep what they owe it (unit
 * attentions) under this object: two sessions are two objects, whatever their names.
 *
 * <p>Thread-safe. The transport calls {@link #end()} once the session is over and its last task has been completed.
 */
public final class Nexus {
    private final String initiatorPort;
    private final String targetPort;
    private final int relativeTargetPort;
    private final NexusName name;
    private final Transport transport;
    private final Set<LogicalUnit> remembering = ConcurrentHashMap.newKeySet();

    /**
     * @param initiatorPort the initiator port's name, for iSCSI {@code name,i,0xISID} (RFC 7143 §4.2.7.1)
     * @param targetPort the target port's name, for iSCSI {@code name,t,0xTPGT}
     * @param relativeTargetPort relative target port identifier, 1..65535 (SPC-4 §7.8.6.7)
     */
    public Nexus(String initiatorPort, String targetPort, int relativeTargetPort) {
        this(initiatorPort, targetPort, relativeTargetPort, (device, done) -> done.run());
    }

    /** @param transport has the tasks of this nexus in its hands */
    public Nexus(String initiatorPort, String targetPort, int relativeTargetPort, Transport transport) {
        this.initiatorPort = initiatorPort;
        this.targetPort = targetPort;
        this.relativeTargetPort = relativeTargetPort;
        this.transport = transport;
        name = new NexusName(initiatorPort, relativeTargetPort);
    }

    /** Where the tasks of a nexus are. Called on any thread. */
    @FunctionalInterface
    public interface Transport {
        /**
         * Ends the tasks of the nexus at a device server, on behalf of another nexus.
         *
         * @param done runs when they have really ended, on any thread, perhaps before this method returns
         */
        void abortTasksAt(DeviceServer device, Runnable done);

        /**
         * Runs {@code done} when the tasks that a device server is executing for the nexus at this moment have ended, on any
         * thread, perhaps before this method returns. Those that have not begun are no affair of the device server's: they
         * are executed by what is at their LUN when they begin.
         */
        default void awaitTasksAt(DeviceServer device, Runnable done) {
            done.run();
        }

        /** Writes that had to wait need not any longer: see {@link LunView#holdsWrites}. */
        default void writesReleased() {}
    }

    /** What is left of the nexus when the session is gone: by this it is registered. */
    NexusName name() {
        return name;
    }

    Transport transport() {
        return transport;
    }

    public String initiatorPort() {
        return initiatorPort;
    }

    public String targetPort() {
        return targetPort;
    }

    public int relativeTargetPort() {
        return relativeTargetPort;
    }

    /** A logical unit has begun to keep something under this nexus, which it must drop in the end. */
    void remembers(LogicalUnit unit) {
        remembering.add(unit);
    }

    /** A logical unit that the nexus does not see any more drops what it keeps for it. */
    void forgottenBy(LogicalUnit unit) {
        if (remembering.remove(unit)) {
            unit.nexusLost(this);
        }
    }

    /**
     * The nexus is lost: every logical unit that keeps something for it drops that. To be called once, after the last of
     * its tasks; a task executed later would make logical units remember the nexus again.
     */
    public void end() {
        remembering.forEach(unit -> unit.nexusLost(this));
        remembering.clear();
    }

    @Override
    public String toString() {
        return initiatorPort + " - " + targetPort;
    }
}
