package org.tpforward.agent.telepathy;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class SafeNameTest {
  @ParameterizedTest
  @CsvSource(
      ignoreLeadingAndTrailingWhitespace = false,
      value = {
        "report.pdf,report.pdf",
        "Grüße aus Köln.txt,Grüße aus Köln.txt",
        "/etc/passwd,passwd",
        "../../.ssh/authorized_keys,authorized_keys",
        "C:\\Windows\\system.ini,system.ini",
        "..,_.",
        ".,_",
        ".bashrc,_bashrc",
        "-rf,_rf",
        "~root,_root",
        "dir/,file",
        "  a  ,a",
      })
  void isANameWithinOneDirectory(String offered, String name) {
    assertThat(SafeName.of(offered)).isEqualTo(name);
  }

  @Test
  void holdsNothingForATerminal() {
    assertThat(SafeName.of("a\u001b[31m\n\u0000\u202egpj.exe\u2028\ud800"))
        .isEqualTo("a_[31m___gpj.exe__");
    assertThat(SafeName.of("")).isEqualTo("file");
    assertThat(SafeName.of(" \u3000 ")).isEqualTo("file");
  }

  @Test
  void fitsIntoADirectoryWithWhatIsAppended() {
    String name = SafeName.of("\ud83d\ude00".repeat(100) + ".tar");
    assertThat(name).endsWith("\ud83d\ude00.tar");
    assertThat(name.getBytes(StandardCharsets.UTF_8).length)
        .isLessThanOrEqualTo(SafeName.MAX_BYTES)
        .isGreaterThan(SafeName.MAX_BYTES - 8);
    assertThat(SafeName.of("x".repeat(300))).hasSize(SafeName.MAX_BYTES);
    assertThat(SafeName.of("x." + "y".repeat(300))).hasSize(SafeName.MAX_BYTES);
  }

  @Test
  void numbersGoBeforeTheExtension() {
    assertThat(SafeName.numbered("report.pdf", 0)).isEqualTo("report.pdf");
    assertThat(SafeName.numbered("report.pdf", 1)).isEqualTo("report (1).pdf");
    assertThat(SafeName.numbered("report", 12)).isEqualTo("report (12)");
    assertThat(SafeName.numbered("_.x", 1)).isEqualTo("_ (1).x");
  }
}
