package org.tpforward.it;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.tpforward.harness.Login;
import org.tpforward.harness.Place;
import org.tpforward.harness.Proc;

/** Servers and clients that know nothing of tubes, run at a place: in python3, and the JDK's. */
final class Services {
  /**
   * {@code echo ADDRESS}, {@code rfb ADDRESS PASSWORD}, {@code view ADDRESS PASSWORD}. The last two
   * speak as VNC does: versions, a challenge, an answer made with the password, a verdict, and then
   * a picture; the answer is an HMAC rather than DES, which python3 does not have.
   */
  private static final String PROGRAM =
      """
      import hashlib, hmac, os, socket, struct, sys, threading

      def parse(address):
          if address.startswith('unix:@'):
              return socket.AF_UNIX, '\\0' + address[6:]
          if address.startswith('unix:'):
              return socket.AF_UNIX, address[5:]
          host, port = address.rsplit(':', 1)
          host = host.strip('[]')
          return (socket.AF_INET6 if ':' in host else socket.AF_INET), (host, int(port))

      def exactly(s, n):
          data = b''
          while len(data) < n:
              got = s.recv(n - len(data))
              if not got:
                  raise EOFError(n - len(data))
              data += got
          return data

      def echo(s):
          while True:
              data = s.recv(65536)
              if not data:
                  break
              s.sendall(data)
          s.shutdown(socket.SHUT_WR)

      def rfb(s):
          s.sendall(b'RFB 003.008\\n')
          exactly(s, 12)
          challenge = os.urandom(16)
          s.sendall(challenge)
          right = hmac.digest(sys.argv[3].encode(), challenge, 'sha256')
          if exactly(s, 32) != right:
              s.sendall(struct.pack('>I', 1))
              return
          s.sendall(struct.pack('>I', 0) + bytes(range(256)) * 1024)

      def view(address):
          family, name = parse(address)
          s = socket.socket(family)
          s.connect(name)
          s.sendall(exactly(s, 12))
          s.sendall(hmac.digest(sys.argv[3].encode(), exactly(s, 16), 'sha256'))
          if exactly(s, 4) != struct.pack('>I', 0):
              print('refused')
              sys.exit(1)
          good = exactly(s, 256 * 1024) == bytes(range(256)) * 1024
          print('picture' if good else 'garbage')

      if sys.argv[1] == 'view':
          view(sys.argv[2])
          sys.exit(0)
      family, name = parse(sys.argv[2])
      listener = socket.socket(family)
      listener.bind(name)
      listener.listen(64)
      if family != socket.AF_UNIX:
          print('port %d' % listener.getsockname()[1], flush=True)
      print('listening', flush=True)

      def serve(s):
          with s:
              {'echo': echo, 'rfb': rfb}[sys.argv[1]](s)

      while True:
          threading.Thread(target=serve, args=[listener.accept()[0]], daemon=True).start()
      """;

  private Services() {}

  /** Puts the program at a place. */
  static void install(Place place) {
    Path program = place.path(program(place));
    try {
      Files.writeString(program, PROGRAM);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    place.admin().run("chmod", "644", program(place)).ok();
  }

  private static String program(Place place) {
    return place.scratch() + "/services.py";
  }

  /** Starts a client, or a server and waits until it listens. The caller closes it. */
  static Proc start(Login login, String... arguments) {
    List<String> command = new ArrayList<>(List.of("python3", program(login.place())));
    command.addAll(List.of(arguments));
    Proc proc = login.start(command);
    if (!arguments[0].equals("view")) {
      try {
        proc.awaitLine("^listening");
      } catch (RuntimeException e) {
        proc.close();
        throw e;
      }
    }
    return proc;
  }

  /** The port of a server that chose one. */
  static String port(Proc server) {
    return server.awaitLine("^port ([0-9]+)").group(1);
  }

  /** The JDK's HTTP server over a directory, on a free port of 127.0.0.1. The caller closes it. */
  static Proc web(Login login, String directory) {
    return login.start(
        login.place().javaHome() + "/bin/jwebserver",
        "-b",
        "127.0.0.1",
        "-p",
        "0",
        "-d",
        directory);
  }

  /** The port of {@link #web}. */
  static String webPort(Proc web) {
    return web.awaitLine("http://127\\.0\\.0\\.1:([0-9]+)/").group(1);
  }
}
