package org.tpforward.dbus;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.EOFException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Damaged input of every kind, the same in each run: it is either refused in the one way that
 * callers expect, or understood so well that it is written again byte for byte; and it never costs
 * memory out of proportion.
 */
class MutationTest {
  private static final int MESSAGES = 250_000;
  private static final int DIALOGUES = 40_000;
  private static final String GUID = "0123456789abcdef0123456789abcdef";
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  /** For one input: far below the lengths that it may promise, far above loading a class. */
  private static final long MOST = 4 << 20;

  /** On average: the buffers that a small message needs, and a stack trace. */
  private static final long USUAL = 64 << 10;

  private interface Attempt {
    void run() throws IOException;
  }

  /** Counts what was accepted and what was refused; anything else fails the test. */
  private static final class Tally {
    int accepted;
    int refused;
    long allocated;

    void attempt(String name, int number, Attempt attempt) {
      long before = THREADS.getCurrentThreadAllocatedBytes();
      try {
        attempt.run();
        accepted++;
      } catch (ProtocolException | EOFException | AuthenticationException e) {
        refused++;
      } catch (IOException | RuntimeException | Error e) {
        throw new AssertionError(name + " " + number, e);
      }
      long used = THREADS.getCurrentThreadAllocatedBytes() - before;
      allocated += used;
      if (used > MOST) {
        throw new AssertionError(name + " " + number + " took " + used + " bytes");
      }
    }

    /** Neither side may be so rare that the other is all that was tried. */
    void check(int total, double accepted) {
      assertThat(this.accepted + refused).isEqualTo(total);
      assertThat(this.accepted).isGreaterThan((int) (total * accepted));
      assertThat(refused).isGreaterThan(total / 3);
      assertThat(allocated / total).isLessThan(USUAL);
    }
  }

  private static byte[] message(Random random, RandomValues values) {
    ByteOrder order = random.nextBoolean() ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN;
    byte[] body;
    List<Value> list;
    do {
      list = values.body();
    } while (Body.signature(list).length() > Limits.SIGNATURE);
    body = Body.encode(order, list);
    RawHeader header =
        new RawHeader(order)
            .type(1 + random.nextInt(4))
            .text(1, "o", "/a/b")
            .text(2, "s", "org.example.I")
            .text(3, "s", "M")
            .text(4, "s", "a.b.E")
            .number(5, 9)
            .text(7, "s", ":1.2");
    if (random.nextInt(4) == 0) {
      header.field(new RawBytes(order).u8(99).sig("as").pad(4).u32(6).str("x").toArray());
    }
    byte[] raw = header.body(Body.signature(list), body.length).toArray();
    return ByteBuffer.allocate(raw.length + body.length).put(raw).put(body).array();
  }

  @Test
  void damagedMessagesAreRefusedOrUnderstood() {
    Random random = new Random(20250911);
    RandomValues values = new RandomValues(random);
    Mutator mutator = new Mutator(random);
    Tally tally = new Tally();
    int[] bodies = new int[1];
    byte[] original = message(random, values);
    for (int i = 0; i < MESSAGES; i++) {
      if (i % 50 == 0) {
        original = message(random, values);
      }
      byte[] input = mutator.mutate(original);
      int piece = 1 + random.nextInt(2 * input.length + 1);
      tally.attempt("message", i, () -> bodies[0] += read(input, piece));
    }
    tally.check(MESSAGES, 0.02);
    assertThat(bodies[0]).isGreaterThan(MESSAGES / 50);
  }

  /** Reads all messages, and checks what was accepted; how many bodies. */
  private static int read(byte[] input, int piece) throws IOException {
    MessageReader reader = new MessageReader(new ScriptedChannel(input, piece));
    Header header;
    int bodies = 0;
    while ((header = reader.next()) != null) {
      assertThat(Header.parse(header.raw())).isEqualTo(header);
      byte[] body = reader.readBody(1 << 20);
      List<Value> values = Body.decode(header.signature(), header.order(), body);
      assertThat(Body.signature(values)).isEqualTo(header.signature());
      assertThat(Body.encode(header.order(), values)).isEqualTo(body);
      bodies++;
    }
    return bodies;
  }

