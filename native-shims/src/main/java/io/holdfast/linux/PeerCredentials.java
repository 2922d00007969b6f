package io.holdfast.linux;

/** The process at the other end of an AF_UNIX connection, as it was when it connected or listened (unix(7), SO_PEERCRED). */
public record PeerCredentials(int pid, int uid, int gid) {}
