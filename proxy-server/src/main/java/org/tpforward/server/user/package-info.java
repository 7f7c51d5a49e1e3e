/** Who may log in: keys, certificates, and the limits of each. */
@NullMarked
package org.tpforward.server.user;

import org.jspecify.annotations.NullMarked;
