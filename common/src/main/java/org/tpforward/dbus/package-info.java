/**
 * The D-Bus wire format: frames, headers, values, SASL. Every length is bounded before memory is
 * taken.
 */
@NullMarked
package org.tpforward.dbus;

import org.jspecify.annotations.NullMarked;
