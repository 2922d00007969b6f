package io.holdfast.control.http;

import io.holdfast.control.operator.Caller;
import io.holdfast.control.operator.Labels;
import io.holdfast.control.operator.Role;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/**
 * Who has a certificate of the authority that was configured: its CN is his name, its OU his role, {@code observer} if it
 * is no role.
 */
final class ClientCertificates {
    private ClientCertificates() {}

    static @Nullable Caller callerOf(@Nullable SSLSession session, String from) {
        if (session == null) {
            return null;
        }
        try {
            Certificate[] chain = session.getPeerCertificates();
            return chain.length > 0 && chain[0] instanceof X509Certificate certificate
                    ? callerOf(certificate.getSubjectX500Principal().getName(), from)
                    : null;
        } catch (SSLPeerUnverifiedException e) {
            // He has shown none.
            return null;
        }
    }

    static @Nullable Caller callerOf(String subject, String from) {
        try {
            String name = "";
            Role role = Role.OBSERVER;
            for (Rdn part : new LdapName(subject).getRdns()) {
                if (part.getType().equalsIgnoreCase("CN")) {
                    name = String.valueOf(part.getValue());
                } else if (part.getType().equalsIgnoreCase("OU")) {
                    role = roleOf(String.valueOf(part.getValue()), role);
                }
            }
            return name.isEmpty() ? null : new Caller("certificate " + name, role, from);
        } catch (InvalidNameException e) {
            return null;
        }
    }

    private static Role roleOf(String unit, Role otherwise) {
        for (Role role : Role.values()) {
            if (Labels.of(role).equals(unit)) {
                return role;
            }
        }
        return otherwise;
    }
}
