/**
 * OpenSSH's channel types for Apache MINA SSHD, and the transport beneath them.
 *
 * <p>A client made by {@link org.tpforward.ssh.SshClients} runs over a {@link
 * org.tpforward.ssh.SocketTransport}; on its sessions {@link org.tpforward.ssh.SshChannels} opens
 * streams to sockets on the server, and {@link org.tpforward.ssh.RemoteListeners} has the server
 * listen.
 *
 * <p>The rule that keeps one stream from stopping another: a session's reading thread never waits.
 * It leaves what arrives in the queue of its channel, which the channel's window bounds, and what
 * it sends itself goes to the socket or into a queue. Whoever reads a stream takes from the
 * channel's queue, and whoever writes one waits for the peer's window and for the socket's queue:
 * on their own threads, with no lock held.
 */
@NullMarked
package org.tpforward.ssh;

import org.jspecify.annotations.NullMarked;
