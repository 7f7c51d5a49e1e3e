package org.tpforward.agent.bus;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.agent.forward.ChannelEvent;
import org.tpforward.dbus.Header;
import org.tpforward.dbus.MessageReader;
import org.tpforward.dbus.MessageType;
import org.tpforward.dbus.MessageWriter;
import org.tpforward.dbus.ProtocolException;
import org.tpforward.relay.Duplex;

/**
 * One client of the forwarded bus after SASL: messages both ways, each direction on a thread of its
 * own that blocks when the receiver does not read. Whatever ends one direction ends both, as it
 * does on a bus.
 */
final class BusClient {
  private static final Logger log = LoggerFactory.getLogger(BusClient.class);

  private final String name;
  private final Duration helloTimeout;
  private final Duplex client;
  private final Duplex bus;
  private final MessageReader fromClient;
  private final MessageReader fromBus;
  private final MessageWriter toClient;
  private final MessageWriter toBus;
  private final Translator translator;
  private final Consumer<ChannelEvent> delivered;
  private final CountDownLatch helloAnswered = new CountDownLatch(1);
  private final AtomicBoolean ended = new AtomicBoolean();

  /**
   * @param name how logs call it
   * @param helloTimeout how long what follows Hello waits for the reply to it
   * @param clientAhead what the client sent behind its SASL exchange
   * @param busAhead what the bus sent behind its own
   * @param delivered told of each channel event after it has been written to the client
   */
  BusClient(
      String name,
      Duration helloTimeout,
      Duplex client,
      ByteBuffer clientAhead,
      Duplex bus,
      ByteBuffer busAhead,
      Translator translator,
      Consumer<ChannelEvent> delivered) {
    this.name = name;
    this.helloTimeout = helloTimeout;
    this.client = client;
    this.bus = bus;
    this.fromClient = new MessageReader(client, clientAhead);
    this.fromBus = new MessageReader(bus, busAhead);
    this.toClient = new MessageWriter(client);
    this.toBus = new MessageWriter(bus);
    this.translator = translator;
    this.delivered = delivered;
  }

  /** Carries the client's messages to the bus until either side ends; on the caller's thread. */
  void pumpToBus() {
    run("client", this::clientToBus);
  }

  /**
   * Carries the bus's messages to the client until either side ends; on the caller's thread.
   *
   * @param joined told the client's unique name before the client is
   */
  void pumpToClient(Consumer<String> joined) {
    try {
      run("bus", () -> busToClient(joined));
    } finally {
      helloAnswered.countDown();
    }
  }

  /** Has the client see the end of the bus, at once; the rest follows on the pumps' threads. */
  void disconnect() {
    client.close();
    translator.closed(); // A call that is held now does not go out any more.
  }

  /** Ends both directions; from any thread. */
  void close() {
    if (ended.compareAndSet(false, true)) {
      client.close();
      bus.close();
      translator.closed();
    }
  }

  private interface Pump {
    void run() throws IOException, InterruptedException;
  }

  private void run(String source, Pump pump) {
    try {
      pump.run();
    } catch (ProtocolException e) {
      if (!ended.get()) {
        log.warn(
            "bus client {} is closed: malformed D-Bus from its {}: {}",
            name,
            source,
            e.getMessage());
      }
    } catch (IOException e) {
      if (!ended.get()) {
        log.debug("bus client {} ends: {}", name, e.toString());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      log.error("bus client {} is closed: what its {} sent could not be handled", name, source, e);
    } finally {
      close();
    }
  }

  private void clientToBus() throws IOException, InterruptedException {
    boolean afterHello = false;
    for (Header header; (header = fromClient.next()) != null; ) {
      if (afterHello && !awaitHello()) {
        return;
      }
      afterHello = true;
      if (translator.mayHold(header)) {
        toBus.flush(); // What came before it must not wait with it.
      }
      Message message = new Message(header, fromClient::readBody);
      Outcome outcome = translator.fromClient(message);
      switch (outcome instanceof Outcome.Pass ? message.unchanged() : outcome) {
        case Outcome.Pass p -> toBus.pass(header, fromClient);
        case Outcome.Replaced(Header h, byte[] body) -> toBus.write(h, body);
        case Outcome.Answered(Header h, byte[] body) -> {
          fromClient.skipBody();
          toClient.write(h, body);
          toClient.flush();
        }
        case Outcome.Dropped d -> fromClient.skipBody();
      }
      if (!fromClient.hasBuffered()) {
        toBus.flush();
      }
    }
  }

  /** What follows Hello may need the name that the reply to it tells; bounded. */
  private boolean awaitHello() throws IOException, InterruptedException {
    if (helloAnswered.getCount() == 0) {
      return true;
    }
    toBus.flush(); // Hello itself must have gone out.
    if (helloAnswered.await(helloTimeout.toMillis(), TimeUnit.MILLISECONDS)) {
      return true;
    }
    log.warn("bus client {} is closed: the bus has not answered its Hello", name);
    return false;
  }

  private void busToClient(Consumer<String> joined) throws IOException {
    boolean isNamed = false;
    for (Header header; (header = fromBus.next()) != null; ) {
      Message message = new Message(header, fromBus::readBody);
      Optional<ChannelEvent> event =
          header.type() == MessageType.SIGNAL && !message.isTooLong()
              ? ChannelEvents.of(header, message::arguments)
              : Optional.empty();
      if (translator.mayHold(header)) {
        toClient.flush();
      }
      Outcome outcome = translator.fromBus(message);
      String uniqueName = translator.uniqueName();
      if (!isNamed && uniqueName != null) {
        isNamed = true;
        joined.accept(uniqueName);
      }
      if (header.type() == MessageType.METHOD_RETURN || header.type() == MessageType.ERROR) {
        helloAnswered.countDown(); // The first reply can only be that one.
      }
      switch (outcome instanceof Outcome.Pass ? message.unchanged() : outcome) {
        case Outcome.Pass p -> toClient.pass(header, fromBus);
        case Outcome.Replaced(Header h, byte[] body) -> {
          fromBus.skipBody();
          toClient.write(h, body);
        }
        case Outcome.Answered a -> throw new IllegalStateException("the bus is not answered");
        case Outcome.Dropped d -> throw new IllegalStateException("nothing is kept from a client");
      }
      if (event.isPresent() || !fromBus.hasBuffered()) {
        toClient.flush();
      }
      event.ifPresent(delivered);
    }
  }

  /** The unique name on the remote bus, or null before the reply to Hello. */
  @Nullable String uniqueName() {
    return translator.uniqueName();
  }
}
