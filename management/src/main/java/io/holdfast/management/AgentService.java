package io.holdfast.management;

import io.holdfast.agent.Agent;
import io.holdfast.agent.VmStatus;
import io.holdfast.agent.freeze.FreezeState;
import io.holdfast.management.systemd.ServiceManager;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** An agent as the service manager sees it. */
record AgentService(Agent agent) implements ServiceManager.Service {

    @Override
    public String status() {
        Map<FreezeState, Integer> states = new EnumMap<>(FreezeState.class);
        for (VmStatus vm : agent.status()) {
            states.merge(vm.state(), 1, Integer::sum);
        }
        List<String> counts = new ArrayList<>();
        states.forEach((state, count) ->
                counts.add(count + " " + state.name().toLowerCase(Locale.ROOT).replace('_', ' ')));
        return (agent.serverServes() ? "the server serves" : "the server is away") + "; VMs: "
                + String.join(", ", counts);
    }

    @Override
    public CompletableFuture<?> pulse() {
        return agent.pulse();
    }
}
