package io.holdfast.agent;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * What a VM's guest agent and its hook are asked to do around a freeze: nothing of it holds a freeze or a thaw up for longer
 * than its limit. Called on the loop; works where things may take seconds.
 */
final class GuestHelp {
    /** A guest whose file systems are not quiet by then is frozen as it is. */
    static final int QUIESCE_LIMIT_MS = 5_000;

    private static final int CLOCK_LIMIT_MS = 5_000;

    private final VmConfig config;
    private final VmKeeper.Home home;
    private final Logger log;
    private final Optional<GuestAgent> agent;
    private boolean quiet;
    /** The hook's last run. Guarded by this. */
    private @Nullable Process run;

    GuestHelp(VmConfig config, VmKeeper.Home home) {
        this.config = config;
        this.home = home;
        log = home.log();
        agent = config.guestAgent().map(GuestAgent::new);
    }

    /** QEMU is gone. */
    void forget() {
        quiet = false;
    }

    /** @param then run when the file systems are quiet, or cannot be made so; on any thread */
    void quiesce(Runnable then) {
        if (agent.isEmpty()) {
            then.run();
            return;
        }
        quiet = true;
        home.slowly().execute(() -> {
            try {
                int count = agent.get().freezeFileSystems(QUIESCE_LIMIT_MS);
                log.info("vm {}: file systems made quiet: {}", config.name(), count);
            } catch (IOException e) {
                log.warn("vm {}: its file systems could not be made quiet: {}", config.name(), e.getMessage());
            } finally {
                then.run();
            }
        });
    }

    /** The guest goes on: what was made quiet is woken, and its clock is set. */
    void runsAgain() {
        boolean wake = quiet;
        quiet = false;
        agent.ifPresent(guest -> home.slowly().execute(() -> {
            try {
                if (wake) {
                    guest.thawFileSystems(QUIESCE_LIMIT_MS);
                }
                guest.setTime(TimeUnit.MILLISECONDS.toNanos(System.currentTimeMillis()), CLOCK_LIMIT_MS);
                log.info("vm {}: its clock is set", config.name());
            } catch (IOException e) {
                log.warn("vm {}: its guest agent did not help after the thaw: {}", config.name(), e.getMessage());
            }
        }));
    }

    /** One at a time: events that others can raise must not start processes without end. */
    void runHook(String event, String detail) {
        config.hook().ifPresent(hook -> home.slowly().execute(() -> startHook(hook, event, detail)));
    }

    private synchronized void startHook(Path hook, String event, String detail) {
        Process before = run;
        if (before != null && before.isAlive()) {
            log.warn(
                    "vm {}: hook {} is not started for {}: its run before, process {}, has not ended",
                    config.name(),
                    hook,
                    event,
                    before.pid());
            return;
        }
        try {
            run = new ProcessBuilder(hook.toString(), config.name(), event, detail)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            log.info("vm {}: hook {} started for {}", config.name(), hook, event);
        } catch (IOException e) {
            log.warn("vm {}: hook {} cannot be started: {}", config.name(), hook, e.getMessage());
        }
    }
}
