package io.holdfast.management.config;

import java.net.InetSocketAddress;

/**
 * A portal as an operator names it: {@code 192.0.2.1:3260} or {@code 192.0.2.1:3260,group=2}.
 *
 * @param group target portal group tag, 1..65535: each group is a target port of its own, which multipath can tell apart
 */
public record Portal(InetSocketAddress address, int group) {
    private static final String GROUP = "group=";
    private static final int DEFAULT_GROUP = 1;
    private static final int MAX_GROUP = 65_535;

    /** @param what the setting, for messages */
    public static Portal parse(String what, String text) throws ConfigException {
        int comma = text.indexOf(',');
        if (comma < 0) {
            return new Portal(SettingRule.endpoint(what, text), DEFAULT_GROUP);
        }
        String attribute = text.substring(comma + 1);
        if (!attribute.startsWith(GROUP)) {
            throw new ConfigException(what + " '" + text + "': '" + attribute + "' is not group=NUMBER");
        }
        return new Portal(
                SettingRule.endpoint(what, text.substring(0, comma)),
                group(what, text, attribute.substring(GROUP.length())));
    }

    private static int group(String what, String text, String number) throws ConfigException {
        try {
            int group = Integer.parseInt(number);
            if (group >= 1 && group <= MAX_GROUP) {
                return group;
            }
        } catch (NumberFormatException e) {
            // Said below.
        }
        throw new ConfigException(what + " '" + text + "': group '" + number + "' is not in 1.." + MAX_GROUP);
    }
}
