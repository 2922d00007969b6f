package io.holdfast.scsi;

import java.util.EnumSet;
import java.util.Set;

/** What memory a command takes while it is executed, known before it is: transports set it aside first. */
final class TaskMemory {
    // The writes write their Data-Out from where the transport has gathered it; sanitizing outlives its command.
    private static final Set<ScsiCommand> NO_DATA_IN = EnumSet.of(
            ScsiCommand.WRITE_6,
            ScsiCommand.WRITE_10,
            ScsiCommand.WRITE_12,
            ScsiCommand.WRITE_16,
            ScsiCommand.SANITIZE_OVERWRITE,
            ScsiCommand.SANITIZE_BLOCK_ERASE);

    private TaskMemory() {}

    /** At most this many bytes beside Data-Out, for commands that move data; the replies of the others are small. */
    static long bytes(ScsiCommand command, byte[] cdb, int blockShift) {
        Access access = command.access();
        if (access == Access.COPY) {
            return Limits.COPY_PIECE_BYTES;
        }
        if (access != Access.READ && access != Access.WRITE || NO_DATA_IN.contains(command)) {
            return 0;
        }
        return Math.min(Limits.MAX_TRANSFER_BYTES, Cdb.lengthBlocks(cdb, command.cdbLength()) << blockShift);
    }
}
