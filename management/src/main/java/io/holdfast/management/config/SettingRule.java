package io.holdfast.management.config;

import io.holdfast.net.AddressException;
import io.holdfast.net.Addresses;
import java.net.InetSocketAddress;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/** What a setting's value may be. Judged where the value is read, so that a message can say where that was. */
@FunctionalInterface
interface SettingRule {

    /** @throws ConfigException naming the setting, the value and what is allowed */
    void check(String key, String text) throws ConfigException;

    SettingRule ENDPOINT = SettingRule::endpoint;

    SettingRule PORTAL = Portal::parse;

    SettingRule PATH = SettingRule::path;

    /** RFC 7143 §4.2.7: the type, and for iqn the date and the naming authority. */
    Pattern IQN = Pattern.compile("iqn\\.[0-9]{4}-(0[1-9]|1[0-2])\\.[a-z0-9][a-z0-9.-]{0,60}(:[a-z0-9.:-]{1,40})?");

    SettingRule NAME_PREFIX = (key, text) -> {
        if (!IQN.matcher(text).matches()) {
            throw new ConfigException(
                    key + " '" + text + "' is not an iSCSI name in lower case, such as iqn.2026-11.io.holdfast");
        }
    };

    static SettingRule oneOf(String... allowed) {
        return (key, text) -> {
            if (!List.of(allowed).contains(text)) {
                throw new ConfigException(key + " '" + text + "' is not one of " + String.join(", ", allowed));
            }
        };
    }

    static SettingRule number(int min, int max) {
        return (key, text) -> {
            try {
                int number = Integer.parseInt(text);
                if (number >= min && number <= max) {
                    return;
                }
            } catch (NumberFormatException e) {
                // Said below.
            }
            throw new ConfigException(key + " '" + text + "' is not a number in " + min + ".." + max);
        };
    }

    /** {@code 127.0.0.1:3260}, {@code [::1]:3260}, {@code host:3260}. */
    static InetSocketAddress endpoint(String key, String text) throws ConfigException {
        try {
            return Addresses.parse(key, text);
        } catch (AddressException e) {
            throw new ConfigException("" + e.getMessage());
        }
    }

    static SettingRule size(long minBytes, long maxBytes) {
        return (key, text) -> {
            long bytes = ByteSize.parse(text);
            if (bytes < minBytes || bytes > maxBytes) {
                throw new ConfigException(key + " '" + text + "' is not between " + ByteSize.print(minBytes) + " and "
                        + ByteSize.print(maxBytes));
            }
        };
    }

    private static void path(String key, String text) throws ConfigException {
        if (text.isEmpty()) {
            throw new ConfigException(key + " is empty; name a directory, or leave it out");
        }
        // The one character that no Linux path can hold.
        if (text.indexOf('\0') >= 0) {
            throw new ConfigException(key + " holds a zero character");
        }
        try {
            Path unused = Path.of(text);
        } catch (InvalidPathException e) {
            throw new ConfigException(
                    key + " '" + text + "' has characters that this machine cannot write in file names; its "
                            + "encoding is " + System.getProperty("sun.jnu.encoding") + " (LC_ALL, LANG)");
        }
    }
}
