package org.tpforward.telepathy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.common.net.InetAddresses;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tpforward.dbus.BusAddress;
import org.tpforward.dbus.Value;
import org.tpforward.socket.Endpoint;

/** Addresses as they cross the bus. */
class AddressesTest {
  @Test
  void aUnixPathIsItsBytes() throws Exception {
    Endpoint endpoint = new Endpoint.UnixPath("/tmp/gäbble/socket");
    assertThat(Addresses.parse(AddressType.UNIX, Addresses.toValue(endpoint))).isEqualTo(endpoint);
  }

  @Test
  void aUnixPathMayEndWithTheNulOfItsCString() throws Exception {
    assertThat(Addresses.parse(AddressType.UNIX, bytes("/tmp/s\0")))
        .isEqualTo(new Endpoint.UnixPath("/tmp/s"));
  }

  @Test
  void anAbstractNameHasOneNulBeforeIt() throws Exception {
    Endpoint endpoint = new Endpoint.UnixAbstract("name");
    assertThat(Addresses.toValue(endpoint)).isEqualTo(bytes("\0name"));
    assertThat(Addresses.parse(AddressType.ABSTRACT_UNIX, bytes("\0name"))).isEqualTo(endpoint);
  }

  @Test
  void anIpAddressIsHostAndPort() throws Exception {
    Endpoint v4 = new Endpoint.Ip(InetAddresses.forString("127.0.0.1"), 4711);
    Endpoint v6 = new Endpoint.Ip(InetAddresses.forString("::1"), 4711);
    assertThat(Addresses.parse(AddressType.IPV4, Addresses.toValue(v4))).isEqualTo(v4);
    assertThat(Addresses.parse(AddressType.IPV6, Addresses.toValue(v6))).isEqualTo(v6);
  }

  @Test
  void aVariantOfAnAddressIsReadToo() throws Exception {
    assertThat(Addresses.parse(AddressType.UNIX, new Value.Variant(bytes("/tmp/s"))))
        .isEqualTo(new Endpoint.UnixPath("/tmp/s"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "relative/path", "/tmp/a\0b", "\0abstract"})
  void whatIsNoPathIsRefused(String path) {
    refused(AddressType.UNIX, bytes(path));
  }

  @Test
  void aPathThatFitsIntoNoSocketAddressIsRefused() throws Exception {
    refused(AddressType.UNIX, bytes("/" + "x".repeat(107)));
    assertThat(Addresses.parse(AddressType.UNIX, bytes("/" + "x".repeat(106)))).isNotNull();
    refused(AddressType.UNIX, bytes("/" + "x".repeat(199)));
  }

  @Test
  void aPathThatIsNotUtf8IsRefused() {
    refused(AddressType.UNIX, Value.of(new byte[] {'/', (byte) 0xff, 'x'}));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "\0", "name", "\0a\0b"})
  void whatIsNoAbstractNameIsRefused(String name) {
    refused(AddressType.ABSTRACT_UNIX, bytes(name));
  }

  @ParameterizedTest
  @ValueSource(strings = {"localhost", "example.org", "", "127.1", "::1", "127.0.0.1/8"})
  void aHostThatIsNoIpv4AddressIsRefusedAndNeverResolved(String host) {
    refused(AddressType.IPV4, ip(host, 80));
  }

  @Test
  void aPortMayBeWrittenAsDbusGlibDoes() throws Exception {
    Endpoint v6 = new Endpoint.Ip(InetAddresses.forString("::1"), 65535);
    assertThat(Addresses.parse(AddressType.IPV6, wide("::1", 65535))).isEqualTo(v6);
  }

  @Test
  void aPortOutsideItsRangeIsRefused() {
    refused(AddressType.IPV4, ip("127.0.0.1", 0));
    refused(AddressType.IPV4, wide("127.0.0.1", 0));
    refused(AddressType.IPV4, wide("127.0.0.1", 65536));
    refused(AddressType.IPV4, wide("127.0.0.1", 0xffff_ffffL));
  }

  @Test
  void anAddressOfAnotherShapeIsRefused() {
    refused(AddressType.IPV4, Value.of("127.0.0.1:80"));
    refused(AddressType.IPV4, new Value.Struct(List.of(Value.of("127.0.0.1"), Value.of("80"))));
    refused(AddressType.UNIX, Value.of("/tmp/s"));
    refused(AddressType.UNIX, ip("127.0.0.1", 80));
    refused(AddressType.IPV6, ip("127.0.0.1", 80));
  }

  @Test
  void aBusListensWhereAnEndpointCanBe() throws Exception {
    assertThat(ofBus("unix:path=/a%20b")).contains(new Endpoint.UnixPath("/a b"));
    assertThat(ofBus("unix:abstract=x,guid=00")).contains(new Endpoint.UnixAbstract("x"));
    assertThat(ofBus("tcp:host=localhost,port=70"))
        .contains(new Endpoint.Ip(InetAddresses.forString("127.0.0.1"), 70));
    assertThat(ofBus("tcp:host=%3a%3a1,port=70"))
        .contains(new Endpoint.Ip(InetAddresses.forString("::1"), 70));
    for (String none :
        new String[] {
          "unix:path=relative",
          "unix:path=/" + "x".repeat(107),
          "unix:tmpdir=/tmp",
          "tcp:host=192.0.2.1,port=70",
          "tcp:host=example.org,port=70",
          "tcp:host=127.0.0.1",
          "tcp:host=127.0.0.1,port=0",
          "tcp:host=127.0.0.1,port=65536",
          "unixexec:path=/bin/sh"
        }) {
      assertThat(ofBus(none)).as(none).isEmpty();
    }
  }

  private static Optional<Endpoint> ofBus(String address) throws Exception {
    return Addresses.ofBus(BusAddress.parse(address).getFirst());
  }

  private static void refused(AddressType type, Value value) {
    assertThatThrownBy(() -> Addresses.parse(type, value))
        .isInstanceOfSatisfying(
            TelepathyException.class,
            e ->
                assertThat(e.errorName())
                    .isEqualTo("org.freedesktop.Telepathy.Error.InvalidArgument"));
  }

  private static Value bytes(String text) {
    return Value.of(text.getBytes(StandardCharsets.UTF_8));
  }

  private static Value wide(String host, long port) {
    return new Value.Struct(List.of(Value.of(host), Value.u(port)));
  }

  private static Value ip(String host, int port) {
    return new Value.Struct(List.of(Value.of(host), Value.q(port)));
  }
}
