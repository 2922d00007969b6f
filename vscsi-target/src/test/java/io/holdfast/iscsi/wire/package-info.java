/** Tests of framing, headers and text. */
@NullMarked
package io.holdfast.iscsi.wire;

import org.jspecify.annotations.NullMarked;
