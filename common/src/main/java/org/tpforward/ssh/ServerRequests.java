package org.tpforward.ssh;

import java.io.IOException;
import org.apache.sshd.common.session.Session;
import org.jspecify.annotations.Nullable;
import org.tpforward.socket.Endpoint;

/**
 * Who decides about what the clients of a server of {@link SshServers} ask for. Called on a
 * session's reading thread, in the order of the requests: nothing here may wait.
 */
public interface ServerRequests {
  /**
   * A channel that a client wants.
   *
   * @param type the channel type
   * @param wanted the client's own words for the target, one line, bounded; empty for a type that
   *     has none
   * @param target where it would lead; null for a type that leads nowhere, and for words that name
   *     neither a Unix socket nor a literal address
   */
  record Request(String type, String wanted, @Nullable Endpoint target) {}

  /** A channel is to be opened: accept or refuse it, here or later on another thread. */
  void open(Session session, Request request, Incoming incoming);

  /**
   * This side shall listen, and {@link SshServers#openForwarded open} a channel for each
   * connection.
   *
   * @param at port 0 for one of this side's choice; null for words that name no socket
   * @param wanted the client's own words, one line, bounded
   * @return where it listens
   * @throws IOException if not: the message is sent to the client in an SSH_MSG_DEBUG
   */
  Endpoint listen(Session session, @Nullable Endpoint at, String wanted) throws IOException;

  /**
   * This side shall listen there no more.
   *
   * @return whether it did listen there for this session
   */
  boolean cancel(Session session, Endpoint at);
}
