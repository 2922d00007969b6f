package io.holdfast.control.operator;

import java.util.List;

/** What became of a request. */
public sealed interface Answer {

    /**
     * A command was carried out and is durable.
     *
     * @param version of the whole state, to base the next change on
     * @param object what was made, changed or removed
     */
    record Done(long version, Row object) implements Answer {}

    /**
     * A query's answer.
     *
     * @param version of the state it was read from
     */
    record Rows(long version, List<? extends Row> rows) implements Answer {
        public Rows {
            rows = List.copyOf(rows);
        }
    }

    record Failed(CommandError error) implements Answer {}
}
