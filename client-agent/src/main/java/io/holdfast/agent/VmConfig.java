package io.holdfast.agent;

import io.holdfast.agent.freeze.EventAction;
import io.holdfast.agent.freeze.EventTable;
import io.holdfast.agent.freeze.VmPolicy;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * One VM to look after.
 *
 * @param name for people and for the record's file: letters, digits, {@code . _ -}, at most 64
 * @param qmpSocket QEMU's QMP socket; it need not exist yet
 * @param portal where its portal listens, or empty for the next free default
 * @param relay whether its data passes through the portal
 * @param priority the larger, the earlier it is thawed
 * @param events what is done on which event, where the guest does not say otherwise
 * @param limitMs how long it may be frozen before {@code then} is done; 0 for ever
 * @param then what is done then
 * @param hook the program that is run on events whose action is hook
 * @param guestAgent socket of its QEMU guest agent
 * @param guestPort socket of its port {@code io.holdfast.events}
 */
public record VmConfig(
        String name,
        Path qmpSocket,
        Optional<InetSocketAddress> portal,
        RelayMode relay,
        int priority,
        Map<String, EventAction> events,
        long limitMs,
        VmPolicy.Then then,
        Optional<Path> hook,
        Optional<Path> guestAgent,
        Optional<Path> guestPort) {
    private static final int MAX_PRIORITY = 1_000;
    private static final int MAX_LIMIT_SECONDS = 30 * 24 * 3600;
    private static final String ALLOWED = "portal=ADDR:PORT, relay=auto|on|off, priority=N, on=EVENT:ACTION,"
            + " limit=SECONDS[:alert|power-off|hook], hook=PROGRAM, ga=SOCKET and events=SOCKET are allowed";

    public VmConfig {
        events = Map.copyOf(events);
    }

    /** With no wishes. */
    public VmConfig(String name, Path qmpSocket, Optional<InetSocketAddress> portal, RelayMode relay) {
        this(
                name,
                qmpSocket,
                portal,
                relay,
                0,
                Map.of(),
                0,
                VmPolicy.Then.ALERT,
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
    }

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");

    /** Whether data passes through the portal. */
    public enum RelayMode {
        /** Only where a redirect is unsafe. */
        AUTO,
        ON,
        OFF
    }

    /**
     * Reads {@code NAME=QMP_PATH[,ATTRIBUTE=VALUE...]}.
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
        Reading read = new Reading(name);
        for (int i = 1; i < parts.length; i++) {
            int at = parts[i].indexOf('=');
            if (at < 0) {
                throw new AgentConfigException("VM '" + name + "': unknown option '" + parts[i] + "'; " + ALLOWED);
            }
            read.option(parts[i].substring(0, at), parts[i].substring(at + 1));
        }
        return new VmConfig(
                name,
                Path.of(path),
                read.portal,
                read.relay,
                read.priority,
                read.events,
                read.limitMs,
                read.then,
                read.hook,
                read.guestAgent,
                read.guestPort);
    }

    /** The attributes of one VM, as they are read. */
    private static final class Reading {
        private final String name;
        private Optional<InetSocketAddress> portal = Optional.empty();
        private RelayMode relay = RelayMode.AUTO;
        private int priority;
        private final Map<String, EventAction> events = new TreeMap<>();
        private long limitMs;
        private VmPolicy.Then then = VmPolicy.Then.ALERT;
        private Optional<Path> hook = Optional.empty();
        private Optional<Path> guestAgent = Optional.empty();
        private Optional<Path> guestPort = Optional.empty();

        Reading(String name) {
            this.name = name;
        }

        void option(String key, String value) throws AgentConfigException {
            switch (key) {
                case "portal" -> portal = Optional.of(AgentConfig.portal("portal of VM " + name, value));
                case "relay" -> relay = parseRelay(name, value);
                case "priority" -> priority = number(key, value, MAX_PRIORITY);
                case "on" -> on(value);
                case "limit" -> limit(value);
                case "hook" -> hook = Optional.of(Path.of(value));
                case "ga" -> guestAgent = Optional.of(Path.of(value));
                case "events" -> guestPort = Optional.of(Path.of(value));
                default ->
                    throw new AgentConfigException(
                            "VM '" + name + "': unknown option '" + key + "=" + value + "'; " + ALLOWED);
            }
        }

        private int number(String key, String value, int max) throws AgentConfigException {
            try {
                int number = Integer.parseInt(value);
                if (number >= 0 && number <= max) {
                    return number;
                }
            } catch (NumberFormatException e) {
                // Told below, like a number out of range.
            }
            throw new AgentConfigException(
                    "VM '" + name + "': " + key + "=" + value + ": a number from 0 to " + max + " is allowed");
        }

        private void on(String value) throws AgentConfigException {
            int colon = value.indexOf(':');
            String event = colon < 0 ? value : value.substring(0, colon);
            Optional<EventAction> action = EventAction.of(colon < 0 ? "" : value.substring(colon + 1));
            if (!EventTable.isName(event) || action.isEmpty()) {
                throw new AgentConfigException("VM '" + name + "': on=" + value + ": EVENT:ACTION is allowed, as in"
                        + " storage-full:leave; actions are " + EventAction.words());
            }
            Optional<String> objection =
                    EventTable.objectionTo(event, action.get().word());
            if (objection.isPresent()) {
                throw new AgentConfigException("VM '" + name + "': on=" + value + ": " + objection.get());
            }
            events.put(event, action.get());
        }

        private void limit(String value) throws AgentConfigException {
            int colon = value.indexOf(':');
            limitMs = 1000L * number("limit", colon < 0 ? value : value.substring(0, colon), MAX_LIMIT_SECONDS);
            String word = colon < 0 ? "alert" : value.substring(colon + 1);
            then = switch (word) {
                case "alert" -> VmPolicy.Then.ALERT;
                case "power-off" -> VmPolicy.Then.POWER_OFF;
                case "hook" -> VmPolicy.Then.HOOK;
                default ->
                    throw new AgentConfigException(
                            "VM '" + name + "': limit=" + value + ": alert, power-off and hook are allowed behind it");
            };
        }
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
