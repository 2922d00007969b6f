/**
 * What passes between us and the service manager that started us: sockets, and word of how we are. Called by the commands;
 * knows neither server nor agent. Without a service manager all of it does nothing.
 */
@NullMarked
package io.holdfast.management.systemd;

import org.jspecify.annotations.NullMarked;
