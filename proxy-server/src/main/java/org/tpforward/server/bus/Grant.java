package org.tpforward.server.bus;

import org.tpforward.socket.Endpoint;
import org.tpforward.telepathy.AccessControl;

/**
 * A socket whose address crossed a user's bus connection, for as long as its channel lives: one
 * that a CM listens on, or one that a client has offered and a CM will connect to.
 *
 * @param endpoint where it listens
 * @param access the access control that was agreed on
 * @param owner the unique name of the CM
 * @param pid the process that owns that name, as the bus says (GetConnectionUnixProcessID); this
 *     one, and no other, must listen there, or connect
 * @param uid that process's user
 * @param channel the object path of the channel, for the audit
 */
public record Grant(
    Endpoint endpoint, AccessControl access, String owner, long pid, long uid, String channel) {}
