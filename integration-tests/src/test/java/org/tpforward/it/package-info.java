/** The program against real ones: sshd, dbus-daemon, telepathy-glib, two sides apart. */
@NullMarked
package org.tpforward.it;

import org.jspecify.annotations.NullMarked;
