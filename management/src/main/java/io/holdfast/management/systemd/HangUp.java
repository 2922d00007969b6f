package io.holdfast.management.systemd;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** SIGHUP, by which services are told to read their settings anew. */
public final class HangUp {
    private static final Logger LOG = LoggerFactory.getLogger(HangUp.class);

    private HangUp() {}

    /**
     * From now on SIGHUP runs this, one at a time, instead of ending the program.
     *
     * @param reload runs on a thread of its own
     */
    public static void runs(Runnable reload) {
        ExecutorService thread = Executors.newSingleThreadExecutor(task -> {
            Thread made = new Thread(task, "holdfast-reload");
            made.setDaemon(true);
            return made;
        });
        try {
            handle("HUP", () -> thread.execute(reload));
        } catch (ClassNotFoundException | NoSuchMethodException | InstantiationException | IllegalAccessException e) {
            LOG.warn("this Java has no way to hear of SIGHUP, which ends the program: {}", e.toString());
        } catch (InvocationTargetException e) {
            LOG.warn("SIGHUP ends the program: {}", String.valueOf(e.getCause()));
        }
    }

    /**
     * {@code sun.misc.Signal.handle}, the only way there is (module jdk.unsupported, JEP 260). By reflection, because the
     * compiler's warning of it cannot be switched off by itself.
     */
    private static void handle(String name, Runnable handler)
            throws ClassNotFoundException, NoSuchMethodException, InstantiationException, IllegalAccessException,
                    InvocationTargetException {
        Class<?> signal = Class.forName("sun.misc.Signal");
        Class<?> handlerType = Class.forName("sun.misc.SignalHandler");
        Object proxy = Proxy.newProxyInstance(
                handlerType.getClassLoader(), new Class<?>[] {handlerType}, (self, method, arguments) -> {
                    if (method.getName().equals("handle")) {
                        handler.run();
                        return null;
                    }
                    // What Signal itself may ask of it when it is replaced.
                    return method.getName().equals("hashCode")
                            ? System.identityHashCode(self)
                            : method.getName().equals("equals") ? self == arguments[0] : "HangUp";
                });
        signal.getMethod("handle", signal, handlerType)
                .invoke(null, signal.getConstructor(String.class).newInstance(name), proxy);
    }
}
