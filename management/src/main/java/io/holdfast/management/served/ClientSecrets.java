package io.holdfast.management.served;

import io.holdfast.iscsi.ChapAccount;
import io.holdfast.iscsi.ChapAccounts;
import java.security.SecureRandom;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The CHAP secrets of clients. Any thread; replaced as a whole. Prints none. */
public final class ClientSecrets {
    private static final int DECOY_BYTES = 32;

    /** Names that nobody has are asked for a secret too: or whoever guesses names learns which of them exist. */
    public enum Strangers {
        ASKED,
        /** Everybody may log in to what is exported to everybody. */
        WELCOME
    }

    private final Strangers strangers;
    /** Made when the first secret is: a server without any has no use for it, and random numbers take a while to begin. */
    private volatile @Nullable ChapAccounts decoy;

    private volatile Map<Integer, ChapAccounts> byClient = Map.of();

    public ClientSecrets(Strangers strangers) {
        this.strangers = strangers;
    }

    private static ChapAccounts newDecoy() {
        byte[] secret = new byte[DECOY_BYTES];
        new SecureRandom().nextBytes(secret);
        return new ChapAccounts(
                List.of(new ChapAccount(HexFormat.of().formatHex(secret), secret, Optional.empty(), "", new byte[0])));
    }

    /** From now on these clients, by id, prove themselves by these. One thread at a time. */
    public void replace(Map<Integer, ChapAccount> accounts) {
        if (!accounts.isEmpty() && decoy == null) {
            decoy = newDecoy();
        }
        Map<Integer, ChapAccounts> next = new HashMap<>();
        accounts.forEach((client, account) -> next.put(client, new ChapAccounts(List.of(account))));
        byClient = Map.copyOf(next);
    }

    /** What somebody must prove to know. */
    ChapAccounts of(Optional<Integer> client, ChapAccounts usual) {
        Map<Integer, ChapAccounts> all = byClient;
        if (client.isPresent()) {
            return all.getOrDefault(client.get(), usual);
        }
        ChapAccounts nobodys = decoy;
        return all.isEmpty() || nobodys == null || strangers == Strangers.WELCOME || usual.areRequired()
                ? usual
                : nobodys;
    }
}
