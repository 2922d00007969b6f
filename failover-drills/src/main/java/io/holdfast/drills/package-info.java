/**
 * Failover drills: boots a guest on a Holdfast logical unit, takes the server away, brings it back, and judges from
 * outside and inside the guest whether it survived. Starts programs; holds no product logic.
 */
@NullMarked
package io.holdfast.drills;

import org.jspecify.annotations.NullMarked;
