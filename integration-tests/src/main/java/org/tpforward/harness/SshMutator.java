package org.tpforward.harness;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.client.keyverifier.AcceptAllServerKeyVerifier;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.client.session.ClientSessionImpl;
import org.apache.sshd.client.session.SessionFactory;
import org.apache.sshd.common.SshConstants;
import org.apache.sshd.common.io.IoSession;
import org.apache.sshd.common.io.IoWriteFuture;
import org.apache.sshd.common.keyprovider.FileKeyPairProvider;
import org.apache.sshd.common.util.buffer.Buffer;
import org.tpforward.relay.Duplex;
import org.tpforward.relay.Threads;
import org.tpforward.socket.Endpoint;
import org.tpforward.ssh.ChannelOpenFailedException;
import org.tpforward.ssh.RemoteListeners;
import org.tpforward.ssh.SshChannels;
import org.tpforward.ssh.SshClients;

/**
 * Malformed SSH: {@code SshMutator HOST PORT KEY SEED CONNECTIONS PACKETS}. Records what a client
 * sends to tpforward-server in a login and on its channels, and then sends it again and again,
 * spoilt: CONNECTIONS times all that comes in plain text (up to SSH_MSG_NEWKEYS), and PACKETS
 * single packets of the connection protocol (RFC 4254) inside of sessions that are logged in. That
 * many are sent; what follows one that ends its session, as most do, is not read by the server.
 * Says {@code recorded N bytes M packets}, and at the end {@code connections N packets M in K
 * sessions}.
 */
public final class SshMutator {
  /** How many packets one session sends, if it lives so long. */
  private static final int PER_SESSION = 100;

  /** Connections, and sessions, at once. */
  private static final int AT_ONCE = 4;

  private static final Endpoint BUS = new Endpoint.UnixPath("/bus");
  private static final Endpoint NOWHERE = new Endpoint.UnixPath("/nowhere");

  private final String host;
  private final int port;
  private final Path key;

  /** Payloads of the packets of the connection protocol, as they were sent. */
  private final List<byte[]> packets = new CopyOnWriteArrayList<>();

  private SshMutator(String host, int port, Path key) {
    this.host = host;
    this.port = port;
    this.key = key;
  }

  /** Runs the program. */
  public static void main(String[] arguments) throws Exception {
    SshMutator mutator =
        new SshMutator(arguments[0], Integer.parseInt(arguments[1]), Path.of(arguments[2]));
    long seed = Long.parseLong(arguments[3]);
    byte[] stream = mutator.record();
    System.out.println(
        "recorded " + stream.length + " bytes " + mutator.packets.size() + " packets");
    int connections = Integer.parseInt(arguments[4]);
    int plain = plainLength(stream);
    AtomicInteger connected = new AtomicInteger();
    inParallel(n -> {
      Mutation mutation = new Mutation(seed + n);
      while (connected.getAndIncrement() < connections) {
        mutator.send(mutation.spoil(stream, mutation.below(plain - 1), plain));
      }
    });
    int count = Integer.parseInt(arguments[5]);
    AtomicInteger sent = new AtomicInteger();
    AtomicInteger sessions = new AtomicInteger();
    try (SshClient client = SshClients.newClient(AcceptAllServerKeyVerifier.INSTANCE)) {
      client.start();
      inParallel(n -> {
        Mutation mutation = new Mutation(seed + AT_ONCE + n);
        while (sent.get() < count) {
          sent.addAndGet(mutator.session(client, mutation));
          sessions.incrementAndGet();
        }
      });
    }
    System.out.println(
        "connections " + connections + " packets " + sent + " in " + sessions + " sessions");
    System.exit(0);
  }

  private interface Part {
    void run(int number) throws Exception;
  }

  private static void inParallel(Part part) throws Exception {
    List<Thread> threads = new ArrayList<>();
    AtomicReference<Exception> failure = new AtomicReference<>();
    for (int i = 0; i < AT_ONCE; i++) {
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

  /** Through a socket of our own, which keeps what the client sends. */
  private byte[] record() throws Exception {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"));
        SshClient client = SshClients.newClient(AcceptAllServerKeyVerifier.INSTANCE)) {
      Thread relay =
          Threads.start(
              "record",
              () -> {
                try (Socket near = listener.accept();
                    Socket far = new Socket(host, port)) {
                  Threads.start("back", () -> copy(far, near, OutputStream.nullOutputStream()));
                  copy(near, far, bytes);
                } catch (IOException e) {
                  throw new HarnessException("nothing was recorded", e);
                }
              });
      client.setSessionFactory(new Recorder(client));
      client.start();
      try (ClientSession session = login(client, "127.0.0.1", listener.getLocalPort())) {
        liveASession(session);
      }
      relay.join();
    }
    return bytes.toByteArray();
  }

  private static void copy(Socket from, Socket to, OutputStream also) {
    try {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      byte[] buffer = new byte[16 << 10];
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        also.write(buffer, 0, n);
        out.write(buffer, 0, n);
      }
      to.shutdownOutput();
    } catch (IOException e) {
      // One of them is gone.
    }
  }

