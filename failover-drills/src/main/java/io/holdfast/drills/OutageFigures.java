package io.holdfast.drills;

import java.util.Collection;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/**
 * One outage of a failover drill in numbers: of its first guest, and of all of them where it says so. Milliseconds.
 *
 * @param number which one of its drill, from 1
 * @param detectMs from the fault to the agent's first word of it
 * @param freezeMs from the fault to the stop of the vCPUs
 * @param lastFreezeMs the same of the guest that was stopped last
 * @param thawMs from the end of the fault to the guest's first acknowledged write
 * @param lastThawMs the same of the guest that went on last
 * @param freezes how often the guest was stopped
 */
record OutageFigures(
        int number,
        OptionalDouble detectMs,
        OptionalDouble freezeMs,
        OptionalDouble lastFreezeMs,
        OptionalDouble thawMs,
        OptionalDouble lastThawMs,
        int freezes) {
    private static final List<String> WORDS = List.of(" lost: ", ": announces ", " storage-", "FREEZING", "FROZEN");

    /** What a guest's QEMU recorded, and when the guest made progress again. */
    record Course(List<QemuTrace.Change> changes, OptionalLong progressNs) {
        private OptionalLong stoppedNs() {
            return changes.stream()
                    .filter(change -> !change.running())
                    .mapToLong(QemuTrace.Change::atNs)
                    .findFirst();
        }

        int freezes() {
            return (int) changes.stream().filter(change -> !change.running()).count();
        }

        boolean frozen() {
            return !changes.isEmpty() && !changes.get(changes.size() - 1).running();
        }
    }

    /**
     * @param struckNs the fault
     * @param backNs its end
     * @param courses of each guest, the first one first
     */
    static OutageFigures of(
            int number, long struckNs, OptionalLong backNs, List<Course> courses, List<Child.Line> agentLines) {
        Course first = courses.get(0);
        OptionalLong word = agentLines.stream()
                .filter(line -> line.atNs() >= struckNs && WORDS.stream().anyMatch(line.text()::contains))
                .mapToLong(Child.Line::atNs)
                .findFirst();
        OptionalLong stopped = first.stoppedNs();
        return new OutageFigures(
                number,
                since(struckNs, earlier(word, stopped)),
                since(struckNs, stopped),
                since(struckNs, last(courses.stream().map(Course::stoppedNs).toList())),
                sinceBack(backNs, first.progressNs()),
                sinceBack(backNs, last(courses.stream().map(Course::progressNs).toList())),
                first.freezes());
    }

    /** An agent that has stopped a guest has noticed: its word of it may reach this process later than QEMU's record. */
    private static OptionalLong earlier(OptionalLong one, OptionalLong other) {
        if (one.isEmpty() || other.isEmpty()) {
            return one.isEmpty() ? other : one;
        }
        return OptionalLong.of(Math.min(one.getAsLong(), other.getAsLong()));
    }

    private static OptionalLong last(Collection<OptionalLong> times) {
        return times.stream()
                .filter(OptionalLong::isPresent)
                .mapToLong(OptionalLong::getAsLong)
                .max();
    }

    private static OptionalDouble sinceBack(OptionalLong backNs, OptionalLong atNs) {
        return backNs.isEmpty() ? OptionalDouble.empty() : since(backNs.getAsLong(), atNs);
    }

    private static OptionalDouble since(long fromNs, OptionalLong atNs) {
        return atNs.isEmpty() ? OptionalDouble.empty() : OptionalDouble.of(Numbers.msBetween(fromNs, atNs.getAsLong()));
    }
}
