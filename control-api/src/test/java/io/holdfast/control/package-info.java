/** Tests of the control connection, over loopback. Null checks are for the code that runs, not for its tests. */
@NullUnmarked
package io.holdfast.control;

import org.jspecify.annotations.NullUnmarked;
