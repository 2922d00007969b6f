package io.holdfast.drills;

/** Where QEMU is told to log in. */
enum Route {
    /** The agent's local portal: what Holdfast is for. */
    THROUGH_AGENT,
    /** The server itself, with no agent anywhere: the control run, which shows what the agent changes. */
    STRAIGHT_TO_SERVER
}
