package org.tpforward.it;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.tpforward.harness.Login;
import org.tpforward.harness.Proc;
import org.tpforward.harness.World;

/** Other people's SSH clients against tpforward-server; OpenSSH's own is in {@link ServerIT}. */
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

  private static World world;
  private static Login desk;

  @BeforeAll
  static void open() {
    world = World.apartWithServer("--profile", "gabble");
    desk = world.desk();
  }

  @AfterAll
  static void close() {
    world.close();
  }

  private static void run(String script) {
    String address = world.server().address();
    String key = desk.home() + "/.ssh/id_ed25519";
    try (Proc client =
        desk.start(
            "python3", "-c", HELLO + script, address, Integer.toString(world.own().port()), key)) {
      Proc.Result result = client.await();
      assertThat(result.out()).as(result.err()).contains("found it");
    }
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
        """
        import paramiko, sys
        c = paramiko.SSHClient()
        c.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        c.connect(sys.argv[1], int(sys.argv[2]), 'x', key_filename=sys.argv[3],
                  allow_agent=False, look_for_keys=False)
        # It knows no streamlocal by itself: the message is made by hand.
        t = c.get_transport()
        try: t.open_session()
        except paramiko.ChannelException as e: assert e.code == 1, e
        from paramiko.message import Message
        from paramiko.channel import Channel
        import threading
        t.lock.acquire()
        chanid = t._next_channel()
        m = Message()
        m.add_byte(bytes([90])); m.add_string('direct-streamlocal@openssh.com')
        m.add_int(chanid); m.add_int(1 << 20); m.add_int(1 << 15)
        m.add_string('/bus'); m.add_string(''); m.add_int(0)
        chan = Channel(chanid)
        t._channels.put(chanid, chan)
        t.channel_events[chanid] = event = threading.Event()
        t.channels_seen[chanid] = True
        chan._set_transport(t); chan._set_window(1 << 20, 1 << 15)
        t.lock.release()
        t._send_user_message(m)
        assert event.wait(20)
        assert t.get_exception() is None
        chan.settimeout(20)
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
