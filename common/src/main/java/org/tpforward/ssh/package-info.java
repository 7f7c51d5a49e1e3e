/** OpenSSH channel types for Apache MINA SSHD, and the transport beneath them. */
@NullMarked
package org.tpforward.ssh;

import org.jspecify.annotations.NullMarked;
