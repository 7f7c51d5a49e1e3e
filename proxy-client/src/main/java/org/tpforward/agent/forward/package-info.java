/** One socket that crossed the bus: local listener, credentials, remote target. */
@NullMarked
package org.tpforward.agent.forward;

import org.jspecify.annotations.NullMarked;
