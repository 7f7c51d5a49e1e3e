package org.tpforward.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.tpforward.harness.Login;
import org.tpforward.harness.Proc;
import org.tpforward.harness.World;

/**
 * Other people's SSH clients against tpforward-server: the bus, and 64 MiB both ways through the
 * socket of a tube. What else OpenSSH's own does is in {@link ServerIT}.
 */
@NeedsSides
class OtherClientsIT {
  /** Calls Hello on the bus by hand, and counts what ListNames says, over any stream. */
  private static final String HELLO =
      """
      import struct
      AUTH = b'\\0AUTH EXTERNAL\\r\\nDATA\\r\\nBEGIN\\r\\n'
      def field(code, sig, text):
          t = text.encode()
          return bytes([code, 1]) + sig + b'\\0' + struct.pack('<I', len(t)) + t + b'\\0'
      def pad(b): return b + b'\\0' * (-len(b) % 8)
      def call(serial, member):
          f = b''
          for part in (field(1, b'o', '/org/freedesktop/DBus'), field(3, b's', member),
                       field(6, b's', 'org.freedesktop.DBus'),
                       field(2, b's', 'org.freedesktop.DBus')):
              f = pad(f) + part
          return pad(b'l\\1\\0\\1' + struct.pack('<III', 0, serial, len(f)) + f)
      REQUEST = AUTH + call(1, 'Hello') + call(2, 'ListActivatableNames')
      DONE = b'org.freedesktop.Telepathy.ConnectionManager.loopback'
      """;

  /** What is sent, and the checksum of what must come back from a service that echoes. */
  private static final String TRAFFIC =
      """
      import hashlib, random
      PIECES, PIECE = 64, 1 << 20
      rng = random.Random(4711)
      SENT, GOT, LENGTH = hashlib.sha256(), hashlib.sha256(), PIECES * PIECE
      def pieces():
          for _ in range(PIECES):
              piece = rng.randbytes(PIECE)
              SENT.update(piece)
              yield piece
      def got(count):
          assert count == LENGTH, count
          assert SENT.digest() == GOT.digest()
          print('same', LENGTH, GOT.hexdigest())
      """;

  /** Paramiko knows no streamlocal by itself: the message is made by hand. */
  private static final String PARAMIKO =
      """
      import paramiko, sys, threading
      from paramiko.message import Message
      from paramiko.channel import Channel
      client = paramiko.SSHClient()
      client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
      client.connect(sys.argv[1], int(sys.argv[2]), 'x', key_filename=sys.argv[3],
                     allow_agent=False, look_for_keys=False)
      t = client.get_transport()
      def streamlocal(path):
          t.lock.acquire()
          chanid = t._next_channel()
          m = Message()
          m.add_byte(bytes([90])); m.add_string('direct-streamlocal@openssh.com')
          m.add_int(chanid); m.add_int(1 << 20); m.add_int(1 << 15)
          m.add_string(path); m.add_string(''); m.add_int(0)
          chan = Channel(chanid)
          t._channels.put(chanid, chan)
          t.channel_events[chanid] = event = threading.Event()
          t.channels_seen[chanid] = True
          chan._set_transport(t); chan._set_window(1 << 20, 1 << 15)
          t.lock.release()
          t._send_user_message(m)
          assert event.wait(60)
          assert t.get_exception() is None
          chan.settimeout(60)
          return chan
      """;

  private static World world;
  private static Login desk;
  private static SshForward forward;
  private static TubeAccount bob;
  private static TubeAccount alice;

  /** The server's path of a tube's socket, behind which is an echo. */
  private static String echo;

  /** The same over TCP: the CM's address and port. */
  private static String port;

  @BeforeAll
  static void open() {
    world = World.apartWithServer("--profile", "gabble");
    desk = world.desk();
    forward = new SshForward(desk, "/bus");
    bob = TubeAccount.start(world.serv(), "bob");
    alice = TubeAccount.start(forward.bus(), "alice");
    bob.ask("offer echo alice 0:0 ECHO");
    echo = accept("echo", "0:0").substring("unix:".length());
    bob.ask("offer port alice 0:0 ECHO");
    port = accept("port", "2:0");
  }

  /** Where the CM lets a client of the tube connect. */
  private static String accept(String tube, String kind) {
    String answer = alice.ask("accept " + tube + " " + kind);
    return answer.substring(answer.indexOf(' ') + 1);
  }

  @AfterAll
  static void close() {
    bob.close();
    alice.close();
    forward.close();
    world.close();
  }

  private static Proc.Result python(String script, String... arguments) {
    List<String> command =
        Stream.concat(Stream.of("python3", "-c", script), Stream.of(arguments)).toList();
    try (Proc client = desk.start(command)) {
      return client.await();
    }
  }

  private static Proc.Result client(String script) {
    String address = world.server().address();
    String key = desk.home() + "/.ssh/id_ed25519";
    return python(script, address, Integer.toString(world.own().port()), key, echo, port);
  }

  private static void run(String script) {
    Proc.Result result = client(HELLO + script);
    assertThat(result.out()).as(result.err()).contains("found it");
  }

  private static void echoes(String script) {
    long mark = world.own().daemon().mark();
    assertEchoed(client(TRAFFIC + script), mark);
  }

  private static void assertEchoed(Proc.Result result, long mark) {
    assertThat(result.out()).as(result.err()).startsWith("same 67108864 ");
    world
        .own()
        .daemon()
        .awaitLine("\"event\":\"channel\".*\"fromClient\":67108864,\"toClient\":67108864,", mark);
  }

