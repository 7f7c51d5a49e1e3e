package org.tpforward.agent;

import java.util.Map;

/** Writes {@link Json}. */
final class JsonText {
  private JsonText() {}

  static String write(Json json) {
    StringBuilder out = new StringBuilder();
    append(out, json);
    return out.toString();
  }

  private static void append(StringBuilder out, Json json) {
    switch (json) {
      case Json.Obj(Map<String, Json> members) -> {
        String separator = "{";
        for (Map.Entry<String, Json> member : members.entrySet()) {
          out.append(separator);
          quote(out, member.getKey());
          out.append(':');
          append(out, member.getValue());
          separator = ",";
        }
        out.append(members.isEmpty() ? "{}" : "}");
      }
      case Json.Arr(var elements) -> {
        String separator = "[";
        for (Json element : elements) {
          out.append(separator);
          append(out, element);
          separator = ",";
        }
        out.append(elements.isEmpty() ? "[]" : "]");
      }
      case Json.Str(String value) -> quote(out, value);
      case Json.Num(long value) -> out.append(value);
      case Json.Bool(boolean value) -> out.append(value);
      case Json.Null() -> out.append("null");
    }
  }

  /** What a terminal could take for a command is escaped, beyond what JSON demands. */
  private static void quote(StringBuilder out, String text) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"', '\\' -> out.append('\\').append(c);
        case '\n' -> out.append("\\n");
        case '\t' -> out.append("\\t");
        default -> {
          if (Character.isISOControl(c) || Character.isSurrogate(c)) {
            out.append(String.format("\\u%04x", (int) c));
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
  }
}
