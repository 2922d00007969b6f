/**
 * Addresses, and what goes wrong with them, as people write and read them: values only, no sockets. Every other module may
 * use it; it knows none of them.
 */
@NullMarked
package io.holdfast.net;

import org.jspecify.annotations.NullMarked;
