/** What an operator sees: audit lines and counters. */
@NullMarked
package org.tpforward.server.audit;

import org.jspecify.annotations.NullMarked;
