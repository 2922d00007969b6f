package io.holdfast.management.cli;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How answers are printed.
 *
 * @param delimiter between fields, without headings; null for tables
 * @param fields which ones; empty for the usual
 */
record OutputForm(boolean json, @Nullable String delimiter, List<String> fields, boolean colours) {
    OutputForm {
        fields = List.copyOf(fields);
    }
}
