/** The command line. */
@NullMarked
package org.tpforward.agent.cli;

import org.jspecify.annotations.NullMarked;
