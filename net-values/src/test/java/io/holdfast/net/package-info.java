/** Tests of addresses as text. Null checks are for the code that runs, not for its tests. */
@NullUnmarked
package io.holdfast.net;

import org.jspecify.annotations.NullUnmarked;
