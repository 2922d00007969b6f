package io.holdfast.scsi;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A {@link DurableFile} for each logical unit that is being sanitized:
 *
 * <pre>
 *   holdfast-sanitize 1
 *   unit 0192f0c4-7a3b-4c5d-9e6f-0123456789ab
 *   method OVERWRITE
 *   passes 3
 *   invert true
 *   unrestricted-exit false
 *   pattern aa55
 *   crc32c 9f1c2b3a
 * </pre>
 */
public final class FileSanitizeStore implements SanitizeStore {
    private static final String MAGIC = "holdfast-sanitize 1";
    /** A pattern of a whole logical block of 4096 bytes takes 8 KiB. */
    private static final int MAX_FILE_BYTES = 64 << 10;

    private static final String SUFFIX = ".sanitize";

    private final DurableFile file;
    private final UUID unit;
    private final @Nullable SanitizeRequest pending;

    private FileSanitizeStore(DurableFile file, UUID unit, @Nullable SanitizeRequest pending) {
        this.file = file;
        this.unit = unit;
        this.pending = pending;
    }

    /** The logical units that a directory says are being sanitized. */
    public static Set<UUID> units(Path directory) throws IOException {
        return DurableFile.units(directory, SUFFIX);
    }

    /**
     * The store of a unit of which the directory says nothing, which whoever opens it has seen: the disk is not asked.
     *
     * @param directory made when it is to say something, if it is missing
     */
    public static FileSanitizeStore fresh(Path directory, UUID unit) {
        return new FileSanitizeStore(file(directory, unit, DurableFile.REAL), unit, null);
    }

    private static DurableFile file(Path directory, UUID unit, DurableFile.Disk disk) {
        return new DurableFile(directory, unit + SUFFIX, disk);
    }

    /**
     * Reads what was under way when the directory was used last. The directory belongs to one server at a time: whoever opens
     * the store sees to that.
     *
     * @param directory made when it is to say something, if it is missing
     * @throws IOException naming the file, if it cannot be read, is torn, or is another logical unit's
     */
    public static FileSanitizeStore open(Path directory, UUID unit) throws IOException {
        return open(directory, unit, DurableFile.REAL);
    }

    static FileSanitizeStore open(Path directory, UUID unit, DurableFile.Disk disk) throws IOException {
        DurableFile file = file(directory, unit, disk);
        return new FileSanitizeStore(file, unit, read(file.path(), unit));
    }

    private static @Nullable SanitizeRequest read(Path file, UUID unit) throws IOException {
        try {
            if (Files.size(file) > MAX_FILE_BYTES) {
                throw new SealedText.DamagedException("it has " + Files.size(file) + " bytes");
            }
            return decode(unit, SealedText.open(MAGIC, Files.readAllBytes(file)));
        } catch (NoSuchFileException e) {
            return null;
        } catch (SealedText.DamagedException | IllegalArgumentException | NullPointerException e) {
            throw new IOException(
                    "the record " + file + " of a disk that is being sanitized cannot be used: " + e.getMessage()
                            + "; restore it, or remove it and the disk is served half sanitized",
                    e);
        }
    }

    private static SanitizeRequest decode(UUID unit, List<String> lines) throws SealedText.DamagedException {
        Map<String, String> facts = new HashMap<>();
        for (String line : lines) {
            int blank = line.indexOf(' ');
            if (blank < 0) {
                throw new SealedText.DamagedException("it has a line '" + line + "'");
            }
            facts.put(line.substring(0, blank), line.substring(blank + 1));
        }
        if (!unit.toString().equals(facts.get("unit"))) {
            throw new SealedText.DamagedException("it is of logical unit " + facts.get("unit") + ", not of " + unit);
        }
        return new SanitizeRequest(
                SanitizeRequest.Method.valueOf(fact(facts, "method")),
                Integer.parseInt(fact(facts, "passes")),
                Boolean.parseBoolean(fact(facts, "invert")),
                Boolean.parseBoolean(fact(facts, "unrestricted-exit")),
                HexFormat.of().parseHex(fact(facts, "pattern")));
    }

    private static String fact(Map<String, String> facts, String name) {
        return Objects.requireNonNull(facts.get(name), "it does not say '" + name + "'");
    }

    @Override
    public @Nullable SanitizeRequest pending() {
        return pending;
    }

    @Override
    public void begun(SanitizeRequest request) throws IOException {
        String text = MAGIC + "\n"
                + "unit " + unit + "\n"
                + "method " + request.method() + "\n"
                + "passes " + request.passes() + "\n"
                + "invert " + request.invert() + "\n"
                + "unrestricted-exit " + request.unrestrictedExit() + "\n"
                + "pattern " + HexFormat.of().formatHex(request.pattern()) + "\n";
        file.replace(SealedText.seal(text));
    }

    @Override
    public void ended() throws IOException {
        file.delete();
    }
}
