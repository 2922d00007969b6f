package io.holdfast.management;

import io.holdfast.iscsi.IscsiTarget;
import io.holdfast.iscsi.LoginStatus;
import io.holdfast.iscsi.TargetDirectory;
import io.holdfast.iscsi.wire.TextKeys;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Every initiator sees every export. What a map of clients to logical units will replace. Immutable. */
final class ExportDirectory implements TargetDirectory {
    private final Map<String, IscsiTarget> targets = new LinkedHashMap<>();
    private final int group;

    /** @param group the tag of the portal group that initiators come through */
    ExportDirectory(List<ServedUnit> units, int group) {
        this.group = group;
        units.forEach(unit -> targets.put(unit.target().name(), unit.target().in(group)));
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

    @Override
    public int portalGroupTag() {
        return group;
    }
}
