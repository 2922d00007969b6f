/**
 * iSCSI (RFC 7143): sessions and connections, login, the command window, the portals the server listens on.
 *
 * <p>Uses {@code scsi} for every task and {@code iscsi.wire} for bytes. The only package of the target that knows Netty.
 */
@NullMarked
package io.holdfast.iscsi;

import org.jspecify.annotations.NullMarked;
