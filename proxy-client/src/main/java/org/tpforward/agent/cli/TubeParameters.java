package org.tpforward.agent.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tpforward.agent.AgentException;
import org.tpforward.agent.ExitCode;
import org.tpforward.agent.link.Terminal;
import picocli.CommandLine.Option;

/**
 * What is told to the other end with a tube. A secret is given in a file, on standard input or at
 * the terminal: everybody on this machine can read a command line.
 */
final class TubeParameters {
  /** Bytes; what goes over a network's signalling is small. */
  private static final int MAX_BYTES = 64 << 10;

  private static final Path TERMINAL = Path.of("/dev/tty");

  @Option(
      names = "--param",
      paramLabel = "KEY=VALUE",
      description = "Tell the other end this; may be repeated. Everybody here can see it.")
  private List<String> open = new ArrayList<>();

  @Option(
      names = "--param-file",
      paramLabel = "KEY=FILE",
      description =
          "The value is what stands in FILE, without a line end at its end; - is standard input.")
  private List<String> files = new ArrayList<>();

  @Option(
      names = "--param-ask",
      paramLabel = "KEY",
      description = "Ask for the value at the terminal, unseen.")
  private List<String> asked = new ArrayList<>();

  /**
   * All of them, in the order open, files, asked.
   *
   * @throws AgentException if a word is no parameter or a file cannot be read
   */
  Map<String, String> read() throws AgentException {
    Map<String, String> parameters = new LinkedHashMap<>();
    for (String word : open) {
      put(parameters, key("--param", word), rest(word));
    }
    checkFiles();
    for (String word : files) {
      put(parameters, key("--param-file", word), content(rest(word)));
    }
    for (String key : asked) {
      if (key.isEmpty() || key.indexOf('=') >= 0) {
        throw usage("--param-ask " + key + ": give a key alone");
      }
      put(parameters, key, ask(key));
    }
    return parameters;
  }

  /** Before anything is read, as what was read from standard input is gone. */
  private void checkFiles() throws AgentException {
    boolean stdin = false;
    for (String word : files) {
      String key = key("--param-file", word);
      String file = rest(word);
      if (file.isEmpty()) {
        throw usage("--param-file " + key + "=: give KEY=FILE");
      }
      if (stdin && file.equals("-")) {
        throw usage("--param-file " + key + "=-: standard input is there once only");
      }
      stdin |= file.equals("-");
    }
  }

  private static String key(String option, String word) throws AgentException {
    int sign = word.indexOf('=');
    if (sign <= 0) {
      // Not the word itself: it may be a secret that was given in the wrong place.
      throw usage(
          option + ": give KEY=" + (option.equals("--param") ? "VALUE" : "FILE") + ", with a key");
    }
    return word.substring(0, sign);
  }

  private static String rest(String word) {
    return word.substring(word.indexOf('=') + 1);
  }

  private static void put(Map<String, String> parameters, String key, String value)
      throws AgentException {
    if (value.indexOf('\0') >= 0) {
      throw usage("the parameter " + key + " holds a NUL");
    }
    if (parameters.put(key, value) != null) {
      throw usage("the parameter " + key + " is given twice");
    }
  }

  private static String content(String file) throws AgentException {
    try (InputStream in = file.equals("-") ? System.in : Files.newInputStream(Path.of(file))) {
      byte[] bytes = in.readNBytes(MAX_BYTES + 1);
      if (bytes.length > MAX_BYTES) {
        throw failed(file + " has more than " + MAX_BYTES + " bytes, too many for a parameter");
      }
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      return text.endsWith("\r\n")
          ? text.substring(0, text.length() - 2)
          : text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
    } catch (CharacterCodingException e) {
      throw failed(file + " is not UTF-8, and so no parameter");
    } catch (IOException e) {
      throw failed(file + " cannot be read: " + e.getMessage());
    }
  }

  private static String ask(String key) throws AgentException {
    try (Terminal terminal = Terminal.open(TERMINAL)) {
      String answer = terminal.ask(Messages.printable(key) + ": ", false);
      if (answer == null) {
        throw failed("no value was given for the parameter " + key);
      }
      return answer;
    } catch (IOException e) {
      throw failed(
          "there is no terminal to ask for the parameter "
              + key
              + " at; --param-file "
              + key
              + "=- reads it from standard input");
    }
  }

  private static AgentException usage(String line) {
    return new AgentException(ExitCode.USAGE, line);
  }

  private static AgentException failed(String line) {
    return new AgentException(ExitCode.FAILED, line);
  }
}
