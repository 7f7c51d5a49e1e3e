package org.tpforward.agent.telepathy;

/** Who is told how a transfer goes on. For any number of threads. */
public interface Progress {
  /** Something that the user may want to know. */
  void line(String text);

  /**
   * A transfer begins.
   *
   * @param label what is transferred, for people
   * @param size bytes of the file, -1 if nobody knows
   * @param offset bytes that are there already
   */
  Meter begin(String label, long size, long offset);

  /**
   * Something begins that has to be done before a transfer, and is worth a line only where it goes
   * away again.
   */
  Meter prepare(String label, long size);

  /** One transfer. */
  interface Meter extends AutoCloseable {
    /** That many bytes of the file are there, or have been sent. Cheap, may be called often. */
    void at(long position);

    /** The transfer has ended, well or not. */
    @Override
    void close();
  }
}
