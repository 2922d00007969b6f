package io.holdfast.agent;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * One VM to look after.
 *
 * @param name for people and for the record's file: letters, digits, {@code . _ -}, at most 64
 * @param qmpSocket QEMU's QMP socket; it need not exist yet
 * @param portal where its portal listens, or empty for the next free default
 * @param relay whether its data passes through the portal
 */
public record VmConfig(String name, Path qmpSocket, Optional<InetSocketAddress> portal, RelayMode relay) {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");

    /** Whether data passes through the portal. */
    public enum RelayMode {
        /** Only where a redirect is unsafe. */
        AUTO,
        ON,
        OFF
    }

    /**
     * Reads {@code NAME=QMP_PATH[,portal=ADDR:PORT][,relay=auto|on|off]}.
     *
     * @throws AgentConfigException if it is not that
     */
    public static VmConfig parse(String text) throws AgentConfigException {
        String[] parts = text.split(",", -1);
        int equals = parts[0].indexOf('=');
        if (equals < 0) {
            throw new AgentConfigException("VM '" + text + "': expected NAME=QMP_PATH, as in web1=/run/web1.qmp");
        }
        String name = parts[0].substring(0, equals);
        String path = parts[0].substring(equals + 1);
        if (!NAME.matcher(name).matches()) {
            throw new AgentConfigException(
                    "VM name '" + name + "': letters, digits, '.', '_' and '-' are allowed, 64 at most");
        }
        if (path.isEmpty()) {
            throw new AgentConfigException("VM '" + name + "': the path of its QMP socket is missing");
        }
        Optional<InetSocketAddress> portal = Optional.empty();
        RelayMode relay = RelayMode.AUTO;
        for (int i = 1; i < parts.length; i++) {
            String option = parts[i];
            if (option.startsWith("portal=")) {
                portal = Optional.of(
                        AgentConfig.parseAddress("portal of VM " + name, option.substring("portal=".length())));
            } else if (option.startsWith("relay=")) {
                relay = parseRelay(name, option.substring("relay=".length()));
            } else {
                throw new AgentConfigException("VM '" + name + "': unknown option '" + option
                        + "'; portal=ADDR:PORT and relay=auto|on|off are allowed");
            }
        }
        return new VmConfig(name, Path.of(path), portal, relay);
    }

    private static RelayMode parseRelay(String vm, String text) throws AgentConfigException {
        for (RelayMode mode : RelayMode.values()) {
            if (mode.name().toLowerCase(Locale.ROOT).equals(text)) {
                return mode;
            }
        }
        throw new AgentConfigException("VM '" + vm + "': relay=" + text + ": auto, on and off are allowed");
    }
}
