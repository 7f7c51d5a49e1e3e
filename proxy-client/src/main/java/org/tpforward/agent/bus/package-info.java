/** One client of the forwarded bus: SASL on both sides, framing, the crossings applied. */
@NullMarked
package org.tpforward.agent.bus;

import org.jspecify.annotations.NullMarked;
