/** The demonstration behind bin/demo. */
@NullMarked
package org.tpforward.demo;

import org.jspecify.annotations.NullMarked;
