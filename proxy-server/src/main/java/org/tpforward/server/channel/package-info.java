/** Each SSH channel and listener, checked against what may be reached. */
@NullMarked
package org.tpforward.server.channel;

import org.jspecify.annotations.NullMarked;
