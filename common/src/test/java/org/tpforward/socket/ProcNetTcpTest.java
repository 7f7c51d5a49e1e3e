package org.tpforward.socket;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.StringReader;
import java.net.InetAddress;
import java.nio.ByteOrder;
import java.util.Objects;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

/** On lines that a kernel wrote. */
class ProcNetTcpTest {
  private static final String TCP =
      """
        sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
         0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 181436 1 0000000000000000 100 0 0 10 0
         1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 181500 1 0000000000000000 20 4 30 10 -1
         2: 0100007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000 12345        0 181499 1 0000000000000000 20 4 30 10 -1
         3: 0100007F:C351 0100007F:1F90 04 00000000:00000000 01:00000014 00000000     0        0 0 2 0000000000000000
         4: 0100007F:C352 0100007F:1F91 01 00000000:00000000 00:00000000 00000000  1000        0 181501 1 0000000000000000
         5: 0200007F:C353 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1001        0 181502 1 0000000000000000
         6: 0100007F:C354 0100007F:1F90 01 00000000:00000000 00:00000000 00000000 4294967294        0 181503 1 0000000000000000
      """;

  private static final String TCP6 =
      """
        sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
         0: 00000000000000000000000001000000:C350 00000000000000000000000001000000:1F90 01 00000000:00000000 00:00000000 00000000  1002        0 181600 1 0000000000000000
         1: 0000000000000000FFFF00000100007F:C360 0000000000000000FFFF00000100007F:1F90 01 00000000:00000000 00:00000000 00000000  1003        0 181601 1 0000000000000000
      """;

  @Test
  void theUserIsTheOneOfTheConnectingSocket() throws Exception {
    assertThat(owner(TCP, "127.0.0.1", 50000, "127.0.0.1", 8080)).hasValue(12345);
  }

  @Test
  void theAcceptedSocketIsNotTakenForTheConnectingOne() throws Exception {
    assertThat(owner(TCP, "127.0.0.1", 8080, "127.0.0.1", 50001)).isEmpty();
  }

  @Test
  void whoWroteAndClosedAlreadyIsStillKnownWhereTheKernelKeepsIt() throws Exception {
    String closed =
        "  0: 0100007F:C351 0100007F:1F90 04 00002000:00000000 01:00000014 00000000  1000        0"
            + " 0 2 0000000000000000\n";
    assertThat(owner(closed, "127.0.0.1", 50001, "127.0.0.1", 8080)).hasValue(1000);
  }

  @Test
  void aSocketWithoutInodeThatShowsRootIsNobodys() throws Exception {
    assertThat(owner(TCP, "127.0.0.1", 50001, "127.0.0.1", 8080)).isEmpty();
  }

  @Test
  void portAndAddressOfBothEndsCount() throws Exception {
    assertThat(owner(TCP, "127.0.0.1", 50002, "127.0.0.1", 8080)).isEmpty();
    assertThat(owner(TCP, "127.0.0.1", 50003, "127.0.0.1", 8080)).isEmpty();
    assertThat(owner(TCP, "127.0.0.2", 50003, "127.0.0.1", 8080)).hasValue(1001);
  }

  @Test
  void uidsAreUnsigned() throws Exception {
    assertThat(owner(TCP, "127.0.0.1", 50004, "127.0.0.1", 8080)).hasValue(4294967294L);
  }

  @Test
  void anIpv6AddressIsFourWords() throws Exception {
    assertThat(owner(TCP6, "::1", 50000, "::1", 8080)).hasValue(1002);
  }

  @Test
  void aMappedAddressIsAnIpv4One() throws Exception {
    assertThat(owner(TCP6, "127.0.0.1", 50016, "127.0.0.1", 8080)).hasValue(1003);
  }

  @Test
  void onABigEndianMachineTheWordsStandAsTheyAre() {
    ProcNetTcp.Entry entry =
        Objects.requireNonNull(
            ProcNetTcp.parse(
                " 2: 7F000001:C350 7F000001:1F90 01 00000000:00000000 00:00000000 00000000 7 0 9 1",
                ByteOrder.BIG_ENDIAN));
    assertThat(entry.local())
        .isEqualTo(ProcNetTcp.End.of(new Endpoint.Ip(InetAddress.getLoopbackAddress(), 50000)));
  }

  @Test
  void whatIsNoLineIsPassedOver() {
    for (String line :
        new String[] {
          "",
          "   ",
          "0:",
          "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid",
          " 2: 0100007F-C350 0100007F:1F90 01 0:0 0:0 0 1 0 9 1",
          " 2: 0100007F:GGGG 0100007F:1F90 01 0:0 0:0 0 1 0 9 1",
          " 2: 0100007F:C350 01007F:1F90 01 0:0 0:0 0 1 0 9 1",
          " 2: 0100007F:C350 0100007F:1F90 01 0:0 0:0 0 root 0 9 1",
        }) {
      assertThat(ProcNetTcp.parse(line, ByteOrder.LITTLE_ENDIAN)).as(line).isNull();
    }
  }

  @Test
  void aTableOfManySocketsIsReadToItsEnd() throws Exception {
    String table = "  0: 0100007F:0016 0100007F:0017 01 0:0 0:0 0 1 0 9 1\n".repeat(50_000) + TCP;
    assertThat(owner(table, "127.0.0.1", 50000, "127.0.0.1", 8080)).hasValue(12345);
  }

  @Test
  void anEndlessLineCostsNoMemory() throws Exception {
    String line = "x".repeat(10_000_000) + "\n" + TCP;
    assertThat(owner(line, "127.0.0.1", 50000, "127.0.0.1", 8080)).hasValue(12345);
  }

  private static OptionalLong owner(
      String table, String client, int clientPort, String server, int serverPort) throws Exception {
    return ProcNetTcp.owner(
        new StringReader(table),
        new Endpoint.Ip(InetAddress.ofLiteral(client), clientPort),
        new Endpoint.Ip(InetAddress.ofLiteral(server), serverPort),
        ByteOrder.LITTLE_ENDIAN);
  }
}
