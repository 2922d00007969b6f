/** Tests of the command line and, as {@code *IT}, of the real server process with real initiators. */
@NullMarked
package io.holdfast.management;

import org.jspecify.annotations.NullMarked;
