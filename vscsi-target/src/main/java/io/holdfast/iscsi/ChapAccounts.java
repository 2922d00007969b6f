package io.holdfast.iscsi;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The CHAP accounts of a server. With none, nobody is asked to prove anything. Immutable. */
public final class ChapAccounts {
    public static final ChapAccounts NONE = new ChapAccounts(java.util.List.of());

    private final Map<String, ChapAccount> byUser = new HashMap<>();

    /** @throws IllegalArgumentException if two have one user */
    public ChapAccounts(Collection<ChapAccount> accounts) {
        for (ChapAccount account : accounts) {
            if (byUser.put(account.user(), account) != null) {
                throw new IllegalArgumentException("two CHAP accounts have the user " + account.user());
            }
        }
    }

    /** True if every login, for discovery too, has to prove who it is. */
    public boolean areRequired() {
        return !byUser.isEmpty();
    }

    @Nullable
    ChapAccount of(String user) {
        return byUser.get(user);
    }
}
