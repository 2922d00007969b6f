package io.holdfast.control.client;

import io.holdfast.net.NetworkFailure;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertPathBuilderException;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/** Where a server's API is, and what to show there. */
public abstract sealed class ServerAddress {
    private static final int CONNECT_LIMIT_MS = 10_000;
    /** A server opens its API a second after it serves: who calls right after a start waits for it. */
    private static final long STARTING_LIMIT_MS = 5_000;

    private static final long RETRY_MS = 50;

    private ServerAddress() {}

    /** @throws IOException saying for people what is wrong, and what to do */
    abstract Connection connect() throws IOException;

    /** For the Host header. */
    abstract String host();

    /** Empty if none is needed. */
    abstract String token();

    /** The server of this host, through its unix socket. */
    public static ServerAddress local(Path socket) {
        return new Local(socket);
    }

    /**
     * A server elsewhere, with TLS.
     *
     * @param authority PEM of who vouches for the server; null for those that Java trusts
     */
    public static ServerAddress remote(InetSocketAddress address, String token, @Nullable Path authority) {
        return new Remote(address, token, authority);
    }

    private static final class Local extends ServerAddress {
        private final Path socket;

        Local(Path socket) {
            this.socket = socket;
        }

        @Override
        Connection connect() throws IOException {
            long deadlineNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(STARTING_LIMIT_MS);
            // Where there is not even a directory no server is about to come.
            Path parent = socket.toAbsolutePath().getParent();
            while (true) {
                try {
                    SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
                    try {
                        channel.connect(UnixDomainSocketAddress.of(socket));
                    } catch (IOException e) {
                        channel.close();
                        throw e;
                    }
                    return new Connection(
                            new BufferedInputStream(Channels.newInputStream(channel)),
                            Channels.newOutputStream(channel),
                            channel);
                } catch (IOException e) {
                    boolean hopeless = parent == null
                            || !Files.isDirectory(parent)
                            || Files.exists(socket) && !Files.isReadable(socket);
                    if (hopeless || System.nanoTime() - deadlineNs >= 0) {
                        throw new IOException(
                                "no server at " + socket + ": " + reason(e)
                                        + "; is 'holdfast serve --state DIR' running? --socket names its"
                                        + " DIR/control.sock",
                                e);
                    }
                    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(RETRY_MS));
                }
            }
        }

        private String reason(IOException e) {
            if (!Files.exists(socket)) {
                return "there is no such socket";
            }
            return Files.isReadable(socket)
                    ? NetworkFailure.inWords(e)
                    : "user " + System.getProperty("user.name") + " may not; root and the server's user may";
        }

        @Override
        String host() {
            return "localhost";
        }

        @Override
        String token() {
            return "";
        }
    }

    private static final class Remote extends ServerAddress {
        private final InetSocketAddress address;
        private final String token;
        private final @Nullable Path authority;

        Remote(InetSocketAddress address, String token, @Nullable Path authority) {
            this.address = address;
            this.token = token;
            this.authority = authority;
        }

        /** Java names its own classes for the usual mistakes: no authority named, and a port that is not the API's. */
        private static String inWords(javax.net.ssl.SSLException e) {
            for (Throwable cause = e; cause != null; cause = cause.getCause()) {
                if (cause instanceof CertPathBuilderException) {
                    return " cannot be trusted: nobody known here has signed its certificate;"
                            + " --ca names the certificate of its authority";
                }
            }
            if (String.valueOf(e.getMessage()).contains("Unsupported or unrecognized SSL message")) {
                return " does not speak TLS; give the address that its option --api names";
            }
            return " cannot be trusted: " + e.getMessage() + "; --ca names the certificate of its authority";
        }

        @Override
        Connection connect() throws IOException {
            String where = address.getHostString() + ":" + address.getPort();
            Socket plain = new Socket();
            try {
                plain.connect(address, CONNECT_LIMIT_MS);
                SSLSocket socket = (SSLSocket) context()
                        .getSocketFactory()
                        .createSocket(plain, address.getHostString(), address.getPort(), true);
                SSLParameters parameters = socket.getSSLParameters();
                parameters.setEndpointIdentificationAlgorithm("HTTPS");
                socket.setSSLParameters(parameters);
                socket.startHandshake();
                return new Connection(
                        new BufferedInputStream(socket.getInputStream()), socket.getOutputStream(), socket);
            } catch (javax.net.ssl.SSLException e) {
                plain.close();
                throw new IOException("server " + where + inWords(e), e);
            } catch (IOException e) {
                plain.close();
                throw new IOException("no server at " + where + ": " + NetworkFailure.inWords(e), e);
            } catch (GeneralSecurityException e) {
                plain.close();
                throw new IOException(authority + " is no certificate that can be used: " + e.getMessage(), e);
            }
        }

        private SSLContext context() throws IOException, GeneralSecurityException {
            Path file = authority;
            if (file == null) {
                return SSLContext.getDefault();
            }
            KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
            trusted.load(null, null);
            try (InputStream in = Files.newInputStream(file)) {
                int number = 0;
                for (Certificate certificate :
                        CertificateFactory.getInstance("X.509").generateCertificates(in)) {
                    trusted.setCertificateEntry("ca" + number++, certificate);
                }
            }
            TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init(trusted);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, factory.getTrustManagers(), null);
            return context;
        }

        @Override
        String host() {
            return address.getHostString();
        }

        @Override
        String token() {
            return token;
        }
    }
}
