package org.tpforward.ssh;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.apache.sshd.client.ClientBuilder;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.client.config.hosts.HostConfigEntryResolver;
import org.apache.sshd.client.keyverifier.ServerKeyVerifier;
import org.apache.sshd.common.NamedFactory;
import org.apache.sshd.common.NamedResource;
import org.apache.sshd.common.cipher.BuiltinCiphers;
import org.apache.sshd.common.cipher.Cipher;
import org.apache.sshd.common.kex.KeyExchangeFactory;
import org.apache.sshd.common.keyprovider.KeyIdentityProvider;
import org.apache.sshd.common.mac.BuiltinMacs;
import org.apache.sshd.core.CoreModuleProperties;
import org.apache.sshd.server.forward.RejectAllForwardingFilter;

/** Makes SSH clients whose defaults are safe and fast; MINA's own are neither. */
public final class SshClients {
  /** Fewer and larger packets cost less; MINA takes none above 256 KiB. */
  private static final long PACKET = 128 << 10;

  private static final String FIRST_KEX = "mlkem768x25519-sha256";
  private static final Duration FOR_EVER = Duration.ofDays(365);

  private SshClients() {}

  /**
   * A client over TCP. See {@link #newClient(ServerKeyVerifier, Dialer)}.
   *
   * @param verifier decides about the server's key
   */
  public static SshClient newClient(ServerKeyVerifier verifier) {
    return newClient(verifier, Dialer.tcp());
  }

  /**
   * A client that is not started yet. It has no keys, reads no configuration and asks nobody: the
   * caller sets what it wants of these, the heartbeat ({@link
   * CoreModuleProperties#HEARTBEAT_INTERVAL} and {@link
   * CoreModuleProperties#HEARTBEAT_NO_REPLY_MAX}, without which a dead link is never noticed) and
   * {@link CoreModuleProperties#IO_CONNECT_TIMEOUT}; starts it, and stops it.
   *
   * @param verifier decides about the server's key
   * @param dialer makes the connections
   */
  public static SshClient newClient(ServerKeyVerifier verifier, Dialer dialer) {
    SshClient client =
        ClientBuilder.builder()
            .serverKeyVerifier(verifier)
            .hostConfigEntryResolver(HostConfigEntryResolver.EMPTY)
            .cipherFactories(ciphers(cpuHasAes()))
            .macFactories(
                List.of(
                    BuiltinMacs.hmacsha256etm,
                    BuiltinMacs.hmacsha512etm,
                    BuiltinMacs.hmacsha256,
                    BuiltinMacs.hmacsha512))
            .signatureFactories(withoutSha1(ClientBuilder.setUpDefaultSignatureFactories(true)))
            .keyExchangeFactories(keyExchanges())
            .forwardingFilter(RejectAllForwardingFilter.INSTANCE)
            .channelFactories(
                List.of(
                    ForwardedChannel.factory(RemoteListeners.FORWARDED_STREAMLOCAL),
                    ForwardedChannel.factory(RemoteListeners.FORWARDED_TCPIP)))
            .build(true);
    client.setIoServiceFactoryFactory(new SocketTransport(dialer));
    client.setKeyIdentityProvider(KeyIdentityProvider.EMPTY_KEYS_PROVIDER);
    client.setReservedSessionMessagesHandler(DebugMessages.collector());
    CoreModuleProperties.IDLE_TIMEOUT.set(client, Duration.ZERO);
    CoreModuleProperties.WAIT_FOR_SPACE_TIMEOUT.set(client, FOR_EVER);
    // A CLOSE that waits behind other packets is not lost.
    CoreModuleProperties.CHANNEL_CLOSE_TIMEOUT.set(client, Duration.ofMinutes(5));
    CoreModuleProperties.MAX_PACKET_SIZE.set(client, PACKET);
    return client;
  }

  /** AES-GCM runs in hardware where there is some, and chacha20 is plain Java. */
  static List<NamedFactory<Cipher>> ciphers(boolean aes) {
    List<NamedFactory<Cipher>> gcm = List.of(AesGcm.factory(128), AesGcm.factory(256));
    List<NamedFactory<Cipher>> chacha = List.of(BuiltinCiphers.cc20p1305_openssh);
    List<NamedFactory<Cipher>> ctr =
        List.of(BuiltinCiphers.aes256ctr, BuiltinCiphers.aes192ctr, BuiltinCiphers.aes128ctr);
    return Stream.of(aes ? gcm : chacha, aes ? chacha : gcm, ctr).flatMap(List::stream).toList();
  }

  /** OpenSSH's first choice first: it is as safe as sntrup761, and much faster in Java. */
  private static List<KeyExchangeFactory> keyExchanges() {
    return withoutSha1(ClientBuilder.setUpDefaultKeyExchanges(true)).stream()
        .sorted(Comparator.comparing(exchange -> !exchange.getName().equals(FIRST_KEX)))
        .toList();
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
