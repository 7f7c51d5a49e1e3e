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
import java.security.KeyPair;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.client.keyverifier.AcceptAllServerKeyVerifier;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.client.session.ClientSessionImpl;
import org.apache.sshd.client.session.SessionFactory;
import org.apache.sshd.common.SshConstants;
import org.apache.sshd.common.io.IoSession;
import org.apache.sshd.common.io.IoWriteFuture;
import org.apache.sshd.common.util.buffer.Buffer;
import org.tpforward.relay.Duplex;
import org.tpforward.relay.Threads;
import org.tpforward.socket.Endpoint;
import org.tpforward.ssh.ChannelOpenFailedException;
import org.tpforward.ssh.RemoteListeners;
import org.tpforward.ssh.SshChannels;
import org.tpforward.ssh.SshClients;

/** What a client sent to tpforward-server in one session. */
final class SshRecording {
  private static final Endpoint BUS = new Endpoint.UnixPath("/bus");
  private static final Endpoint NOWHERE = new Endpoint.UnixPath("/nowhere");

  private final byte[] plain;
  private final List<byte[]> login;
  private final List<byte[]> channels;

  private SshRecording(byte[] plain, List<byte[]> login, List<byte[]> channels) {
    this.plain = plain;
    this.login = login;
    this.channels = channels;
  }

  /** All that comes before the encryption: the version's line, and packets up to NEWKEYS. */
  byte[] plain() {
    return plain;
  }

  /** Payloads of the packets of the login (RFC 4252). */
  List<byte[]> login() {
    return login;
  }

  /**
   * Payloads of those of the connection protocol (RFC 4254). The first one opens a channel to the
   * bus.
   */
  List<byte[]> channels() {
    return channels;
  }

  /** Logs in through a socket of our own, which keeps what the client sends. */
  static SshRecording of(String host, int port, KeyPair key) throws Exception {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    List<byte[]> payloads = new CopyOnWriteArrayList<>();
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
      client.setSessionFactory(new Recorder(client, payloads));
      client.start();
      try (ClientSession session =
          client
              .connect("mallory", "127.0.0.1", listener.getLocalPort())
              .verify(Proc.PATIENCE)
              .getClientSession()) {
        session.addPublicKeyIdentity(key);
        session.auth().verify(Proc.PATIENCE);
        liveASession(session);
      }
      relay.join();
    }
    byte[] all = bytes.toByteArray();
    return new SshRecording(
        Arrays.copyOf(all, plainLength(all)),
        payloads.stream().filter(payload -> isOfLogin(payload[0])).toList(),
        payloads.stream().filter(payload -> isOfChannels(payload[0])).toList());
  }

  private static boolean isOfLogin(byte message) {
    return message == SshConstants.SSH_MSG_SERVICE_REQUEST
        || message == SshConstants.SSH_MSG_USERAUTH_REQUEST;
  }

  private static boolean isOfChannels(byte message) {
    return Byte.toUnsignedInt(message) >= SshConstants.SSH_MSG_GLOBAL_REQUEST;
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

  /** Keeps the payloads of all packets. */
  private static final class Recorder extends SessionFactory {
    private final List<byte[]> payloads;

    Recorder(SshClient client, List<byte[]> payloads) {
      super(client);
      this.payloads = payloads;
    }

    @Override
    protected ClientSessionImpl doCreateSession(IoSession ioSession) throws Exception {
      return new ClientSessionImpl(getClient(), ioSession) {
        @Override
        public IoWriteFuture writePacket(Buffer buffer) throws IOException {
          payloads.add(buffer.getCompactData());
          return super.writePacket(buffer);
        }
      };
    }
  }
}
