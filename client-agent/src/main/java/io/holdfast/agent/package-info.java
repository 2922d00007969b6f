/**
 * The agent beside QEMU: it watches a server, freezes the VMs that depend on it when it goes away, stands in for it
 * towards QEMU, and thaws the VMs when it serves again.
 */
@NullMarked
package io.holdfast.agent;

import org.jspecify.annotations.NullMarked;
