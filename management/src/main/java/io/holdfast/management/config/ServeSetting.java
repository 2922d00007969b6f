package io.holdfast.management.config;

import io.holdfast.iscsi.IscsiServer;
import io.holdfast.iscsi.IscsiSettings;

/**
 * The settings of a server, one row each. From a row come the option {@code --key} of {@code holdfast serve}, the key of
 * the configuration file, and a line of the reference. Exports have a table of their own: {@link ExportAttribute}.
 */
public enum ServeSetting {
    LISTEN(
            "listen",
            "ADDR:PORT[,group=N]",
            Kind.LIST,
            "127.0.0.1:3260",
            SettingRule.PORTAL,
            "iSCSI portal to serve on; several make several portals. Port 0 takes a free one. Portals of different groups "
                    + "(1 to 65535; 1 if not given) are different target ports to multipath."),
    CONTROL(
            "control",
            "ADDR:PORT",
            Kind.TEXT,
            "",
            SettingRule.ENDPOINT,
            "Where agents connect. Default: the first portal's address, and its port + 1."),
    STATE(
            "state",
            "DIR",
            Kind.TEXT,
            "",
            SettingRule.PATH,
            "Directory that keeps the control plane, the identities of logical units and their persistent reservations. Without it there is no control plane, "
                    + "identities derive from this machine's id, the file's path and its inode, reservations end with the "
                    + "server, and nothing is written."),
    NAME_PREFIX(
            "name-prefix",
            "IQN",
            Kind.TEXT,
            "iqn.2026-11.io.holdfast",
            SettingRule.NAME_PREFIX,
            "What target names begin with, up to the colon before the export's name."),
    IO(
            "io",
            "WAY",
            Kind.TEXT,
            "auto",
            SettingRule.oneOf("auto", "ring", "portable"),
            "How file I/O is done: ring (io_uring, files and sockets on one ring), portable (epoll and a small pool), or "
                    + "auto (portable)."),
    EVENT_LOOPS(
            "event-loops",
            "N",
            Kind.NUMBER,
            "0",
            SettingRule.number(0, 64),
            "Threads that serve connections, 1 to 64; 0 is one for each core."),
    SPIN(
            "spin",
            "MICROSECONDS",
            Kind.NUMBER,
            "50",
            SettingRule.number(0, 1000),
            "How long a thread that has just been busy looks for more I/O before it sleeps, 0 to 1000. It stops looking "
                    + "when that is in vain, and an idle server uses no CPU."),
    IO_THREADS(
            "io-threads",
            "N",
            Kind.NUMBER,
            "4",
            SettingRule.number(1, 64),
            "Threads of each export for calls that block, such as fdatasync, 1 to 64. An export whose storage hangs keeps its "
                    + "own and holds up no other."),
    MEMORY(
            "memory",
            "SIZE",
            Kind.TEXT,
            "256M",
            SettingRule.size(IscsiSettings.MIN_MEMORY_BYTES, 1L << 40),
            "What the data of all initiators' commands may take together, 128M to 1T; who finds it used up waits. Each "
                    + "initiator may take 64M of it. Java must be given more than that: -XX:MaxDirectMemorySize, 1g."),
    KEEP_ALIVE(
            "keep-alive",
            "SECONDS",
            Kind.NUMBER,
            "30",
            SettingRule.number(0, 3600),
            "After how much silence an initiator is asked whether it is there; after as much again its session ends, 0 to "
                    + "3600. 0 never asks."),
    MAX_CONNECTIONS(
            "max-connections",
            "N",
            Kind.NUMBER,
            "2048",
            SettingRule.number(1, IscsiServer.MAX_CONNECTIONS),
            "Connections of sessions at a time, 1 to 2048. One more is told that the server is out of resources. Those that "
                    + "log in or discover are counted apart."),
    MAX_CONNECTIONS_PER_INITIATOR(
            "max-connections-per-initiator",
            "N",
            Kind.NUMBER,
            "256",
            SettingRule.number(1, IscsiServer.MAX_CONNECTIONS),
            "The same of one initiator name, 1 to 2048, so that no client takes them all."),
    STALL_LIMIT(
            "stall-limit",
            "SECONDS",
            Kind.NUMBER,
            "5",
            SettingRule.number(0, 300),
            "How long storage may take for a command before agents are told that it hangs, 0 to 300; their VMs on it are "
                    + "frozen until it has answered. 0 never tells."),
    SESSION_CONNECTIONS(
            "session-connections",
            "N",
            Kind.NUMBER,
            "4",
            SettingRule.number(1, IscsiSettings.MAX_SESSION_CONNECTIONS),
            "How many connections one iSCSI session may have (MaxConnections), 1 to 32."),
    CHAP_FILE(
            "chap-file",
            "FILE",
            Kind.TEXT,
            "",
            SettingRule.PATH,
            "CHAP accounts, in TOML, readable by the server's user only. With it every login, for discovery too, must "
                    + "prove who it is; without it nobody need."),
    API(
            "api",
            "ADDRESS:PORT",
            Kind.TEXT,
            "",
            SettingRule.ENDPOINT,
            "Where the control plane is reached from elsewhere, by TLS with a token or a client certificate. Without it only "
                    + "at control.sock in the state directory, by root and the server's user."),
    API_CERT(
            "api-cert",
            "FILE",
            Kind.TEXT,
            "",
            SettingRule.PATH,
            "The server's certificate for it, PEM, with its chain."),
    API_KEY("api-key", "FILE", Kind.TEXT, "", SettingRule.PATH, "The certificate's key, PEM (PKCS #8)."),
    API_CLIENT_CA(
            "api-client-ca",
            "FILE",
            Kind.TEXT,
            "",
            SettingRule.PATH,
            "Who has a certificate of this authority (PEM) needs no token: its OU is the role, observer, operator or admin."),
    STOP_LIMIT(
            "stop-limit",
            "SECONDS",
            Kind.NUMBER,
            "10",
            SettingRule.number(0, 300),
            "How long a planned stop waits for agents to say that their VMs are frozen, 0 to 300.");

    /** The shape of a value. */
    public enum Kind {
        TEXT,
        NUMBER,
        /** Several texts. */
        LIST
    }

    private final String key;
    private final String label;
    private final Kind kind;
    private final String initial;

    // Immutable in fact: the checker knows no lambdas.
    @SuppressWarnings("ImmutableEnumChecker")
    private final SettingRule rule;

    private final String help;

    ServeSetting(String key, String label, Kind kind, String initial, SettingRule rule, String help) {
        this.key = key;
        this.label = label;
        this.kind = kind;
        this.initial = initial;
        this.rule = rule;
        this.help = help;
    }

    public String key() {
        return key;
    }

    public String option() {
        return "--" + key;
    }

    /** What stands for the value in help texts. */
    public String label() {
        return label;
    }

    public Kind kind() {
        return kind;
    }

    /** The value that holds if nothing is set; empty if the help text says what then. */
    public String initial() {
        return initial;
    }

    /** @throws ConfigException naming the setting, the value and what is allowed */
    void check(String text) throws ConfigException {
        rule.check(key, text);
    }

    public String help() {
        return help;
    }
}
