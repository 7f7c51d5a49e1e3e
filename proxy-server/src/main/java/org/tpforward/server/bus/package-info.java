/** What a user may see and call on the bus, and which sockets crossed it. */
@NullMarked
package org.tpforward.server.bus;

import org.jspecify.annotations.NullMarked;
