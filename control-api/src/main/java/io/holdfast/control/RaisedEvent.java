package io.holdfast.control;

/**
 * Something that is wrong at a server which goes on serving, until it is cleared.
 *
 * @param event its name: one of {@link #STORAGE_ERROR} and its like, or what an operator called it
 * @param target iSCSI name of the target it concerns; empty if it concerns all
 * @param detail for people
 */
public record RaisedEvent(String event, String target, String detail) {
    /** The storage cannot read or write (EIO). */
    public static final String STORAGE_ERROR = "storage-error";
    /** The storage has no space left (ENOSPC). */
    public static final String STORAGE_FULL = "storage-full";
    /** The storage cannot be written any more (EROFS). */
    public static final String STORAGE_READ_ONLY = "storage-read-only";
    /** The image or its device is not there any more. */
    public static final String STORAGE_GONE = "storage-gone";
    /** The storage does not answer. */
    public static final String STORAGE_STALLED = "storage-stalled";

    /** The storage has lost data that it had acknowledged: no VM goes on with that by itself. */
    public static final String STORAGE_LOST_WRITES = "storage-lost-writes";

    /** What the names of events begin with that an operator raises. */
    public static final String OPERATORS = "x-";

    /** Whether it is one of the storage events: what is in flight there may never be answered. */
    public boolean concernsStorage() {
        return event.startsWith("storage-");
    }

    /** Whether the other is the same event, whatever is said of it. */
    public boolean is(String otherEvent, String otherTarget) {
        return event.equals(otherEvent) && target.equals(otherTarget);
    }
}
