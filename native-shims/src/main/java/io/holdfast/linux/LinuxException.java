package io.holdfast.linux;

import java.io.IOException;

/** A Linux call that failed, with its {@code errno} (errno(3), always positive). */
public final class LinuxException extends IOException {
    private static final long serialVersionUID = 1L;

    private final String call;
    private final int errno;

    /** @param call the call and what it was done to, for people: {@code "fallocate disk.img"} */
    public LinuxException(String call, int errno, String reason) {
        super(call + ": " + reason);
        this.call = call;
        this.errno = errno;
    }

    public String call() {
        return call;
    }

    public int errno() {
        return errno;
    }

    /** True if the call failed with this {@code errno}. */
    public boolean is(Errno other) {
        return errno == other.number();
    }
}
