package io.holdfast.scsi;

import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What each nexus still has to be told by one logical unit (SAM-5 §5.14): a set of bits for each, so that nothing is told
 * twice and nothing can pile up. Kept from the first command of a nexus until its end.
 *
 * <p>Thread-safe. Several are reported in the order of {@link SenseCode}: resets first, which void what was pending before
 * them (SAM-5 §5.14.2).
 *
 * <table>
 * <caption>Who establishes what</caption>
 * <tr><td>the first command of a nexus<td>POWER ON OR RESET
 * <tr><td>a reset of the logical unit or the target<td>LOGICAL UNIT RESET, for every nexus
 * <tr><td>MODE SELECT<td>MODE PARAMETERS CHANGED, for every other nexus
 * <tr><td>another map of LUs to the client<td>REPORTED LUNS DATA CHANGED, or MODE PARAMETERS CHANGED where he may write
 * now, or not any more; for the sessions of that client
 * <tr><td>the backend's size<td>CAPACITY DATA CHANGED, for every nexus
 * <tr><td>task management and PREEMPT AND ABORT that end tasks of another nexus unanswered (TAS=0)<td>COMMANDS CLEARED BY
 * ANOTHER INITIATOR, for that nexus (SAM-5 §5.7)
 * <tr><td>START STOP UNIT that loads an ejected medium<td>MEDIUM MAY HAVE CHANGED, for every other nexus
 * <tr><td>PERSISTENT RESERVE OUT<td>RESERVATIONS PREEMPTED or RELEASED, REGISTRATIONS PREEMPTED, for whom it concerns
 * <tr><td>SET TARGET PORT GROUPS<td>ASYMMETRIC ACCESS STATE CHANGED, for every other nexus; a change by the target: for all
 * </table>
 */
final class UnitAttentions {
    private static final SenseCode[] CODES = Arrays.stream(SenseCode.values())
            .filter(code -> code.key() == SenseKey.UNIT_ATTENTION)
            .toArray(SenseCode[]::new);

    static {
        if (CODES.length > Long.SIZE) {
            throw new ExceptionInInitializerError(CODES.length + " unit attentions do not fit a long");
        }
    }

    private final LogicalUnit unit;
    private final Map<Nexus, AtomicLong> pending = new ConcurrentHashMap<>();

    UnitAttentions(LogicalUnit unit) {
        this.unit = unit;
    }

    /** Takes what a nexus must hear next, or null. */
    @Nullable
    SenseCode next(Nexus nexus) {
        AtomicLong mine = of(nexus);
        long codes = mine.get();
        while (codes != 0) {
            int first = Long.numberOfTrailingZeros(codes);
            if (mine.compareAndSet(codes, codes & ~(1L << first))) {
                return CODES[first];
            }
            codes = mine.get();
        }
        return null;
    }

    /** True if a nexus must hear something next; nothing is taken. */
    boolean pending(Nexus nexus) {
        AtomicLong mine = pending.get(nexus);
        return mine == null || mine.get() != 0;
    }

    // A nexus is new to the logical unit with its first command: it is told that everything it knows from before is
    // void (29h/00h stands for all the others, SPC-4 §5.15). QEMU and Linux repeat a command that hears it.
    private AtomicLong of(Nexus nexus) {
        AtomicLong mine = pending.get(nexus);
        if (mine != null) {
            return mine;
        }
        AtomicLong fresh = new AtomicLong(bit(SenseCode.POWER_ON_OR_RESET));
        AtomicLong other = pending.putIfAbsent(nexus, fresh);
        nexus.remembers(unit);
        return other == null ? fresh : other;
    }

    /** Drops one of a nexus, which has just got the news in another way. */
    void clear(Nexus nexus, SenseCode code) {
        AtomicLong mine = pending.get(nexus);
        if (mine != null) {
            mine.getAndUpdate(codes -> codes & ~bit(code));
        }
    }

    /** Establishes one for every nexus that is meant, of those that have been seen. */
    void establish(SenseCode code, Predicate<Nexus> meant) {
        long bit = bit(code);
        // A reset is news enough: what is pending with it would only be told about a state that is gone.
        long kept = code == SenseCode.LOGICAL_UNIT_RESET ? POWER_ON : -1;
        pending.forEach((nexus, mine) -> {
            if (meant.test(nexus)) {
                mine.getAndUpdate(codes -> codes & kept | bit);
            }
        });
    }

    /** Establishes one for a nexus that has not ended. */
    void establish(SenseCode code, Nexus nexus) {
        of(nexus).getAndUpdate(codes -> codes | bit(code));
    }

    /** A nexus has ended. */
    void forget(Nexus nexus) {
        pending.remove(nexus);
    }

    /** Every nexus that has been seen and has not ended. */
    Collection<Nexus> nexuses() {
        return Collections.unmodifiableSet(pending.keySet());
    }

    private static final long POWER_ON = bit(SenseCode.POWER_ON_OR_RESET);

    private static long bit(SenseCode code) {
        int index = Arrays.asList(CODES).indexOf(code);
        if (index < 0) {
            throw new IllegalArgumentException(code + " is no unit attention");
        }
        return 1L << index;
    }
}
