package io.holdfast.management.config;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.tomlj.Toml;
import org.tomlj.TomlArray;
import org.tomlj.TomlParseError;
import org.tomlj.TomlParseResult;
import org.tomlj.TomlPosition;
import org.tomlj.TomlTable;

/** A configuration file, and where in it something stands. */
final class TomlFile {
    private static final long MAX_BYTES = 1 << 20;

    private TomlFile() {}

    /** Reads a file of TOML. What is wrong is told with file and line. */
    static TomlParseResult parse(Path file) throws ConfigException {
        try {
            if (Files.isRegularFile(file) && Files.size(file) > MAX_BYTES) {
                throw new ConfigException(file + " has " + Files.size(file) + " bytes; the limit is " + MAX_BYTES);
            }
            TomlParseResult toml = understood(Files.readString(file))
                    .orElseThrow(() -> new ConfigException(
                            file + " is not TOML; look for a list, a table or a text in quotes that does not end"));
            if (toml.hasErrors()) {
                TomlParseError first = toml.errors().get(0);
                throw new ConfigException(where(file, first.position()) + ": " + first.getMessage());
            }
            return toml;
        } catch (CharacterCodingException e) {
            throw new ConfigException("configuration file " + file + " is not text in UTF-8");
        } catch (IOException e) {
            throw new ConfigException("configuration file " + file + " cannot be read: " + Unreadable.inWords(e));
        }
    }

    /** @return empty if the parser itself got lost, which happens with texts that are far from TOML */
    static Optional<TomlParseResult> understood(String text) {
        try {
            return Optional.of(Toml.parse(text));
        } catch (RuntimeException e) {
            return Optional.empty();
        }
    }

    /** {@code /etc/holdfast/holdfast.toml, line 7}. */
    static String where(Path file, @Nullable TomlPosition position) {
        return position == null ? file.toString() : file + ", line " + position.line();
    }

    /** A value for a message: lists and tables have no text of their own. */
    static String shown(@Nullable Object value) {
        if (value instanceof TomlArray) {
            return "a list";
        }
        return value instanceof TomlTable ? "a table" : String.valueOf(value);
    }
}
