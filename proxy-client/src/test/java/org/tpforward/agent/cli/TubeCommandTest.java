package org.tpforward.agent.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tpforward.agent.AgentException;
import org.tpforward.agent.telepathy.TubeAcceptor;
import org.tpforward.socket.AllowedUids;
import picocli.CommandLine;

/** The commands of tubes, up to where they need a bus. */
final class TubeCommandTest {
  @TempDir Path directory;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "tube | a command is missing; see: tpforward tube --help",
        "tube fly | Unmatched argument at index 1: 'fly'; see: tpforward tube --help",
        "tube offer bob http | Missing required parameter: 'ADDRESS'; see: tpforward tube offer"
            + " --help",
        "tube offer bob http 10.0.0.1:80 | \"10.0.0.1:80\" is no address: only sockets of this"
            + " machine: 127.0.0.1 or [::1]",
        "tube offer bob http unix:/usr | \"unix:/usr\" is no address: /usr is no socket",
        "tube offer bob rfb 127.0.0.1:1 --param secret | --param: give KEY=VALUE, with a key",
        "tube offer bob rfb 127.0.0.1:1 --param =x | --param: give KEY=VALUE, with a key",
        "tube offer bob rfb 127.0.0.1:1 --param-file k= | --param-file k=: give KEY=FILE",
        "tube offer bob rfb 127.0.0.1:1 --param k=1 --param k=2 | the parameter k is given twice",
        "tube offer bob rfb 127.0.0.1:1 --param-ask k=v | --param-ask k=v: give a key alone",
        "tube accept bob rfb example.org:80 | \"example.org:80\" is no address: write HOST:PORT on"
            + " loopback, [::1]:PORT, unix:/PATH or unix:@NAME",
        "tube accept rfb 5900 | \"5900\" is no address: write 127.0.0.1:5900",
        "tube accept bob rfb 5900 | \"5900\" is no address: write HOST:PORT on loopback,"
            + " [::1]:PORT, unix:/PATH or unix:@NAME",
      })
  void whatMakesNoSenseIsOneLineAndStatus2(String line, String message) {
    Run run = Run.of(Map.of(), line.split(" "));
    assertThat(run).isEqualTo(new Run(2, "", "tpforward: " + message + "\n"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "rfb | | rfb | 127.0.0.1:0",
        "bob rfb | bob | rfb | 127.0.0.1:0",
        "rfb [::1]:5900 | | rfb | [::1]:5900",
        "rfb unix:/x | | rfb | unix:/x",
        "bob:b rfb unix:@x | bob:b | rfb | unix:@x",
      })
  void ofTwoWordsTheSecondIsAnAddressIfItHasAColon(
      String words, String contact, String service, String address) throws Exception {
    TubeAcceptor.Wanted wanted =
        TubeAcceptCommand.wanted(List.of(words.split(" ")), AllowedUids.own());
    assertThat(wanted.contact()).isEqualTo(contact);
    assertThat(wanted.service()).isEqualTo(service);
    assertThat(wanted.address()).hasToString(address);
  }

  @Test
  void aSecretComesFromAFileWithoutItsLineEnd() throws Exception {
    Path file = Files.writeString(directory.resolve("secret"), " geheim=ü \n");
    Path dos = Files.writeString(directory.resolve("dos"), "x\r\n");
    Path two = Files.writeString(directory.resolve("two"), "x\n\n");
    assertThat(
            parameters(
                    "--param=k==v",
                    "--param-file=p=" + file,
                    "--param-file=d=" + dos,
                    "--param-file=t=" + two,
                    "--param=empty=")
                .read())
        .containsExactlyInAnyOrderEntriesOf(
            Map.of("k", "=v", "p", " geheim=ü ", "d", "x", "t", "x\n", "empty", ""));
  }

  @Test
  void aSecretComesFromStandardInput() throws Exception {
    InputStream in = System.in;
    System.setIn(new ByteArrayInputStream("geheim\n".getBytes(StandardCharsets.UTF_8)));
    try {
      assertThat(parameters("--param-file=k=-").read()).isEqualTo(Map.of("k", "geheim"));
    } finally {
      System.setIn(in);
    }
  }

  @Test
  void whatIsNoTextOrTooMuchIsNoParameter() throws Exception {
    Path big = Files.write(directory.resolve("big"), new byte[65537]);
    assertThatThrownBy(() -> parameters("--param-file=k=" + big).read())
        .isInstanceOf(AgentException.class)
        .hasMessage(big + " has more than 65536 bytes, too many for a parameter");
    Path binary = Files.write(directory.resolve("binary"), new byte[] {(byte) 0xff});
    assertThatThrownBy(() -> parameters("--param-file=k=" + binary).read())
        .hasMessage(binary + " is not UTF-8, and so no parameter");
    Path nul = Files.write(directory.resolve("nul"), new byte[] {0});
    assertThatThrownBy(() -> parameters("--param-file=k=" + nul).read())
        .hasMessage("the parameter k holds a NUL");
    assertThatThrownBy(() -> parameters("--param-file=k=/nowhere").read())
        .hasMessageStartingWith("/nowhere cannot be read: ");
    assertThatThrownBy(() -> parameters("--param-file=k=-", "--param-file=l=-").read())
        .hasMessage("--param-file l=-: standard input is there once only");
  }

  private static TubeParameters parameters(String... arguments) {
    return CommandLine.populateCommand(new TubeParameters(), arguments);
  }
}
