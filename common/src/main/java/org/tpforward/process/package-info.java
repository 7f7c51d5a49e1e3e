/** What the operating system says to a process. */
@NullMarked
package org.tpforward.process;

import org.jspecify.annotations.NullMarked;
