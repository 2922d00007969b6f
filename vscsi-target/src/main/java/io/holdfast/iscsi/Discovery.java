package io.holdfast.iscsi;

import io.holdfast.net.Addresses;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * What one initiator is told of targets (RFC 7143 Appendix C): those it may see, each with every portal that it can be reached
 * at from where the initiator came, and the tag of the portal's group.
 *
 * <p>The portal it came to is the first. One that listens at every address is named by the address it came to, as nothing else
 * is known to reach it. Loopback and link-local addresses are told to those only who came by such a one.
 */
final class Discovery {

    /** Where the server listens. Any thread. */
    static final class Portals {
        private record Open(InetSocketAddress address, TargetDirectory directory) {}

        private final List<Open> open = new CopyOnWriteArrayList<>();

        /** A portal listens from now on. */
        void opened(InetSocketAddress address, TargetDirectory directory) {
            open.add(new Open(address, directory));
        }
    }

    private final Portals portals;
    private final TargetDirectory here;
    private final String initiatorName;
    private final SocketAddress local;
    private final SocketAddress peer;

    /**
     * @param here the directory of the portal that the initiator came to
     * @param local the address it came to
     * @param peer where it came from
     */
    Discovery(Portals portals, TargetDirectory here, String initiatorName, SocketAddress local, SocketAddress peer) {
        this.portals = portals;
        this.here = here;
        this.initiatorName = initiatorName;
        this.local = local;
        this.peer = peer;
    }

    /** Names of targets, each with its addresses as in TargetAddress: {@code ip:port,tag}. */
    Map<String, List<String>> targets() {
        Map<String, List<String>> targets = new LinkedHashMap<>();
        String own = Addresses.print(local);
        show(here, own, targets);
        if (local instanceof InetSocketAddress at && peer instanceof InetSocketAddress from) {
            String host = Addresses.printHost(from.getAddress());
            for (Portals.Open portal : portals.open) {
                InetSocketAddress reached = reached(portal.address(), at.getAddress());
                if (reached != null && !Addresses.print(reached).equals(own)) {
                    show(portal.directory().seenFrom(host, reached), Addresses.print(reached), targets);
                }
            }
        }
        return targets;
    }

    private void show(TargetDirectory directory, String address, Map<String, List<String>> targets) {
        for (IscsiTarget target : directory.visibleTo(initiatorName)) {
            targets.computeIfAbsent(target.name(), name -> new ArrayList<>())
                    .add(address + "," + target.portalGroupTag());
        }
    }

    /** How somebody who came to {@code at} reaches a portal, or null if he does not as far as can be told. */
    private static @Nullable InetSocketAddress reached(InetSocketAddress portal, InetAddress at) {
        InetAddress listens = portal.getAddress();
        if (listens.isAnyLocalAddress()) {
            // [::] takes IPv4 too.
            boolean takes = listens.getAddress().length >= at.getAddress().length;
            return takes ? new InetSocketAddress(at, portal.getPort()) : null;
        }
        boolean strange = listens.isLoopbackAddress() && !at.isLoopbackAddress()
                || listens.isLinkLocalAddress() && !at.isLinkLocalAddress();
        return strange ? null : portal;
    }
}
