package org.tpforward.ssh;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.apache.sshd.client.ClientBuilder;
import org.apache.sshd.common.NamedFactory;
import org.apache.sshd.common.NamedResource;
import org.apache.sshd.common.cipher.BuiltinCiphers;
import org.apache.sshd.common.cipher.Cipher;
import org.apache.sshd.common.kex.KeyExchangeFactory;
import org.apache.sshd.common.mac.BuiltinMacs;
import org.apache.sshd.common.mac.Mac;
import org.apache.sshd.common.signature.Signature;
import org.apache.sshd.server.ServerBuilder;

/** Which algorithms are used, and in which order. SHA-1 is in none of them. */
final class Algorithms {
  private static final String FIRST_KEX = "mlkem768x25519-sha256";

  private Algorithms() {}

  /** AES-GCM runs in hardware where there is some, and chacha20 is plain Java. */
  static List<NamedFactory<Cipher>> ciphers() {
    return ciphers(cpuHasAes());
  }

  static List<NamedFactory<Cipher>> ciphers(boolean aes) {
    List<NamedFactory<Cipher>> gcm = List.of(AesGcm.factory(128), AesGcm.factory(256));
    List<NamedFactory<Cipher>> chacha = List.of(BuiltinCiphers.cc20p1305_openssh);
    List<NamedFactory<Cipher>> ctr =
        List.of(BuiltinCiphers.aes256ctr, BuiltinCiphers.aes192ctr, BuiltinCiphers.aes128ctr);
    return Stream.of(aes ? gcm : chacha, aes ? chacha : gcm, ctr).flatMap(List::stream).toList();
  }

  /** For a client: servers of all ages. */
  static List<NamedFactory<Mac>> clientMacs() {
    return Stream.concat(
            serverMacs().stream(), Stream.of(BuiltinMacs.hmacsha256, BuiltinMacs.hmacsha512))
        .toList();
  }

  /** Encrypt-then-MAC only. */
  static List<NamedFactory<Mac>> serverMacs() {
    return List.of(BuiltinMacs.hmacsha256etm, BuiltinMacs.hmacsha512etm);
  }

  /** OpenSSH's first choice first: it is as safe as sntrup761, and much faster in Java. */
  static List<KeyExchangeFactory> clientKeyExchanges() {
    return fastFirst(withoutSha1(ClientBuilder.setUpDefaultKeyExchanges(true))).stream()
        .map(EarlyKeys::using)
        .toList();
  }

  /**
   * Elliptic curves, alone or with a post-quantum mechanism, and the large groups of RFC 8268 for
   * who has neither. Not those where client and server agree on a group first: a server would have
   * to find them.
   */
  static List<KeyExchangeFactory> serverKeyExchanges() {
    return fastFirst(
        withoutSha1(ServerBuilder.setUpDefaultKeyExchanges(true)).stream()
            .filter(exchange -> isStrong(exchange.getName()))
            .toList());
  }

  private static boolean isStrong(String name) {
    return !name.startsWith("diffie-hellman-")
        || name.startsWith("diffie-hellman-group16-")
        || name.startsWith("diffie-hellman-group18-");
  }

  private static List<KeyExchangeFactory> fastFirst(List<KeyExchangeFactory> exchanges) {
    return exchanges.stream()
        .sorted(Comparator.comparing(exchange -> !exchange.getName().equals(FIRST_KEX)))
        .toList();
  }

  /** For a client. */
  static List<NamedFactory<Signature>> clientSignatures() {
    return withoutSha1(ClientBuilder.setUpDefaultSignatureFactories(true));
  }

  /** For a server: of host keys, users' keys and certificates. */
  static List<NamedFactory<Signature>> serverSignatures() {
    return withoutSha1(ServerBuilder.setUpDefaultSignatureFactories(true));
  }

  private static <T extends NamedResource> List<T> withoutSha1(List<T> algorithms) {
    return algorithms.stream().filter(a -> !usesSha1(a.getName())).toList();
  }

  private static boolean usesSha1(String name) {
    return name.equals("ssh-rsa")
        || name.equals("ssh-dss")
        || name.startsWith("ssh-rsa-cert")
        || name.endsWith("sha1");
  }

  private static boolean cpuHasAes() {
    try (Stream<String> lines =
        Files.lines(Path.of("/proc/cpuinfo"), StandardCharsets.ISO_8859_1)) {
      return lines
          .filter(line -> line.startsWith("flags") || line.startsWith("Features"))
          .limit(1)
          .anyMatch(line -> List.of(line.split("\\s+", -1)).contains("aes"));
    } catch (IOException e) {
      // Not Linux: nearly everything else that runs a JDK 25 has AES.
      return true;
    }
  }
}
