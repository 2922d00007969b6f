/**
 * The SCSI device server (SAM-5, SPC-4, SBC-3): command table, logical units, sense data, vital product data.
 *
 * <p>Called by a transport ({@code iscsi} today), which hands over whole tasks: the data an initiator sends is complete
 * before {@link io.holdfast.scsi.DeviceServer#execute} sees it. Knows neither PDUs nor Netty; CDBs and sense stop here.
 */
@NullMarked
package io.holdfast.scsi;

import org.jspecify.annotations.NullMarked;
