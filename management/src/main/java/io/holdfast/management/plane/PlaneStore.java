package io.holdfast.management.plane;

import io.holdfast.control.operator.Row;
import java.io.IOException;
import java.util.List;

/** Where the state is kept. Used by one thread at a time. */
public interface PlaneStore extends AutoCloseable {

    /** As it was last made durable. */
    PlaneState state();

    /**
     * Makes a change durable.
     *
     * @param audit who changed what; kept along with it
     * @throws IOException if it is not; {@link #broken} tells whether the next one may be
     */
    void append(PlaneState before, PlaneState after, Row.AuditRow audit) throws IOException;

    /** True once nobody knows any more what is on the disk: nothing can be changed until a restart has looked. */
    boolean broken();

    /** The latest of who changed what, the oldest first. */
    List<Row.AuditRow> audit(int last);

    @Override
    void close();
}
