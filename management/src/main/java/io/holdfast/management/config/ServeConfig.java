package io.holdfast.management.config;

import io.holdfast.control.http.ApiAddresses;
import io.holdfast.iscsi.ChapAccounts;
import io.holdfast.iscsi.IscsiSettings;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Everything a server is told before it starts, judged.
 *
 * @param portals where iSCSI is served, at least one
 * @param control where agents connect
 * @param state where identities are kept, if anywhere
 * @param namePrefix what target names begin with
 * @param eventLoops threads that serve connections, 1..64
 * @param spinMicros how long a busy thread looks for more I/O before it sleeps, 0..1000
 * @param ioThreads threads of each export for calls that block, 1..64
 * @param iscsi limits of the iSCSI server
 * @param stopLimit how long a planned stop waits for agents
 * @param api where the control plane is reached from elsewhere, if it is
 */
public record ServeConfig(
        List<Portal> portals,
        InetSocketAddress control,
        Optional<Path> state,
        String namePrefix,
        String io,
        int eventLoops,
        int spinMicros,
        int ioThreads,
        IscsiSettings iscsi,
        Duration stopLimit,
        Optional<ApiAddresses.Remote> api,
        List<Export> exports) {
    private static final int MAX_LOOPS = 64;

    /**
     * Judges settings that were read from the command line, the file, or nowhere.
     *
     * @param values what was set; settings that were not hold their initial value
     * @throws ConfigException naming the value and what is allowed
     */
    public static ServeConfig of(Map<ServeSetting, List<String>> values, List<Export> exports) throws ConfigException {
        if (exports.isEmpty() && one(values, ServeSetting.STATE).isEmpty()) {
            throw new ConfigException(
                    "nothing to serve: give --export PATH, or [[export]] in the configuration file; or"
                            + " --state DIR, and create LUs with 'holdfast lu create'");
        }
        checkNames(exports);
        for (Map.Entry<ServeSetting, List<String>> given : values.entrySet()) {
            for (String text : given.getValue()) {
                given.getKey().check(text);
            }
        }
        List<Portal> portals = new ArrayList<>();
        for (String listen : all(values, ServeSetting.LISTEN)) {
            portals.add(Portal.parse("listen", listen));
        }
        int loops = number(values, ServeSetting.EVENT_LOOPS);
        String state = one(values, ServeSetting.STATE);
        return new ServeConfig(
                List.copyOf(portals),
                control(values, portals.get(0).address()),
                state.isEmpty() ? Optional.empty() : Optional.of(Path.of(state)),
                one(values, ServeSetting.NAME_PREFIX),
                one(values, ServeSetting.IO),
                loops == 0 ? Math.min(Runtime.getRuntime().availableProcessors(), MAX_LOOPS) : loops,
                number(values, ServeSetting.SPIN),
                number(values, ServeSetting.IO_THREADS),
                iscsi(values),
                Duration.ofSeconds(number(values, ServeSetting.STOP_LIMIT)),
                api(values),
                List.copyOf(exports));
    }

    private static Optional<ApiAddresses.Remote> api(Map<ServeSetting, List<String>> values) throws ConfigException {
        String address = one(values, ServeSetting.API);
        String certificate = one(values, ServeSetting.API_CERT);
        String key = one(values, ServeSetting.API_KEY);
        String clientCa = one(values, ServeSetting.API_CLIENT_CA);
        if (address.isEmpty()) {
            if (!certificate.isEmpty() || !key.isEmpty() || !clientCa.isEmpty()) {
                throw new ConfigException("api-cert, api-key and api-client-ca need api, the address to listen on");
            }
            return Optional.empty();
        }
        if (certificate.isEmpty() || key.isEmpty()) {
            throw new ConfigException("api '" + address + "' needs api-cert and api-key: it is reached by TLS only");
        }
        if (one(values, ServeSetting.STATE).isEmpty()) {
            throw new ConfigException("api '" + address + "' needs state: without it there is no control plane");
        }
        return Optional.of(new ApiAddresses.Remote(
                SettingRule.endpoint("api", address),
                Path.of(certificate),
                Path.of(key),
                clientCa.isEmpty() ? Optional.empty() : Optional.of(Path.of(clientCa))));
    }

    private static IscsiSettings iscsi(Map<ServeSetting, List<String>> values) throws ConfigException {
        String chap = one(values, ServeSetting.CHAP_FILE);
        return new IscsiSettings(
                ByteSize.parse(one(values, ServeSetting.MEMORY)),
                number(values, ServeSetting.KEEP_ALIVE),
                number(values, ServeSetting.STALL_LIMIT) * 1000,
                chap.isEmpty() ? ChapAccounts.NONE : ChapFile.read(Path.of(chap)),
                number(values, ServeSetting.MAX_CONNECTIONS),
                number(values, ServeSetting.MAX_CONNECTIONS_PER_INITIATOR),
                number(values, ServeSetting.SESSION_CONNECTIONS));
    }

    private static void checkNames(List<Export> exports) throws ConfigException {
        Map<String, Path> seen = new HashMap<>();
        for (Export export : exports) {
            Path other = seen.put(export.name(), export.path());
            if (other != null) {
                throw new ConfigException("exports '" + other + "' and '" + export.path() + "' both have the name '"
                        + export.name() + "'; give one of them another with name=");
            }
        }
    }

    private static InetSocketAddress control(Map<ServeSetting, List<String>> values, InetSocketAddress portal)
            throws ConfigException {
        String control = one(values, ServeSetting.CONTROL);
        if (!control.isEmpty()) {
            return SettingRule.endpoint("control", control);
        }
        int port = portal.getPort() == 0 || portal.getPort() == 65_535 ? 0 : portal.getPort() + 1;
        return new InetSocketAddress(portal.getAddress(), port);
    }

    private static List<String> all(Map<ServeSetting, List<String>> values, ServeSetting setting) {
        List<String> given = values.getOrDefault(setting, List.of());
        return given.isEmpty() ? List.of(setting.initial()) : given;
    }

    private static String one(Map<ServeSetting, List<String>> values, ServeSetting setting) {
        List<String> given = all(values, setting);
        return given.get(given.size() - 1);
    }

    private static int number(Map<ServeSetting, List<String>> values, ServeSetting setting) {
        return Integer.parseInt(one(values, setting));
    }
}
