/** The agent on the desktop. */
@NullMarked
package org.tpforward.agent;

import org.jspecify.annotations.NullMarked;
