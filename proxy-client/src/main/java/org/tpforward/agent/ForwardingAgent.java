package org.tpforward.agent;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tpforward.agent.bus.BusServer;
import org.tpforward.agent.bus.Control;
import org.tpforward.agent.forward.Forwards;
import org.tpforward.agent.link.Destination;
import org.tpforward.agent.link.LinkException;
import org.tpforward.agent.link.LinkListener;
import org.tpforward.agent.link.LinkOptions;
import org.tpforward.agent.link.LinkTimes;
import org.tpforward.agent.link.PatientLink;
import org.tpforward.agent.link.SshLink;
import org.tpforward.agent.link.UserEnvironment;
import org.tpforward.dbus.BusAddress;
import org.tpforward.socket.AllowedUids;
import org.tpforward.socket.Endpoint;
import org.tpforward.socket.Listener;

/** The agent: a link, the forwarded bus, and the sockets that crossed it. */
final class ForwardingAgent implements RunningAgent {
  private static final Logger log = LoggerFactory.getLogger(ForwardingAgent.class);

  /** What D-Bus clients wait for a reply by default, as the agent does of a CM. */
  private static final Duration CALL_TIMEOUT = Duration.ofSeconds(25);

  /** As dbus-daemon. */
  private static final Duration SASL_TIMEOUT = Duration.ofSeconds(30);

  private final AgentOptions options;
  private final Path bus;
  private final SshLink link;
  private final RemoteBusOpener opener;
  private final Forwards forwards;
  private final Control control;
  private final BusServer server;
  private final AgentStatusReport report;
  private final CompletableFuture<ExitCode> end = new CompletableFuture<>();
  private final AtomicBoolean closed = new AtomicBoolean();

  private ForwardingAgent(
      AgentOptions options,
      RuntimeDirectory directory,
      SshLink link,
      RemoteBusOpener opener,
      Listener listener) {
    this.options = options;
    this.bus = directory.bus();
    this.link = link;
    this.opener = opener;
    AllowedUids allowed = AllowedUids.own().and(options.allowUids());
    PatientLink patient = new PatientLink(link);
    this.forwards =
        new Forwards(patient, allowed, new LocalPlaces(directory), Forwards.Settings.DEFAULT);
    this.control = new Control(opener, CALL_TIMEOUT, forwards::happened, this::busLost);
    this.server =
        new BusServer(listener, allowed, control, opener, patient, forwards, SASL_TIMEOUT);
    this.report = new AgentStatusReport(options, link, opener, server, forwards);
  }

  static ForwardingAgent start(AgentOptions options, RuntimeDirectory directory)
      throws AgentException {
    SshLink link = connect(options);
    ForwardingAgent agent = null;
    try {
      RemoteBusOpener opener = new RemoteBusOpener(link, options.remoteBus());
      Listener listener = Listener.open(new Endpoint.UnixPath(directory.bus().toString()));
      agent = new ForwardingAgent(options, directory, link, opener, listener);
      agent.begin();
      return agent;
    } catch (IOException e) {
      if (agent != null) {
        agent.close();
      }
      link.close();
      throw failure(e);
    }
  }

  private static SshLink connect(AgentOptions options) throws AgentException {
    SshLink link = null;
    try {
      LinkOptions linkOptions =
          new LinkOptions(
              Destination.parse(options.destination()),
              options.configFile() == null ? null : options.configFile().toString(),
              options.identities().stream().map(Path::toString).toList(),
              options.port() == null ? 0 : options.port(),
              options.sshOptions(),
              options.reconnect(),
              options.interactive());
      link = new SshLink(linkOptions, times(options), UserEnvironment.system());
      link.connect();
      return link;
    } catch (IOException e) {
      if (link != null) {
        link.close();
      }
      throw failure(e);
    } catch (IllegalArgumentException e) {
      throw new AgentException(ExitCode.USAGE, String.valueOf(e.getMessage()), e);
    }
  }

  private static LinkTimes times(AgentOptions options) {
    LinkTimes d = LinkTimes.DEFAULT;
    return new LinkTimes(
        d.connect(),
        d.authenticate(),
        d.channel(),
        d.exec(),
        options.linkWait(),
        d.firstRetry(),
        d.longestRetry(),
        d.keepAlive());
  }

  private static AgentException failure(IOException e) {
    ExitCode code = ExitCode.REMOTE_BUS;
    if (e instanceof LinkException link) {
      code =
          switch (link.reason()) {
            case NO_REMOTE_BUS, FORWARDING_FORBIDDEN -> ExitCode.REMOTE_BUS;
            default -> ExitCode.LINK;
          };
    }
    return new AgentException(code, String.valueOf(e.getMessage()), e);
  }

  private void begin() throws IOException {
    control.connect();
    link.addListener(
        new LinkListener() {
          @Override
          public void onDown(String reason) {
            report.linkLost();
            busLost();
            if (!options.reconnect()) {
              end.complete(ExitCode.LINK);
            }
          }
        });
    server.start();
    link.settle();
    log.info("{} is served from {} at {}", bus, opener.endpoint(), link.target());
  }

  /** Clients see the end of the bus before their readers see the end of a stream. */
  private void busLost() {
    if (!closed.get()) {
      server.disconnectAll();
      forwards.busLost();
    }
  }

  @Override
  public String busAddress() {
    return new BusAddress("unix", Map.of("path", bus.toString())).toString();
  }

  @Override
  public AgentStatus status() {
    return report.now(busAddress(), List.of(new AgentStatus.Listener("unix:" + bus, "bus")));
  }

  @Override
  public ExitCode awaitEnd() throws InterruptedException {
    try {
      return end.get();
    } catch (ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      server.close();
      forwards.close();
      control.close();
      link.close();
      end.complete(ExitCode.OK);
    }
  }
}
