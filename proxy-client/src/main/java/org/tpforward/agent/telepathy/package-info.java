/** The small Telepathy client behind the commands send and receive. */
@NullMarked
package org.tpforward.agent.telepathy;

import org.jspecify.annotations.NullMarked;
