package org.tpforward.ssh;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.client.keyverifier.AcceptAllServerKeyVerifier;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.common.keyprovider.FileKeyPairProvider;
import org.apache.sshd.common.session.Session;
import org.apache.sshd.common.session.SessionListener;

/** A client with a session to a test's server. */
final class SshSessions implements AutoCloseable {
  static final Duration BOUND = Duration.ofSeconds(30);

  private final SshClient client;
  private final ClientSession session;

  SshSessions(Sshd server) throws IOException {
    this(server, Dialer.tcp());
  }

  SshSessions(Sshd server, Dialer dialer) throws IOException {
    this(SshClients.newClient(AcceptAllServerKeyVerifier.INSTANCE, dialer), server);
  }

  SshSessions(SshClient client, Sshd server) throws IOException {
    this.client = client;
    client.setKeyIdentityProvider(new FileKeyPairProvider(List.<Path>of(server.clientKey())));
    client.start();
    session =
        client
            .connect(System.getProperty("user.name"), "127.0.0.1", server.port())
            .verify(BOUND)
            .getClientSession();
    session.auth().verify(BOUND);
  }

  ClientSession session() {
    return session;
  }

  /** Counts the key exchanges from now on. */
  AtomicInteger keyExchanges() {
    AtomicInteger exchanges = new AtomicInteger();
    session.addSessionListener(
        new SessionListener() {
          @Override
          public void sessionEvent(Session with, Event event) {
            if (event == Event.KeyEstablished) {
              exchanges.incrementAndGet();
            }
          }
        });
    return exchanges;
  }

  @Override
  public void close() {
    client.stop();
  }
}
