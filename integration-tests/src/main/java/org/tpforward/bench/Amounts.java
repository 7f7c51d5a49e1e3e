package org.tpforward.bench;

/**
 * How much is measured.
 *
 * @param pairs how often each of the two is measured, after a warm-up
 * @param streamMib MiB of one stream
 * @param coldMib MiB of the first stream after a start
 * @param farMib MiB of a stream from far away
 * @param pings round trips
 * @param connections one after the other or at once, in all
 * @param held channels open at once
 * @param signals signals of 1 KiB
 * @param memoryMib MiB before memory is looked at, half of it each way
 */
record Amounts(
    int pairs,
    int streamMib,
    int coldMib,
    int farMib,
    int pings,
    int connections,
    int held,
    int signals,
    int memoryMib) {
  /** For figures that mean something. */
  static final Amounts FULL = new Amounts(5, 1024, 256, 256, 5000, 7680, 1000, 20_000, 4096);

  /** To see that all of it works. */
  static final Amounts TINY = new Amounts(1, 4, 1, 1, 50, 64, 20, 100, 8);

  /** With another number of pairs. */
  Amounts withPairs(int number) {
    return new Amounts(
        number, streamMib, coldMib, farMib, pings, connections, held, signals, memoryMib);
  }

  /** With another size of one stream, in MiB. */
  Amounts withSize(int mib) {
    return new Amounts(pairs, mib, coldMib, farMib, pings, connections, held, signals, memoryMib);
  }
}