  @Test
  void undamagedBodiesReadBackAsTheyWereWritten() throws Exception {
    Random random = new Random(7);
    RandomValues values = new RandomValues(random);
    for (int i = 0; i < 5_000; i++) {
      List<Value> list = values.body();
      if (Body.signature(list).length() > Limits.SIGNATURE) {
        continue;
      }
      for (ByteOrder order : List.of(ByteOrder.LITTLE_ENDIAN, ByteOrder.BIG_ENDIAN)) {
        byte[] body = Body.encode(order, list);
        assertThat(Body.decode(Body.signature(list), order, body)).isEqualTo(list);
      }
    }
  }

  @Test
  void damagedDialoguesLetNobodyInByAccident() {
    String[] clients = {
      "\0AUTH EXTERNAL 31303030\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\nl\1\0\1",
      "\0AUTH\r\nAUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n",
      "\0AUTH ANONYMOUS\r\nCANCEL\r\nAUTH EXTERNAL\r\nDATA 31303030\r\nBEGIN\r\nB",
    };
    Random random = new Random(11);
    Mutator mutator = new Mutator(random);
    Tally tally = new Tally();
    for (int i = 0; i < DIALOGUES; i++) {
      byte[] original = clients[i % clients.length].getBytes(StandardCharsets.ISO_8859_1);
      byte[] input = mutator.mutate(original);
      int piece = 1 + random.nextInt(40);
      tally.attempt(
          "dialogue",
          i,
          () -> {
            ScriptedChannel channel = new ScriptedChannel(input, piece);
            SaslServer.authenticate(channel, 1000, u -> true, GUID, Duration.ofHours(1));
            assertThat(channel.said()).contains("OK " + GUID);
          });
      // And whoever is not allowed stays out, whatever the bytes.
      tally.attempt(
          "stranger",
          i,
          () -> {
            ScriptedChannel channel = new ScriptedChannel(input, piece);
            try {
              SaslServer.authenticate(channel, 1001, u -> u == 1000, GUID, Duration.ofHours(1));
            } finally {
              assertThat(channel.said()).doesNotContain("OK");
            }
            throw new AssertionError("a stranger is in");
          });
    }
    tally.check(2 * DIALOGUES, 0.05);
  }

  @Test
  void damagedServersAreRefusedOrUnderstood() {
    String[] servers = {
      "DATA\r\nOK " + GUID + "\r\nl\4\1\1", "REJECTED EXTERNAL ANONYMOUS\r\nOK " + GUID + "\r\n"
    };
    Random random = new Random(12);
    Mutator mutator = new Mutator(random);
    Tally tally = new Tally();
    for (int i = 0; i < DIALOGUES; i++) {
      byte[] input =
          mutator.mutate(servers[i % servers.length].getBytes(StandardCharsets.ISO_8859_1));
      int piece = 1 + random.nextInt(40);
      tally.attempt("server", i, () -> SaslClient.external(new ScriptedChannel(input, piece)));
      tally.attempt(
          "tube", i, () -> SaslClient.externalThenAnonymous(new ScriptedChannel(input, piece)));
    }
    tally.check(2 * DIALOGUES, 0.05);
  }

  @Test
  void damagedAddressesAreRefusedOrUnderstood() {
    byte[] original =
        "unix:path=/run/user/1000/bus,guid=0123;unix:abstract=%2ftmp%2fx;tcp:host=::1,port=1;"
            .getBytes(StandardCharsets.ISO_8859_1);
    Mutator mutator = new Mutator(new Random(13));
    Tally tally = new Tally();
    for (int i = 0; i < DIALOGUES; i++) {
      byte[] input = mutator.mutate(original);
      tally.attempt(
          "address",
          i,
          () -> {
            List<BusAddress> list =
                BusAddress.parse(new String(input, StandardCharsets.ISO_8859_1));
            assertThat(BusAddress.parse(BusAddress.format(list))).isEqualTo(list);
          });
    }
    tally.check(DIALOGUES, 0.05);
  }
}
