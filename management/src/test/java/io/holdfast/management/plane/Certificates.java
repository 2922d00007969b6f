package io.holdfast.management.plane;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/** Authorities and certificates of theirs, made by openssl. */
final class Certificates {
    private static final char[] PASSWORD = "test".toCharArray();

    private final Path directory;
    private int issued;

    Certificates(Path directory) {
        this.directory = directory;
    }

    /**
     * @param more options of {@code openssl req}
     * @return its own certificate, PEM
     */
    Path authority(String name, String... more) throws IOException, InterruptedException {
        Path certificate = directory.resolve(name + ".pem");
        List<String> request = new ArrayList<>(List.of(
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-keyout",
                key(name).toString(),
                "-out",
                certificate.toString(),
                "-subj",
                "/CN=" + name));
        request.addAll(Arrays.asList(more));
        openssl(request.toArray(String[]::new));
        return certificate;
    }

    /** An authority's own key, PEM. */
    Path key(String authority) {
        return directory.resolve(authority + ".key");
    }

    /** @return key and certificate of somebody, PKCS #12 */
    Path issue(String authority, String subject) throws IOException, InterruptedException {
        String base = directory.resolve("issued" + issued++).toString();
        openssl(
                "req",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-keyout",
                base + ".key",
                "-out",
                base + ".csr",
                "-subj",
                subject);
        openssl(
                "x509",
                "-req",
                "-in",
                base + ".csr",
                "-days",
                "2",
                "-CA",
                directory.resolve(authority + ".pem").toString(),
                "-CAkey",
                key(authority).toString(),
                "-CAcreateserial",
                "-out",
                base + ".pem");
        openssl(
                "pkcs12",
                "-export",
                "-inkey",
                base + ".key",
                "-in",
                base + ".pem",
                "-out",
                base + ".p12",
                "-passout",
                "pass:" + new String(PASSWORD));
        return Path.of(base + ".p12");
    }

    private static void openssl(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("openssl"));
        command.addAll(Arrays.asList(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as("openssl says %s", said).isZero();
    }

    /** Who trusts the server's certificate, and shows this one of his own if it is not null. */
    HttpClient client(Path serverCertificate, @Nullable Path own) throws IOException, GeneralSecurityException {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        try (InputStream in = Files.newInputStream(serverCertificate)) {
            trusted.setCertificateEntry(
                    "server", CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        KeyStore owned = KeyStore.getInstance("PKCS12");
        owned.load(null, null);
        if (own != null) {
            try (InputStream in = Files.newInputStream(own)) {
                owned.load(in, PASSWORD);
            }
            assertThat(owned.size()).isEqualTo(1);
        }
        keys.init(owned, PASSWORD);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), new SecureRandom());
        return HttpClient.newBuilder().sslContext(context).build();
    }
}
