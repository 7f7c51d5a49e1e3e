/** Bytes both ways between two streams: half-close, back-pressure, and who closes what. */
@NullMarked
package org.tpforward.relay;

import org.jspecify.annotations.NullMarked;
