/**
 * One class that Netty lacks: a listening socket that was passed on by the service manager, served on io_uring. It stands in
 * Netty's package because what it is made of is visible there only. {@link io.holdfast.iscsi.EventLoops} is who asks for it; it
 * knows nothing of iSCSI.
 */
package io.netty.channel.uring;
