/** Tests of settings: what is taken, and the exact words about what is not. */
@NullMarked
package io.holdfast.management.config;

import org.jspecify.annotations.NullMarked;