  @Test
  void opensshCarriesATubeBothWays() {
    long mark = world.own().daemon().mark();
    try (SshForward local = new SshForward(desk, echo)) {
      String script =
          """
          import socket, sys, threading
          s = socket.socket(socket.AF_UNIX)
          s.connect(sys.argv[1])
          def send():
              for piece in pieces(): s.sendall(piece)
              s.shutdown(socket.SHUT_WR)
          sender = threading.Thread(target=send)
          sender.start()
          count = 0
          while more := s.recv(1 << 16):
              GOT.update(more)
              count += len(more)
          sender.join()
          got(count)
          """;
      assertEchoed(python(TRAFFIC + script, local.socket()), mark);
    }
  }

  @Test
  void asyncsshCarriesATubeBothWays() {
    echoes(
        """
        import asyncio, asyncssh, sys
        async def main():
            async with asyncssh.connect(sys.argv[1], int(sys.argv[2]), username='x',
                                        client_keys=[sys.argv[3]], known_hosts=None,
                                        config=None) as c:
                r, w = await c.open_unix_connection(sys.argv[4])
                async def send():
                    for piece in pieces():
                        w.write(piece)
                        await w.drain()
                    w.write_eof()
                sender = asyncio.create_task(send())
                count = 0
                while more := await r.read(1 << 16):
                    GOT.update(more)
                    count += len(more)
                await sender
                got(count)
        asyncio.run(main())
        """);
  }

  @Test
  void paramikoCarriesATubeBothWays() {
    echoes(
        PARAMIKO
            + """
            chan = streamlocal(sys.argv[4])
            def send():
                for piece in pieces(): chan.sendall(piece)
                chan.shutdown_write()
            sender = threading.Thread(target=send)
            sender.start()
            count = 0
            while more := chan.recv(1 << 16):
                GOT.update(more)
                count += len(more)
            sender.join()
            got(count)
            """);
  }

  /**
   * Over a port that the CM listens on: libssh asks for Unix sockets only a server that calls
   * itself OpenSSH. In one thread: write what the window takes, read what is there.
   */
  @Test
  void libsshCarriesATubeBothWays() {
    echoes(
        """
        import ctypes, sys
        from ctypes import byref, c_char_p, c_int, c_uint32, c_void_p
        ssh = ctypes.CDLL('libssh.so.4')
        for f in ('ssh_new', 'ssh_channel_new'): getattr(ssh, f).restype = c_void_p
        ssh.ssh_get_error.restype = c_char_p
        ssh.ssh_channel_window_size.restype = c_uint32
        HOST, PORT, USER, IDENTITY, CONFIG = 0, 1, 4, 6, 38
        s = c_void_p(ssh.ssh_new())
        def ok(rc):
            assert rc == 0, (rc, ssh.ssh_get_error(s))
        def option(name, value): ok(ssh.ssh_options_set(s, name, value))
        option(CONFIG, byref(c_int(0)))
        option(HOST, sys.argv[1].encode())
        option(PORT, byref(c_int(int(sys.argv[2]))))
        option(USER, b'x')
        option(IDENTITY, sys.argv[3].encode())
        ok(ssh.ssh_connect(s))
        ok(ssh.ssh_userauth_publickey_auto(s, None, None))
        chan = c_void_p(ssh.ssh_channel_new(s))
        host, port = sys.argv[5].split(':')
        ok(ssh.ssh_channel_open_forward(chan, host.encode(), int(port), b'127.0.0.1', 0))
        buffer = ctypes.create_string_buffer(1 << 16)
        source, piece, count, open_ = pieces(), b'', 0, True
        while True:
            if open_ and not piece:
                piece = next(source, b'')
                if not piece:
                    ok(ssh.ssh_channel_send_eof(chan))
                    open_ = False
            take = min(len(piece), ssh.ssh_channel_window_size(chan), 1 << 15)
            if take:
                n = ssh.ssh_channel_write(chan, piece[:take], take)
                assert n > 0, ssh.ssh_get_error(s)
                piece = piece[n:]
            n = ssh.ssh_channel_read_timeout(chan, buffer, 1 << 16, 0, 0 if take else 1000)
            assert n >= 0, ssh.ssh_get_error(s)
            GOT.update(memoryview(buffer)[:n])
            count += n
            if n == 0 and ssh.ssh_channel_is_eof(chan): break
        got(count)
        """);
  }

  @Test
  void asyncsshReachesTheBusAndIsRefusedTheRest() {
    run(
        """
        import asyncio, asyncssh, sys
        async def main():
            async with asyncssh.connect(sys.argv[1], int(sys.argv[2]), username='x',
                                        client_keys=[sys.argv[3]], known_hosts=None,
                                        config=None) as c:
                try: await c.open_unix_connection('/etc/passwd')
                except asyncssh.ChannelOpenError as e: assert 'handed that out' in e.reason, e
                try: await c.run('id')
                except asyncssh.ChannelOpenError as e: assert 'no shell' in e.reason, e
                r, w = await c.open_unix_connection('/bus')
                w.write(REQUEST)
                seen = b''
                while DONE not in seen:
                    more = await r.read(65536)
                    assert more, seen
                    seen += more
                print('found it')
        asyncio.run(main())
        """);
  }

  @Test
  void paramikoReachesTheBus() {
    run(
        PARAMIKO
            + """
            try: t.open_session()
            except paramiko.ChannelException as e: assert e.code == 1, e
            chan = streamlocal('/bus')
            chan.sendall(REQUEST)
            seen = b''
            while DONE not in seen:
                more = chan.recv(65536)
                assert more, seen
                seen += more
            print('found it')
            """);
  }
}
