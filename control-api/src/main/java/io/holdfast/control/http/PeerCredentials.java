package io.holdfast.control.http;

import io.holdfast.control.operator.Caller;
import io.holdfast.control.operator.Role;
import io.netty.channel.Channel;
import io.netty.channel.socket.nio.NioChannelOption;
import io.vertx.core.net.impl.VertxConnection;
import io.vertx.ext.web.RoutingContext;
import jdk.net.ExtendedSocketOptions;
import jdk.net.UnixDomainPrincipal;
import org.jspecify.annotations.Nullable;

/**
 * Who is at the other end of a unix socket: the kernel knows (SO_PEERCRED). root and the server's own user may do
 * everything; others are not let in, whatever the socket's permissions have become.
 */
final class PeerCredentials {
    private static final String ROOT = "root";

    private PeerCredentials() {}

    static @Nullable Caller callerOf(RoutingContext context) {
        if (!(context.request().connection() instanceof VertxConnection connection)) {
            return null;
        }
        Channel channel = connection.channel();
        UnixDomainPrincipal peer = channel.config().getOption(NioChannelOption.of(ExtendedSocketOptions.SO_PEERCRED));
        if (peer == null) {
            return null;
        }
        String user = peer.user().getName();
        boolean known = user.equals(ROOT) || user.equals(System.getProperty("user.name"));
        return known ? new Caller(user, Role.ADMIN, "local") : null;
    }
}
