package io.holdfast.control.http;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Where the API is reached.
 *
 * @param socket for this host's root and the server's own user
 * @param remote for others, with TLS
 */
public record ApiAddresses(Path socket, Optional<Remote> remote) {

    /**
     * @param certificate PEM, the server's and what leads to its authority
     * @param key PEM, PKCS #8
     * @param clientAuthority PEM: who has a certificate of it needs no token
     */
    public record Remote(InetSocketAddress address, Path certificate, Path key, Optional<Path> clientAuthority) {}
}
