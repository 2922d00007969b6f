/**
 * iSCSI on the wire (RFC 7143 §11 and §13): headers, framing with digests, and the text of login and discovery.
 *
 * <p>Used by the target's connections and by the agent's portal. Parses and prints; judges nothing beyond what framing
 * needs, and knows neither sessions nor SCSI.
 */
@NullMarked
package io.holdfast.iscsi.wire;

import org.jspecify.annotations.NullMarked;
