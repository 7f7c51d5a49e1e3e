package org.tpforward.harness;

import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.security.KeyPair;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.client.keyverifier.AcceptAllServerKeyVerifier;
import org.apache.sshd.client.session.ClientSession.ClientSessionEvent;
import org.apache.sshd.common.SshConstants;
import org.apache.sshd.common.keyprovider.FileKeyPairProvider;
import org.apache.sshd.common.util.buffer.Buffer;
import org.tpforward.relay.Threads;
import org.tpforward.ssh.SshClients;

/**
 * Malformed SSH: {@code SshMutator HOST PORT KEY SEED PLAIN LOGIN CHANNELS}. Records what a client
 * sends to tpforward-server in a login and on its channels, and then sends it again and again,
 * spoilt. Whatever is spoilt after its encryption ends the session by its MAC, whatever it is; so
 * there are three parts, each of as many packets as are named:
 *
 * <ol>
 *   <li>PLAIN: on connections of their own, somewhere in what comes before the encryption;
 *   <li>LOGIN: one packet of the login in each session, before that is encrypted;
 *   <li>CHANNELS: packets of the connection protocol in sessions that are logged in, likewise, one
 *       after another until the server ends the session.
 * </ol>
 *
 * <p>Only packets count that the server has surely read, such as those that were followed by one
 * that it has answered. Says {@code recorded N bytes M packets}, and at the end {@code plain N
 * login N channels N in M sessions}; it fails if the server neither answers nor hangs up.
 */
public final class SshMutator {
  /** How many packets one session sends, if it lives so long. */
  private static final int PER_SESSION = 100;

  /** Connections, and sessions, at once. */
  private static final int AT_ONCE = 4;

  private final String host;
  private final int port;
  private final KeyPair key;
  private final long seed;
  private final SshRecording recorded;

  private SshMutator(String host, int port, KeyPair key, long seed) throws Exception {
    this.host = host;
    this.port = port;
    this.key = key;
    this.seed = seed;
    this.recorded = SshRecording.of(host, port, key);
  }

  /** Runs the program. */
  public static void main(String[] arguments) throws Exception {
    KeyPair key = new FileKeyPairProvider(Path.of(arguments[2])).loadKeys(null).iterator().next();
    SshMutator mutator =
        new SshMutator(
            arguments[0], Integer.parseInt(arguments[1]), key, Long.parseLong(arguments[3]));
    SshRecording recorded = mutator.recorded;
    System.out.println(
        "recorded "
            + recorded.plain().length
            + " bytes "
            + (recorded.login().size() + recorded.channels().size())
            + " packets");
    mutator.run(
        Integer.parseInt(arguments[4]),
        Integer.parseInt(arguments[5]),
        Integer.parseInt(arguments[6]));
    System.exit(0);
  }

  private void run(int plain, int login, int channels) throws Exception {
    AtomicInteger plainSent = new AtomicInteger();
    AtomicInteger loginsSent = new AtomicInteger();
    AtomicInteger read = new AtomicInteger();
    AtomicInteger sessions = new AtomicInteger();
    try (SshClient client = SshClients.newClient(AcceptAllServerKeyVerifier.INSTANCE)) {
      client.setSessionFactory(RawSession.factory(client));
      client.start();
      inParallel(
          AT_ONCE + 1,
          n -> {
            Mutation mutation = new Mutation(seed + n);
            // One of them alone: the server makes who shows wrong keys wait.
            while (n == AT_ONCE && loginsSent.get() < login) {
              loginsSent.addAndGet(login(client, mutation));
            }
            while (n < AT_ONCE && plainSent.getAndIncrement() < plain) {
              send(mutation.spoil(recorded.plain(), mutation.below(recorded.plain().length)));
            }
            while (n < AT_ONCE && read.get() < channels) {
              read.addAndGet(session(client, mutation));
              sessions.incrementAndGet();
            }
          });
    }
    System.out.println(
        "plain %d login %s channels %s in %s sessions"
            .formatted(plain, loginsSent, read, sessions));
  }

  private interface Part {
    void run(int number) throws Exception;
  }

  private static void inParallel(int count, Part part) throws Exception {
    List<Thread> threads = new ArrayList<>();
    AtomicReference<Exception> failure = new AtomicReference<>();
    for (int i = 0; i < count; i++) {
      int number = i;
      threads.add(
          Threads.start(
              "mutate",
              () -> {
                try {
                  part.run(number);
                } catch (Exception e) {
                  failure.set(e);
                }
              }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    Exception problem = failure.get();
    if (problem != null) {
      throw problem;
    }
  }

  /** A connection that sends this, and waits until the server has had enough of it. */
  private void send(byte[] bytes) throws IOException {
    try (Socket socket = new Socket(host, port)) {
      socket.setSoTimeout(Math.toIntExact(Proc.PATIENCE.toMillis()));
      try {
        socket.getOutputStream().write(bytes);
        socket.shutdownOutput();
        long _ = socket.getInputStream().transferTo(OutputStream.nullOutputStream());
      } catch (SocketTimeoutException e) {
        throw e; // It holds a connection that has ended.
      } catch (IOException e) {
        // Reset, which is an end too.
      }
    }
  }

  private RawSession connect(SshClient client) throws IOException {
    return (RawSession)
        client.connect("mallory", host, port).verify(Proc.PATIENCE).getClientSession();
  }

  /** A session that sends one spoilt packet in the place of its login. */
  private int login(SshClient client, Mutation mutation) throws Exception {
    try (RawSession session = connect(client)) {
      session.waitFor(EnumSet.of(ClientSessionEvent.WAIT_AUTH, ClientSessionEvent.CLOSED), 0);
      session.takeOver();
      byte[] spoilt = spoilt(recorded.login(), mutation);
      try {
        session.send(spoilt);
        // If nothing is said to that one, then to this.
        Buffer none = session.createBuffer(SshConstants.SSH_MSG_USERAUTH_REQUEST, 64);
        none.putString("mallory");
        none.putString("ssh-connection");
        none.putString("none");
        session.writePacket(none);
      } catch (IOException e) {
        // The server has ended the session.
      }
      int read = session.await(1, spoilt);
      session.close(true);
      return read;
    }
  }

  /**
   * A session that sends spoilt packets until it is ended, or has sent enough.
   *
   * @return how many the server has surely read, the one that ended the session too
   */
  private int session(SshClient client, Mutation mutation) throws Exception {
    try (RawSession session = connect(client)) {
      session.addPublicKeyIdentity(key);
      session.auth().verify(Proc.PATIENCE);
      session.takeOver();
      int sent = 0;
      byte[] spoilt = {};
      try {
        session.send(recorded.channels().getFirst());
        while (sent < PER_SESSION && session.isOpen()) {
          spoilt = spoilt(recorded.channels(), mutation);
          session.send(spoilt);
          sent++;
          session.probe();
        }
      } catch (IOException e) {
        // The server has ended the session.
      }
      int read = session.await(sent, spoilt);
      session.close(true);
      return read;
    }
  }

  private static byte[] spoilt(List<byte[]> packets, Mutation mutation) {
    byte[] packet = packets.get(mutation.below(packets.size()));
    // The message's number mostly stays, and often the channel's, so that more is looked at.
    int keep = Math.min(mutation.below(10) == 0 ? 0 : 1 + mutation.below(8), packet.length - 1);
    return mutation.spoil(packet, keep);
  }
}
