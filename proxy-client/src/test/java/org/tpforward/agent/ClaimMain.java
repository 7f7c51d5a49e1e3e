package org.tpforward.agent;

import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/** Claims a name, says so, and keeps it until its standard input ends. */
final class ClaimMain {
  private ClaimMain() {}

  public static void main(String[] arguments) throws Exception {
    try (RuntimeDirectory directory =
            RuntimeDirectory.claim(Path.of(arguments[0]), arguments[1], false);
        ServerSocketChannel bus = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      bus.bind(UnixDomainSocketAddress.of(directory.bus()));
      Files.writeString(directory.socket(), "a forward's");
      System.out.println("claimed");
      int _ = System.in.read();
    } catch (AgentException e) {
      System.out.println("refused " + e.exitCode() + " " + e.line());
    }
  }
}
