package io.holdfast.control.operator;

import org.jspecify.annotations.Nullable;

/** Everything that changes nothing. */
public sealed interface OperatorQuery extends OperatorRequest {

    record Status() implements OperatorQuery {}

    record ListLus() implements OperatorQuery {}

    record ShowLu(
            @Param(value = "The LU.", label = "NAME", place = 1)
            String name) implements OperatorQuery {}

    record ListPools() implements OperatorQuery {}

    record ListWwpnPools() implements OperatorQuery {}

    record ListClients() implements OperatorQuery {}

    record ShowClient(
            @Param(value = "The client, by name or id.", label = "CLIENT", place = 1)
            String client) implements OperatorQuery {}

    record ListAdapters(
            @Param(value = "Only this client's.", label = "CLIENT") @Nullable
            String client) implements OperatorQuery {}

    record ListPorts() implements OperatorQuery {}

    record ListMaps(
            @Param(value = "Only this client's.", label = "CLIENT") @Nullable
            String client) implements OperatorQuery {}

    record ListZones() implements OperatorQuery {}

    record ListInitiators() implements OperatorQuery {}

    record ListSessions(
            @Param(value = "Only this client's.", label = "CLIENT") @Nullable
            String client) implements OperatorQuery {}

    record ListAgents() implements OperatorQuery {}

    record ListVms() implements OperatorQuery {}

    record ListRaised() implements OperatorQuery {}

    record ListTokens() implements OperatorQuery {}

    record Lsmap(
            @Param(value = "Only this server adapter.", label = "VADAPTER") @Nullable
            String vadapter) implements OperatorQuery {}

    record LsmapNpiv(
            @Param(value = "Only this server adapter.", label = "VADAPTER") @Nullable
            String vadapter) implements OperatorQuery {}

    record Lsnports() implements OperatorQuery {}

    record Audit(
            @Param(value = "How many of the latest. Default: 100.", label = "N", min = 1, max = 10_000) @Nullable
            Integer last)
            implements OperatorQuery {}
}
