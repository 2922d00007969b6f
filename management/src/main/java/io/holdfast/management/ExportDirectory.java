package io.holdfast.management;

import io.holdfast.iscsi.ChapAccounts;
import io.holdfast.iscsi.IscsiTarget;
import io.holdfast.iscsi.LoginStatus;
import io.holdfast.iscsi.TargetDirectory;
import io.holdfast.iscsi.wire.TextKeys;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Every initiator sees every export. Any thread; replaced as a whole. */
final class ExportDirectory implements TargetDirectory {
    private final int group;
    private volatile Map<String, IscsiTarget> targets = Map.of();
    /** Those of the last reload; null for those the server started with. */
    private volatile @Nullable ChapAccounts accounts;

    /** @param group the tag of the portal group that initiators come through */
    ExportDirectory(List<ServedUnit> units, int group) {
        this.group = group;
        show(units);
    }

    /** From now on these are there; sessions at what is gone have to be ended by others. */
    void show(List<ServedUnit> units) {
        Map<String, IscsiTarget> next = new LinkedHashMap<>();
        units.forEach(unit -> next.put(unit.target().name(), unit.target().in(group)));
        targets = Collections.unmodifiableMap(next);
    }

    @Override
    public Decision login(String initiatorName, String targetName) {
        IscsiTarget target = targets.get(targetName);
        return target == null
                ? new Decision.Refuse(LoginStatus.NOT_FOUND, "target " + TextKeys.printable(targetName))
                : new Decision.Accept(target);
    }

    @Override
    public List<IscsiTarget> visibleTo(String initiatorName) {
        return List.copyOf(targets.values());
    }

    /** From now on logins prove themselves by these; sessions stay. */
    void accounts(ChapAccounts next) {
        accounts = next;
    }

    @Override
    public ChapAccounts accountsOf(String initiatorName, ChapAccounts usual) {
        ChapAccounts reloaded = accounts;
        return reloaded == null ? usual : reloaded;
    }

    @Override
    public int portalGroupTag() {
        return group;
    }
}
