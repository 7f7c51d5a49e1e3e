/** The server's command line. */
@NullMarked
package org.tpforward.server.cli;

import org.jspecify.annotations.NullMarked;
