package org.tpforward.agent.link;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KnownHostsTest {
  @TempDir Path directory;

  private List<KnownHosts.Entry> entries(String host, String... lines) throws IOException {
    Path file = directory.resolve("known_hosts");
    Files.write(file, List.of(lines));
    return KnownHosts.read(List.of(file, directory.resolve("missing"))).of(host);
  }

  @Test
  void findsNamesListsPatternsAndPorts() throws IOException {
    assertThat(entries("b.example", "a,B.example ssh-ed25519 AAAA")).hasSize(1);
    assertThat(entries("x.example", "*.example,!y.example ssh-ed25519 AAAA")).hasSize(1);
    assertThat(entries("y.example", "*.example,!y.example ssh-ed25519 AAAA")).isEmpty();
    assertThat(entries("[a]:2222", "a ssh-ed25519 AAAA", "[a]:2222 ssh-rsa AAAA"))
        .extracting(KnownHosts.Entry::type)
        .containsExactly("ssh-rsa");
  }

  @Test
  void readsMarkersAndWhereALineStands() throws IOException {
    assertThat(
            entries(
                "a",
                "# comment",
                "@revoked * ssh-rsa AAAA comment",
                "@cert-authority a ssh-ed25519 BBBB",
                "  a ssh-ed25519 CCCC  two words "))
        .containsExactly(
            new KnownHosts.Entry(
                KnownHosts.Kind.REVOKED, "ssh-rsa", "AAAA", directory + "/known_hosts:2"),
            new KnownHosts.Entry(
                KnownHosts.Kind.AUTHORITY, "ssh-ed25519", "BBBB", directory + "/known_hosts:3"),
            new KnownHosts.Entry(
                KnownHosts.Kind.HOST, "ssh-ed25519", "CCCC", directory + "/known_hosts:4"));
  }

  @Test
  void leavesOutWhatItDoesNotUnderstand() throws IOException {
    assertThat(
            entries(
                "a",
                "a",
                "a ssh-rsa",
                "a ssh-rsa no*base64",
                "@new a ssh-rsa AAAA",
                "|1|x ssh-rsa AAAA",
                "|1||| ssh-rsa AAAA",
                "|1|!|AAAA ssh-rsa AAAA",
                "\u00e9\u00ff"))
        .isEmpty();
  }

  @Test
  void findsAHashedNameThatItWroteItself() throws IOException {
    byte[] salt = "12345678901234567890".getBytes(StandardCharsets.US_ASCII);
    String hashed = KnownHosts.hashed("[Host]:22", salt);
    assertThat(hashed).startsWith("|1|" + Base64.getEncoder().encodeToString(salt) + "|");
    assertThat(entries("[host]:22", hashed + " ssh-rsa AAAA")).hasSize(1);
    assertThat(entries("[other]:22", hashed + " ssh-rsa AAAA")).isEmpty();
  }

  @Test
  void appendsALineOfItsOwnEvenToAFileWithoutALastLineFeed() throws IOException {
    Path file = directory.resolve("ssh/known_hosts");
    byte[] key = {0, 0, 0};
    KnownHostsFile.append(file, "A", false, "ssh-rsa", key);
    Files.writeString(file, Files.readString(file).strip());
    KnownHostsFile.append(file, "b", false, "ssh-rsa", key);
    assertThat(file).hasContent("a ssh-rsa AAAA\nb ssh-rsa AAAA\n");
    assertThat(Files.getPosixFilePermissions(file)).hasToString("[OWNER_READ, OWNER_WRITE]");
  }

  @Test
  void aPatternOfManyStarsTakesNoExponentialTime() {
    assertThat(Wildcards.matchesList(List.of("*a".repeat(200) + "b"), "a".repeat(5000))).isFalse();
  }
}
