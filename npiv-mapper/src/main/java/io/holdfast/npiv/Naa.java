package io.holdfast.npiv;

import java.util.Optional;

/**
 * Who vouches for a name being unique: the Network Address Authority, its first four bits (FC-FS
 * Name_Identifier formats; SPC-4 §7.8.6.6). Only the forms that port names have.
 */
public enum Naa {
    /** 1h, IEEE 48-bit: a MAC address. Physical host bus adapters. */
    IEEE_48_BIT,
    /** 2h, IEEE extended. Physical host bus adapters with several ports. */
    IEEE_EXTENDED,
    /** 3h, locally assigned: unique where the administrator sees to it. What Holdfast uses when it has no prefix. */
    LOCALLY_ASSIGNED,
    /** 5h, IEEE registered. */
    IEEE_REGISTERED,
    /** 6h, the first half of IEEE registered extended, which as a whole has 128 bits. */
    IEEE_REGISTERED_EXTENDED_SHORT,
    /** Ch..Fh, an EUI-64 whose company identifier lost two bits to the NAA: IBM's {@code c050:76…} is 00-50-76. */
    EUI_64_MAPPED;

    /** What may stand first, for messages. */
    static final String ALLOWED = "1, 2, 3, 5, 6 or c to f, its Network Address Authority";

    /** The form of a name, by its first digit (0..15); empty for those that no port name has. */
    static Optional<Naa> ofDigit(int digit) {
        return switch (digit) {
            case 0x1 -> Optional.of(IEEE_48_BIT);
            case 0x2 -> Optional.of(IEEE_EXTENDED);
            case 0x3 -> Optional.of(LOCALLY_ASSIGNED);
            case 0x5 -> Optional.of(IEEE_REGISTERED);
            case 0x6 -> Optional.of(IEEE_REGISTERED_EXTENDED_SHORT);
            case 0xc, 0xd, 0xe, 0xf -> Optional.of(EUI_64_MAPPED);
            default -> Optional.empty();
        };
    }
}
