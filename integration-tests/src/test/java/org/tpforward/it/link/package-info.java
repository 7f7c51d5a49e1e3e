/** The SSH link against a real sshd, ssh-agent, ssh and ssh-keygen. */
@NullMarked
package org.tpforward.it.link;

import org.jspecify.annotations.NullMarked;
