package org.tpforward.ssh;

import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.sshd.client.kex.DHGClient;
import org.apache.sshd.common.digest.BuiltinDigests;
import org.apache.sshd.common.digest.Digest;
import org.apache.sshd.common.kex.AbstractDH;
import org.apache.sshd.common.kex.BuiltinDHFactories;
import org.apache.sshd.common.kex.BuiltinKEM;
import org.apache.sshd.common.kex.DHFactory;
import org.apache.sshd.common.kex.KeyEncapsulationMethod;
import org.apache.sshd.common.kex.KeyExchangeFactory;
import org.apache.sshd.common.kex.MontgomeryCurve;
import org.apache.sshd.common.kex.XDH;
import org.jspecify.annotations.Nullable;

/**
 * The client's half of a key exchange with sntrup761, made before a server is there: in a JVM that
 * has just started it takes as long as all the rest of the connection. Each half is used once, by
 * the exchange that asks first; later ones make their own. Safe for threads.
 */
final class EarlyKeys implements DHFactory {
  private static final AtomicReference<@Nullable CompletableFuture<Half>> EARLY =
      new AtomicReference<>();

  private final DHFactory original;

  private EarlyKeys(DHFactory original) {
    this.original = original;
  }

  /**
   * Makes one; blocks for that. To be called by a thread that has nothing better to do.
   *
   * @return false if there is one already
   */
  static boolean make() throws Exception {
    CompletableFuture<Half> early = new CompletableFuture<>();
    if (!EARLY.compareAndSet(null, early)) {
      return false;
    }
    try {
      return early.complete(new Half());
    } finally {
      // If there is none: whoever waits makes his own.
      early.cancel(false);
    }
  }

  /** The same exchange, which uses the early half if there is one. */
  static KeyExchangeFactory using(KeyExchangeFactory exchange) {
    DHFactory original = BuiltinDHFactories.fromFactoryName(exchange.getName());
    boolean known =
        original == BuiltinDHFactories.sntrup761x25519
            || original == BuiltinDHFactories.sntrup761x25519_openssh;
    return known ? DHGClient.newFactory(new EarlyKeys(original)) : exchange;
  }

  @Override
  public String getName() {
    return original.getName();
  }

  @Override
  public boolean isSupported() {
    return original.isSupported();
  }

  @Override
  public boolean isGroupExchange() {
    return original.isGroupExchange();
  }

  /** Waits for the early half if it is being made. */
  @Override
  public AbstractDH create(Object... parameters) throws Exception {
    CompletableFuture<Half> early = EARLY.getAndSet(null);
    if (early == null || parameters.length > 0) {
      return original.create(parameters);
    }
    try {
      return early.join();
    } catch (CancellationException e) {
      return original.create();
    }
  }

  /** What MINA makes for these exchanges, with both of its keys. */
  private static final class Half extends XDH {
    private final KeyEncapsulationMethod.Client client;

    Half() throws Exception {
      super(MontgomeryCurve.x25519, true);
      client = BuiltinKEM.sntrup761.getClient();
      client.init();
      getE();
    }

    @Override
    public Digest getHash() {
      return BuiltinDigests.sha512.create();
    }

    @Override
    public KeyEncapsulationMethod getKeyEncapsulation() {
      return new KeyEncapsulationMethod() {
        @Override
        public Client getClient() {
          return new Ready(client);
        }

        @Override
        public Server getServer() {
          throw new UnsupportedOperationException();
        }
      };
    }
  }

  /** A client that has its key already. */
  private record Ready(KeyEncapsulationMethod.Client client)
      implements KeyEncapsulationMethod.Client {
    @Override
    public void init() {
      // It has been.
    }

    @Override
    public byte[] getPublicKey() {
      return client.getPublicKey();
    }

    @Override
    public byte[] extractSecret(byte[] encapsulated) {
      return client.extractSecret(encapsulated);
    }

    @Override
    public int getEncapsulationLength() {
      return client.getEncapsulationLength();
    }
  }
}
