package io.holdfast.management.config;

import io.holdfast.agent.watch.ChapCredentials;
import io.holdfast.iscsi.ChapAccount;
import io.holdfast.iscsi.ChapAccounts;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tomlj.TomlArray;
import org.tomlj.TomlParseResult;
import org.tomlj.TomlTable;

/**
 * The file of CHAP accounts: {@code [[account]]} with {@code user}, {@code secret}, and where wanted {@code initiator},
 * {@code target-user}, {@code target-secret}. What is wrong is told without a word of what stands in it.
 */
public final class ChapFile {
    private static final String ACCOUNT = "account";
    private static final Set<String> KEYS = Set.of("user", "secret", "initiator", "target-user", "target-secret");
    private static final Set<PosixFilePermission> OTHERS = Set.of(
            PosixFilePermission.GROUP_READ,
            PosixFilePermission.GROUP_WRITE,
            PosixFilePermission.OTHERS_READ,
            PosixFilePermission.OTHERS_WRITE);
    private static final int MAX_BYTES = 1 << 20;
    /** RFC 7143 §12.1.4: at least 96 bits. */
    private static final int MIN_SECRET_BYTES = 12;

    private static final int MAX_SECRET_BYTES = 255;

    private ChapFile() {}

    static ChapAccounts read(Path file) throws ConfigException {
        List<ChapAccount> accounts = new ArrayList<>();
        List<TomlTable> tables = tables(file);
        for (int i = 0; i < tables.size(); i++) {
            accounts.add(account(at(file, i), tables.get(i)));
        }
        try {
            return new ChapAccounts(accounts);
        } catch (IllegalArgumentException e) {
            throw new ConfigException(file + ": " + e.getMessage());
        }
    }

    /** The account of an agent: a file of the same form, with that account alone. */
    public static ChapCredentials readAgent(Path file) throws ConfigException {
        List<TomlTable> tables = tables(file);
        if (tables.size() > 1) {
            throw new ConfigException(
                    file + " has " + tables.size() + " accounts; an agent has one, give it a file of its own");
        }
        TomlTable table = tables.get(0);
        String at = at(file, 0);
        account(at, table);
        return new ChapCredentials(
                text(at, table, "user"),
                secret(at, table, "secret"),
                text(at, table, "target-user"),
                table.contains("target-secret") ? secret(at, table, "target-secret") : new byte[0]);
    }

    private static String at(Path file, int index) {
        return file + ", account " + (index + 1);
    }

    private static List<TomlTable> tables(Path file) throws ConfigException {
        TomlParseResult toml = parse(file);
        List<TomlTable> tables = new ArrayList<>();
        for (String key : toml.keySet()) {
            Object value = toml.get(List.of(key));
            if (!key.equals(ACCOUNT)
                    || !(value instanceof TomlArray array)
                    || !array.toList().stream().allMatch(TomlTable.class::isInstance)) {
                throw new ConfigException(file + ": write each account as [[" + ACCOUNT + "]], and nothing else");
            }
            for (int i = 0; i < array.size(); i++) {
                tables.add(array.getTable(i));
            }
        }
        if (tables.isEmpty()) {
            throw new ConfigException(file + " has no [[" + ACCOUNT + "]]: nobody could log in");
        }
        return tables;
    }

    private static TomlParseResult parse(Path file) throws ConfigException {
        try {
            Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(file);
            if (permissions.stream().anyMatch(OTHERS::contains)) {
                throw new ConfigException("chap-file " + file + " can be read or written by others: chmod 600");
            }
            if (Files.size(file) > MAX_BYTES) {
                throw new ConfigException("chap-file " + file + " has more than " + MAX_BYTES + " bytes");
            }
            TomlParseResult toml = TomlFile.understood(Files.readString(file))
                    .orElseThrow(() -> new ConfigException("chap-file " + file + " is not TOML"));
            if (toml.hasErrors()) {
                // Not the parser's words: they quote the line.
                throw new ConfigException("chap-file " + file + ", line "
                        + toml.errors().get(0).position().line() + ", is not TOML");
            }
            return toml;
        } catch (IOException | UnsupportedOperationException e) {
            throw new ConfigException("chap-file " + file + " cannot be read: " + Unreadable.inWords(e));
        }
    }

    private static ChapAccount account(String at, TomlTable table) throws ConfigException {
        for (String key : table.keySet()) {
            if (!KEYS.contains(key)) {
                throw new ConfigException(at + ": there is no '" + key + "'; there are " + String.join(", ", KEYS));
            }
        }
        String user = text(at, table, "user");
        if (user.isEmpty()) {
            throw new ConfigException(at + " has no user");
        }
        byte[] secret = secret(at, table, "secret");
        byte[] targetSecret = table.contains("target-secret") ? secret(at, table, "target-secret") : new byte[0];
        String initiator = text(at, table, "initiator").toLowerCase(Locale.ROOT);
        try {
            return new ChapAccount(
                    user,
                    secret,
                    initiator.isEmpty() ? Optional.empty() : Optional.of(initiator),
                    text(at, table, "target-user"),
                    targetSecret);
        } catch (IllegalArgumentException e) {
            throw new ConfigException(at + ": " + e.getMessage());
        }
    }

    private static byte[] secret(String at, TomlTable table, String key) throws ConfigException {
        byte[] bytes = text(at, table, key).getBytes(StandardCharsets.UTF_8);
        if (bytes.length < MIN_SECRET_BYTES || bytes.length > MAX_SECRET_BYTES) {
            throw new ConfigException(at + ": " + key + " has " + bytes.length + " bytes, must have " + MIN_SECRET_BYTES
                    + " to " + MAX_SECRET_BYTES);
        }
        return bytes;
    }

    private static String text(String at, TomlTable table, String key) throws ConfigException {
        @Nullable Object value = table.get(List.of(key));
        if (value == null) {
            return "";
        }
        if (!(value instanceof String text)) {
            throw new ConfigException(at + ": " + key + " is not a text in quotes");
        }
        return text;
    }
}
