package io.holdfast.management.plane;

import java.io.IOException;
import java.util.function.Consumer;

/**
 * What serves: the control plane tells it of every change, in two steps around the moment that makes the change durable.
 *
 * <pre>
 *   plane                                   served side
 *     │ begin(state) ──────────────────────►│  once, before portals listen: opens the images, knows who may log in
 *     │                                     │
 *     │ prepare(change) ───────────────────►│  whatever may fail: opens or makes images, makes them larger
 *     │ ◄───────────── Prepared, or a refusal
 *     │ (journal, fsync)                    │
 *     │ carryOut() or withdraw() ──────────►│  must not fail: shows the new state to initiators, lets go of what is gone
 * </pre>
 *
 * <p>Called by one thread at a time, never on an event loop.
 */
public interface ServedSide {

    /**
     * Serves this state from the start on. An image that cannot be opened is no reason to fail: its LU answers NOT READY,
     * and {@link LiveFacts#units} says why; the others are served.
     */
    void begin(PlaneState state);

    /**
     * Does what may fail. Initiators must not notice anything yet.
     *
     * @return how to go on
     * @throws IOException saying for people what is wrong with which image; the change is refused then
     */
    Prepared prepare(PlaneChange change) throws IOException;

    /** The same, and {@code hearer} is shown each state after it: the first, and every later one when it is the state. */
    default ServedSide alsoShowing(Consumer<PlaneState> hearer) {
        ServedSide inner = this;
        return new ServedSide() {
            @Override
            public void begin(PlaneState state) {
                inner.begin(state);
                hearer.accept(state);
            }

            @Override
            public Prepared prepare(PlaneChange change) throws IOException {
                Prepared prepared = inner.prepare(change);
                return new Prepared() {
                    @Override
                    public long sizeBytes(LuBacking opened) {
                        return prepared.sizeBytes(opened);
                    }

                    @Override
                    public void carryOut(PlaneState after) {
                        prepared.carryOut(after);
                        hearer.accept(after);
                    }

                    @Override
                    public void withdraw() {
                        prepared.withdraw();
                    }
                };
            }
        };
    }

    /** A change that can be carried out. */
    interface Prepared {
        /** The size of an image, for one that was opened without naming it. */
        long sizeBytes(LuBacking opened);

        /**
         * The change is durable: makes it true. What fails here is logged, and shown by {@link LiveFacts}.
         *
         * @param after the change's, with the sizes that {@link #sizeBytes} told
         */
        void carryOut(PlaneState after);

        /** The change is not to be: closes what was opened, removes what was made. */
        void withdraw();
    }

    /** Serves nothing, and objects to nothing. */
    ServedSide NOTHING = new ServedSide() {
        @Override
        public void begin(PlaneState state) {}

        @Override
        public Prepared prepare(PlaneChange change) {
            return new Prepared() {
                @Override
                public long sizeBytes(LuBacking opened) {
                    return opened.sizeBytes();
                }

                @Override
                public void carryOut(PlaneState after) {}

                @Override
                public void withdraw() {}
            };
        }
    };
}
