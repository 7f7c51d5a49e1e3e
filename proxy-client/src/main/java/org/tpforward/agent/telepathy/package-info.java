/** The small Telepathy client behind the commands send, receive, tube and contacts. */
@NullMarked
package org.tpforward.agent.telepathy;

import org.jspecify.annotations.NullMarked;
