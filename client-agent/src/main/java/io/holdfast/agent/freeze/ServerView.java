package io.holdfast.agent.freeze;

import io.holdfast.control.ServerDescription;

/**
 * A server that serves: its control connection is up and its iSCSI portal has answered a discovery login.
 *
 * @param address where it is, for people
 * @param epoch which life of it
 */
public record ServerView(String address, long epoch, ServerDescription description) {}
