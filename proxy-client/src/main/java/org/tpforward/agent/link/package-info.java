/** The SSH session of an agent: configuration, keys, known hosts, reconnecting. */
@NullMarked
package org.tpforward.agent.link;

import org.jspecify.annotations.NullMarked;
