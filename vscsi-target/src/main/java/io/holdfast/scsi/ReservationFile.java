package io.holdfast.scsi;

import io.holdfast.scsi.PersistentReservations.Reservation;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Persistent reservations as text: one line for each fact, which people can read, {@linkplain SealedText sealed}.
 *
 * <pre>
 *   holdfast-reservations 1
 *   unit 0192f0c4-7a3b-4c5d-9e6f-0123456789ab
 *   generation 3
 *   aptpl true
 *   registration 0x00000000deadbeef 1 iqn.1993-08.org.debian:01:abc,i,0x00023d000000
 *   reservation EXCLUSIVE_ACCESS 1 iqn.1993-08.org.debian:01:abc,i,0x00023d000000
 *   crc32c 9f1c2b3a
 * </pre>
 */
final class ReservationFile {
    private static final String MAGIC = "holdfast-reservations 1";
    private static final String ALL_REGISTRANTS = "*";

    private ReservationFile() {}

    static byte[] encode(UUID unit, PersistentReservations present) {
        StringBuilder text = new StringBuilder();
        line(text, MAGIC);
        line(text, "unit " + unit);
        line(text, "generation " + Integer.toUnsignedString(present.generation()));
        line(text, "aptpl " + present.aptpl());
        present.registrations()
                .forEach((nexus, key) -> line(text, String.format("registration 0x%016x %s", key, print(nexus))));
        Reservation held = present.reservation();
        if (held != null) {
            NexusName holder = held.holder();
            line(text, "reservation " + held.type().name() + " " + (holder == null ? ALL_REGISTRANTS : print(holder)));
        }
        return SealedText.seal(text.toString());
    }

    private static void line(StringBuilder text, String line) {
        text.append(line).append('\n');
    }

    private static String print(NexusName nexus) {
        return nexus.relativeTargetPort() + " " + nexus.initiatorPort();
    }

    /** @param unit whose reservations are expected */
    static PersistentReservations decode(UUID unit, byte[] bytes) throws SealedText.DamagedException {
        List<String> lines = SealedText.open(MAGIC, bytes);
        try {
            return parse(unit, lines);
        } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
            throw new SealedText.DamagedException(String.valueOf(e.getMessage()));
        }
    }

    private static PersistentReservations parse(UUID unit, List<String> lines) throws SealedText.DamagedException {
        int generation = 0;
        boolean aptpl = false;
        boolean unitSeen = false;
        Map<NexusName, Long> registrations = new LinkedHashMap<>();
        Reservation reservation = null;
        for (String line : lines) {
            String[] words = line.split(" ", 4);
            switch (words[0]) {
                case "unit" -> {
                    if (!words[1].equals(unit.toString())) {
                        throw new SealedText.DamagedException("it is of logical unit " + words[1] + ", not of " + unit);
                    }
                    unitSeen = true;
                }
                case "generation" -> generation = Integer.parseUnsignedInt(words[1]);
                case "aptpl" -> aptpl = Boolean.parseBoolean(words[1]);
                case "registration" ->
                    registrations.put(nexus(words), Long.parseUnsignedLong(words[1].substring(2), 16));
                case "reservation" -> reservation = reservation(words);
                default -> throw new SealedText.DamagedException("it has a line '" + words[0] + "'");
            }
        }
        if (!unitSeen) {
            throw new SealedText.DamagedException("it does not name its logical unit");
        }
        return new PersistentReservations(generation, aptpl, registrations, reservation);
    }

    private static Reservation reservation(String[] words) {
        @Nullable NexusName holder = words[2].equals(ALL_REGISTRANTS) ? null : nexus(words);
        return new Reservation(ReservationType.valueOf(words[1]), holder);
    }

    private static NexusName nexus(String[] words) {
        return new NexusName(words[3], Integer.parseInt(words[2]));
    }
}
