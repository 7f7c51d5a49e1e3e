package org.tpforward.agent;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads {@link Json}, recursively and with a bound on the depth. Used once. */
final class JsonParser {
  private static final int MAX_DEPTH = 16;

  private final String text;
  private int at;

  JsonParser(String text) {
    this.text = text;
  }

  Json parse() {
    Json json = value(0);
    space();
    if (at < text.length()) {
      throw error("something follows the value");
    }
    return json;
  }

  private Json value(int depth) {
    if (depth > MAX_DEPTH) {
      throw error("nested too deep");
    }
    space();
    char c = peek();
    return switch (c) {
      case '{' -> object(depth);
      case '[' -> array(depth);
      case '"' -> new Json.Str(string());
      case 't' -> word("true", new Json.Bool(true));
      case 'f' -> word("false", new Json.Bool(false));
      case 'n' -> word("null", new Json.Null());
      default -> number();
    };
  }

  private Json object(int depth) {
    at++;
    Map<String, Json> members = new LinkedHashMap<>();
    space();
    if (peek() == '}') {
      at++;
      return new Json.Obj(members);
    }
    while (true) {
      space();
      String name = string();
      space();
      expect(':');
      if (members.put(name, value(depth + 1)) != null) {
        throw error("the same name twice");
      }
      if (last('}')) {
        return new Json.Obj(members);
      }
    }
  }

  private Json array(int depth) {
    at++;
    List<Json> elements = new ArrayList<>();
    space();
    if (peek() == ']') {
      at++;
      return new Json.Arr(elements);
    }
    while (true) {
      elements.add(value(depth + 1));
      if (last(']')) {
        return new Json.Arr(elements);
      }
    }
  }

  private boolean last(char close) {
    space();
    if (peek() == close) {
      at++;
      return true;
    }
    expect(',');
    return false;
  }

  private String string() {
    expect('"');
    StringBuilder out = new StringBuilder();
    while (true) {
      char c = peek();
      at++;
      if (c == '"') {
        return out.toString();
      }
      if (c < ' ') {
        throw error("a control character in a string");
      }
      out.append(c == '\\' ? escaped() : c);
    }
  }

  private char escaped() {
    char c = peek();
    at++;
    return switch (c) {
      case '"', '\\', '/' -> c;
      case 'b' -> '\b';
      case 'f' -> '\f';
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 't' -> '\t';
      case 'u' -> {
        int code = 0;
        for (int i = 0; i < 4; i++) {
          int digit = Character.digit(peek(), 16);
          if (digit < 0) {
            throw error("not a hexadecimal digit");
          }
          code = code << 4 | digit;
          at++;
        }
        yield (char) code;
      }
      default -> throw error("an unknown escape");
    };
  }

  private Json number() {
    int from = at;
    while (at < text.length() && "+-.eE0123456789".indexOf(text.charAt(at)) >= 0) {
      at++;
    }
    try {
      return new Json.Num(Long.parseLong(text, from, at, 10));
    } catch (NumberFormatException e) {
      at = from;
      throw error("not a whole number");
    }
  }

  private Json word(String word, Json meaning) {
    if (!text.startsWith(word, at)) {
      throw error("not a value");
    }
    at += word.length();
    return meaning;
  }

  private void expect(char c) {
    if (peek() != c) {
      throw error("no '" + c + "'");
    }
    at++;
  }

  private char peek() {
    if (at >= text.length()) {
      throw error("the text ends");
    }
    return text.charAt(at);
  }

  private void space() {
    while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
      at++;
    }
  }

  private IllegalArgumentException error(String what) {
    return new IllegalArgumentException("JSON, character " + at + ": " + what);
  }
}
