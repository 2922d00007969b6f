package io.holdfast.management;

import io.holdfast.control.http.ApiAddresses;
import io.holdfast.control.http.ApiLimits;
import io.holdfast.control.http.ApiServer;
import io.holdfast.management.config.Portal;
import io.holdfast.management.config.ServeConfig;
import io.holdfast.management.plane.ControlPlane;
import io.holdfast.management.plane.JournalStore;
import io.holdfast.management.plane.LiveFacts;
import io.holdfast.management.plane.MetricsPage;
import io.holdfast.management.plane.ServedSide;
import io.holdfast.net.Addresses;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The control plane of a server with a state directory: read before the portals listen, reached by people only after
 * guests have had their second.
 */
final class ControlSide implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ControlSide.class);
    /** Where in the state directory. */
    private static final String DIRECTORY = "plane";

    private static final String SOCKET = "control.sock";

    private final ServeConfig config;
    private final ControlPlane plane;
    private final Path socket;
    private @Nullable ApiServer api;

    private ControlSide(ServeConfig config, ControlPlane plane, Path socket) {
        this.config = config;
        this.plane = plane;
        this.socket = socket;
    }

    /**
     * Reads the state.
     *
     * @param state the state directory, which is locked for this server already
     * @param served hears what to serve
     * @throws IOException saying for people which file cannot be used
     */
    static ControlSide open(ServeConfig config, Path state, ServedSide served) throws IOException {
        JournalStore store = JournalStore.open(state.resolve(DIRECTORY), Version.text());
        ControlPlane plane =
                new ControlPlane(store, served, config.namePrefix() + ":", Version.text(), Clock.systemUTC());
        served.begin(plane.state());
        return new ControlSide(config, plane, socket(state));
    }

    /** Where people of this host reach the server with that state directory. */
    static Path socket(Path state) {
        return state.resolve(SOCKET);
    }

    ControlPlane plane() {
        return plane;
    }

    /** Lets people in. What fails here is logged: guests are served all the same. */
    void startApi(LiveFacts facts) {
        plane.watch(facts);
        List<String> portals = config.portals().stream()
                .map(Portal::address)
                .map(Addresses::print)
                .toList();
        plane.ensurePorts(portals);
        try {
            ApiServer started = ApiServer.start(
                    plane,
                    () -> MetricsPage.of(plane, facts),
                    new ApiAddresses(socket, config.api()),
                    ApiLimits.DEFAULT);
            api = started;
            String remote = started.remote() == null ? "" : " and https://" + Addresses.print(started.remote());
            LOG.info(
                    "control plane, version {}, is reached at {}{}",
                    plane.state().version(),
                    socket,
                    remote);
        } catch (IOException | RuntimeException | LinkageError e) {
            LOG.error("the control plane cannot be reached: {}", e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        ApiServer open = api;
        if (open != null) {
            open.close();
        }
        plane.close();
    }
}
