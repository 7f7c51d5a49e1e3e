/** The Telepathy specification in code: addresses, access controls, the table of crossings. */
@NullMarked
package org.tpforward.telepathy;

import org.jspecify.annotations.NullMarked;
