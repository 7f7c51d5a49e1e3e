package org.tpforward.harness;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/**
 * A server that is none of SSH's: {@code NotSsh ADDRESS PORT} greets whoever connects as a mail
 * server does, and hangs up.
 */
public final class NotSsh {
  private NotSsh() {}

  /** Runs the program, which does not end by itself. */
  public static void main(String[] arguments) throws IOException {
    try (ServerSocket server =
        new ServerSocket(Integer.parseInt(arguments[1]), 5, InetAddress.getByName(arguments[0]))) {
      System.out.println("listening");
      while (true) {
        try (Socket socket = server.accept()) {
          socket
              .getOutputStream()
              .write("220 mail.example ESMTP\r\n".getBytes(StandardCharsets.US_ASCII));
        }
      }
    }
  }
}
