/** Tests. Null checks are for the code that runs, not for its tests. */
@NullUnmarked
package io.holdfast.agent.watch;

import org.jspecify.annotations.NullUnmarked;
