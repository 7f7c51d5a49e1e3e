package org.tpforward.bench;

import java.util.List;

/** A way from the desktop to the sockets of the server: what is compared. */
interface Way extends AutoCloseable {
  /** Local sockets for so many files of {@code bytes}, from the CM; each takes one connection. */
  List<String> incoming(int count, long bytes);

  /** Local sockets for so many files of {@code bytes}, to the CM; each takes one connection. */
  List<String> outgoing(int count, long bytes);

  /** The local socket of a tube that echoes; takes any number of connections. */
  String echo();

  /** The local socket of the server's bus. */
  String bus();

  /** How long it took from its start until it could be used. */
  double startSeconds();

  /** Its process; 0 if it is none. */
  long pid();

  @Override
  void close();
}
