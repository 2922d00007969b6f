/** Tests of sessions, login and the command window, with an initiator that speaks PDUs ({@code TestInitiator}). */
@NullMarked
package io.holdfast.iscsi;

import org.jspecify.annotations.NullMarked;
