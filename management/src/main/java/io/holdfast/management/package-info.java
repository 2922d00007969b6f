/**
 * The program: command line, configuration, and the wiring of server and agent. The only package that knows everyone.
 */
@NullMarked
package io.holdfast.management;

import org.jspecify.annotations.NullMarked;
