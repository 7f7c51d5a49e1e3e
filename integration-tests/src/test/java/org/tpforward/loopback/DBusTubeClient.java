package org.tpforward.loopback;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteOrder;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tpforward.dbus.Body;
import org.tpforward.dbus.BusAddress;
import org.tpforward.dbus.Header;
import org.tpforward.dbus.MessageReader;
import org.tpforward.dbus.MessageType;
import org.tpforward.dbus.MessageWriter;
import org.tpforward.dbus.SaslClient;
import org.tpforward.dbus.Value;

/** A client at the address of a D-Bus tube, past SASL: it says something, and hears others. */
record DBusTubeClient(SocketChannel channel, MessageReader reader, MessageWriter writer)
    implements AutoCloseable {
  private static final int SERIAL = 7;

  /** Connects, and says nothing yet. */
  static SocketChannel open(String address) throws IOException {
    BusAddress parsed = BusAddress.parse(address).get(0);
    return parsed.transport().equals("unix")
        ? SocketChannel.open(UnixDomainSocketAddress.of(String.valueOf(parsed.key("path"))))
        : SocketChannel.open(
            new InetSocketAddress(
                InetAddress.ofLiteral(String.valueOf(parsed.key("host"))),
                Integer.parseInt(String.valueOf(parsed.key("port")))));
  }

  static DBusTubeClient connect(String address) throws IOException {
    SocketChannel channel = open(address);
    SaslClient.Result in = SaslClient.externalThenAnonymous(channel, Duration.ofSeconds(30));
    return new DBusTubeClient(
        channel, new MessageReader(channel, in.leftOver()), new MessageWriter(channel));
  }

  void send(String text) throws IOException {
    send(text, null);
  }

  /**
   * Sends a signal.
   *
   * @param to whom alone it is for
   */
  void send(String text, @Nullable String to) throws IOException {
    byte[] body = Body.encode(ByteOrder.nativeOrder(), List.of(Value.of(text)));
    Header header =
        Header.builder(MessageType.SIGNAL)
            .serial(SERIAL)
            .path("/a")
            .interfaceName("a.b")
            .member("Said")
            .destination(to)
            .order(ByteOrder.nativeOrder())
            .signature("s")
            .build(body);
    writer.write(header, body);
    writer.flush();
  }

  /** Waits for the next message, which must be this one. */
  Header expect(String text) throws Exception {
    Header header = reader.next();
    if (header == null) {
      throw new AssertionError("the tube has ended");
    }
    assertThat(Body.decode("s", header.order(), reader.readBody(1000)))
        .containsExactly(Value.of(text));
    assertThat(header.member()).isEqualTo("Said");
    assertThat(header.serial()).isEqualTo(SERIAL);
    return header;
  }

  /** Waits for the end, before which nothing may come. */
  void expectEnd() throws IOException {
    assertThat(reader.next()).isNull();
  }

  /** Ends this direction. */
  void end() throws IOException {
    channel.shutdownOutput();
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
