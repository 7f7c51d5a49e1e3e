package org.tpforward.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

class LoggingTest {
  private static final Logger OWN = LoggerFactory.getLogger("org.tpforward.Own");
  private static final Logger LIBRARY = LoggerFactory.getLogger("org.example.Library");
  private static final String TIME = "\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d ";

  private final PrintStream before = System.err;
  private final ByteArrayOutputStream said = new ByteArrayOutputStream();

  @BeforeEach
  void listen() {
    System.setErr(new PrintStream(said, false, StandardCharsets.UTF_8));
  }

  @AfterEach
  void restore() {
    System.setErr(before);
    Logging.configure(0, -1);
  }

  private String[] lines() {
    return said.toString(StandardCharsets.UTF_8).split(System.lineSeparator(), -1);
  }

  @Test
  void saysWarningsAndErrorsOfLibraries() {
    OWN.warn("{} of {}", 1, 2);
    OWN.info("not this");
    LIBRARY.error("broken", new IllegalStateException("why"));
    LIBRARY.warn("not this");
    assertThat(lines()[0]).matches(TIME + "WARN 1 of 2");
    assertThat(lines()[1]).matches(TIME + "ERROR broken");
    assertThat(lines()[2]).isEqualTo("java.lang.IllegalStateException: why");
    assertThat(lines()[3]).startsWith("\tat " + LoggingTest.class.getName());
    assertThat(said.toString(StandardCharsets.UTF_8)).doesNotContain("not this");
  }

  @Test
  void saysMoreWhenAskedTo() {
    Logging.configure(2, 1);
    OWN.debug("own");
    LIBRARY.info("library");
    LIBRARY.debug("not this");
    assertThat(lines()).hasSize(3);
    assertThat(lines()[0]).matches(TIME + "DEBUG org\\.tpforward\\.Own - own");
    assertThat(lines()[1]).matches(TIME + "INFO org\\.example\\.Library - library");
  }
}
