/** Local sockets: listen, connect, who is the peer, and the credential byte. */
@NullMarked
package org.tpforward.socket;

import org.jspecify.annotations.NullMarked;
