package org.tpforward.bench;

import java.util.Collections;
import java.util.List;

/** No forward at all: shows how far the load program itself is from being the limit. */
final class DirectWay implements Way {
  private final Rig rig;

  DirectWay(Rig rig) {
    this.rig = rig;
  }

  @Override
  public List<String> incoming(int count, long bytes) {
    return Collections.nCopies(count, rig.source(bytes));
  }

  @Override
  public List<String> outgoing(int count, long bytes) {
    return Collections.nCopies(count, rig.sink());
  }

  @Override
  public String echo() {
    return rig.echo();
  }

  @Override
  public String bus() {
    return rig.busSocket();
  }

  @Override
  public double startSeconds() {
    return 0;
  }

  @Override
  public long pid() {
    return 0;
  }

  @Override
  public void close() {}
}
