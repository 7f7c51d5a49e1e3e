/**
 * A connection manager whose accounts are each other's contacts: a test CM as strict as real ones.
 */
@NullMarked
package org.tpforward.loopback;

import org.jspecify.annotations.NullMarked;