  private ClientSession login(SshClient client, String address, int at) throws IOException {
    ClientSession session =
        client.connect("mallory", address, at).verify(Proc.PATIENCE).getClientSession();
    new FileKeyPairProvider(key).loadKeys(session).forEach(session::addPublicKeyIdentity);
    session.auth().verify(Proc.PATIENCE);
    return session;
  }

  /** A bit of all that a client may do. */
  private static void liveASession(ClientSession session) throws IOException {
    try (Duplex bus = SshChannels.open(session, BUS, Proc.PATIENCE)) {
      byte[] hello = "\0AUTH EXTERNAL\r\nDATA\r\n".getBytes(StandardCharsets.US_ASCII);
      TubeTraffic.writeAll(bus, ByteBuffer.wrap(hello));
      ByteBuffer _ = TubeTraffic.readExactly(bus, 4);
      bus.shutdownOutput();
      for (Endpoint target : List.of(NOWHERE, new Endpoint.Ip(InetAddress.ofLiteral("::1"), 9))) {
        try (Duplex _ = SshChannels.open(session, target, Proc.PATIENCE)) {
          throw new HarnessException(target + " can be reached");
        } catch (ChannelOpenFailedException e) {
          // So it must be; what counts is what was sent.
        }
      }
    }
    Endpoint any = new Endpoint.Ip(InetAddress.ofLiteral("127.0.0.1"), 0);
    RemoteListeners.listen(session, any, Proc.PATIENCE, incoming -> incoming.refuse("no")).close();
    try {
      RemoteListeners.listen(session, NOWHERE, Proc.PATIENCE, incoming -> incoming.refuse("no"))
          .close();
    } catch (IOException e) {
      // Not there.
    }
    session.createShellChannel().open().await(Proc.PATIENCE);
  }

  /** Keeps the payloads of the connection protocol. */
  private final class Recorder extends SessionFactory {
    Recorder(SshClient client) {
      super(client);
    }

    @Override
    protected ClientSessionImpl doCreateSession(IoSession ioSession) throws Exception {
      return new ClientSessionImpl(getClient(), ioSession) {
        @Override
        public IoWriteFuture writePacket(Buffer buffer) throws IOException {
          byte[] payload = buffer.getCompactData();
          if (Byte.toUnsignedInt(payload[0]) >= SshConstants.SSH_MSG_GLOBAL_REQUEST) {
            packets.add(payload);
          }
          return super.writePacket(buffer);
        }
      };
    }
  }

  /** How much of what was sent is not encrypted: the version's line, and packets to NEWKEYS. */
  private static int plainLength(byte[] stream) {
    int at = 1;
    while (stream[at - 1] != '\n') {
      at++;
    }
    byte message = 0;
    while (message != SshConstants.SSH_MSG_NEWKEYS) {
      message = stream[at + 5]; // RFC 4253, section 6: uint32 length, byte padding, payload
      at += Integer.BYTES + ByteBuffer.wrap(stream).getInt(at);
    }
    return at;
  }

  /** A connection that sends this, and waits until the server has had enough of it. */
  private void send(byte[] bytes) throws IOException {
    try (Socket socket = new Socket(host, port)) {
      socket.setSoTimeout(Math.toIntExact(Proc.PATIENCE.toMillis()));
      try {
        socket.getOutputStream().write(bytes);
        socket.shutdownOutput();
        long _ = socket.getInputStream().transferTo(OutputStream.nullOutputStream());
      } catch (java.net.SocketTimeoutException e) {
        throw e; // It holds a connection that has ended.
      } catch (IOException e) {
        // Reset, which is an end too.
      }
    }
  }

  /** A session that sends spoilt packets until it is ended, or has sent enough; how many. */
  private int session(SshClient client, Mutation mutation) throws IOException {
    int sent = 0;
    try (ClientSession session = login(client, host, port)) {
      Duplex _ = SshChannels.open(session, BUS, Proc.PATIENCE);
      while (sent < PER_SESSION && session.isOpen()) {
        byte[] packet = packets.get(mutation.below(packets.size()));
        // The message's number mostly stays, and often the channel's, so that more is looked at.
        int keep = Math.min(mutation.below(10) == 0 ? 0 : 1 + mutation.below(8), packet.length - 1);
        byte[] payload = mutation.spoil(packet, keep, packet.length);
        Buffer buffer =
            session.createBuffer(
                payload.length == 0 ? SshConstants.SSH_MSG_IGNORE : payload[0], payload.length + 8);
        buffer.putRawBytes(payload, Math.min(1, payload.length), Math.max(0, payload.length - 1));
        session.writePacket(buffer);
        sent++;
      }
      try {
        // Packets are handled in order: once this one is refused, all before it have been.
        SshChannels.open(session, NOWHERE, Proc.PATIENCE).close();
        throw new HarnessException(NOWHERE + " can be reached");
      } catch (ChannelOpenFailedException e) {
        session.close(true);
      }
    } catch (IOException e) {
      // The server has ended the session.
    }
    return sent;
  }
}
