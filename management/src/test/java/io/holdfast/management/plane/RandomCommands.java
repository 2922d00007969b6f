package io.holdfast.management.plane;

import io.holdfast.control.operator.OperatorCommand;
import io.holdfast.control.operator.Role;
import io.holdfast.npiv.DefaultZone;
import io.holdfast.npiv.Sharing;
import java.util.List;
import java.util.Random;

/** Commands that an administrator in a hurry might give; some of them must be refused. */
final class RandomCommands {
    private static final int NAMES = 25;
    private static final long MIB = 1L << 20;

    private RandomCommands() {}

    static OperatorCommand next(Random random, PlaneState state) {
        String client = "c" + random.nextInt(NAMES);
        String lu = "lu" + random.nextInt(NAMES);
        return switch (random.nextInt(18)) {
            case 0, 1, 2 -> PlaneRig.client(client);
            case 3, 4, 5 -> PlaneRig.lu(lu, MIB * (1 + random.nextInt(9)));
            case 6, 7, 8 -> PlaneRig.map(client, lu);
            case 9 -> new OperatorCommand.UnmapLu(client, lu);
            case 10 -> PlaneRig.removal(client);
            case 11 -> new OperatorCommand.RemoveLu(lu, true);
            case 12 -> new OperatorCommand.ResizeLu(lu, MIB * (1 + random.nextInt(20)));
            case 13 -> new OperatorCommand.AddAdapter(client, null, null, null);
            case 14 -> new OperatorCommand.DeclareLu(lu, random.nextBoolean() ? Sharing.SHARED : Sharing.PRIVATE);
            case 15 -> new OperatorCommand.SetActions("vm" + random.nextInt(NAMES), "{\"server-crash\":\"freeze\"}");
            case 16 ->
                random.nextBoolean()
                        ? new OperatorCommand.CreateToken("t" + random.nextInt(NAMES), Role.OBSERVER, null)
                        : new OperatorCommand.RemoveToken("t" + random.nextInt(NAMES));
            default ->
                random.nextBoolean()
                        ? new OperatorCommand.SetDefaultZone(
                                random.nextBoolean() ? DefaultZone.OPEN : DefaultZone.CLOSED)
                        : new OperatorCommand.SetZone(
                                "z" + random.nextInt(3),
                                state.fabric().adapters().stream()
                                        .limit(2)
                                        .map(adapter -> adapter.activeName().toString())
                                        .toList(),
                                List.of("fcs0"));
        };
    }
}
