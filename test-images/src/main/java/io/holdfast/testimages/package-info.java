/**
 * The guests that drills and tests boot, what they report, and the check of their disks afterwards.
 *
 * <p>Called by drills and integration tests. {@link io.holdfast.testimages.GuestImages} builds what a guest boots,
 * {@link io.holdfast.testimages.GuestPort} listens to its workload, {@link io.holdfast.testimages.GuestReport} and
 * {@link io.holdfast.testimages.AckLedger} keep what it said, {@link io.holdfast.testimages.DiskChecker} holds the disk
 * against it. Knows nothing of servers, agents or iSCSI: it is the judge, and must not share code with the judged.
 */
@NullMarked
package io.holdfast.testimages;

import org.jspecify.annotations.NullMarked;
