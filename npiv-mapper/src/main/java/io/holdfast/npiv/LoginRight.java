package io.holdfast.npiv;

/** What one port name may do at present. */
public enum LoginRight {
    /** Not log in; a session it still has must end, its writes finished or discarded before the other name's first. */
    NONE,
    /** Log in, look at the LUs and read, so that the machine a client moves to is ready; not write. */
    STANDBY,
    FULL;

    /** The rule of live migration: at no time may both names of a pair write. */
    static LoginRight of(Client client, ClientAdapter adapter, Side side) {
        if (adapter.active() == side) {
            return FULL;
        }
        return client.migration() == Migration.PREPARED ? STANDBY : NONE;
    }
}
