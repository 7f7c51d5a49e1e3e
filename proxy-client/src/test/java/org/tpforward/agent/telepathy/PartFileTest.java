package org.tpforward.agent.telepathy;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PartFileTest {
  @TempDir Path directory;

  @Test
  void getsItsNameWhenItIsComplete() throws Exception {
    try (PartFile part = PartFile.open(directory, "f.txt", "offer")) {
      write(part, "hello");
      assertThat(files()).singleElement().asString().matches("f\\.txt\\.[0-9a-f]{8}\\.part");
      assertThat(part.finish()).isEqualTo(directory.resolve("f.txt"));
    }
    assertThat(files()).containsExactly("f.txt");
    assertThat(directory.resolve("f.txt")).hasContent("hello");
  }

  @Test
  void overwritesNothing() throws Exception {
    Files.writeString(directory.resolve("f.txt"), "mine");
    Files.writeString(directory.resolve("f (1).txt"), "mine too");
    try (PartFile part = PartFile.open(directory, "f.txt", "offer")) {
      write(part, "hello");
      assertThat(part.finish()).isEqualTo(directory.resolve("f (2).txt"));
    }
    assertThat(directory.resolve("f.txt")).hasContent("mine");
  }

  @Test
  void isKeptForTheSameOffer() throws Exception {
    try (PartFile part = PartFile.open(directory, "f", "offer")) {
      write(part, "hel");
    }
    try (PartFile part = PartFile.open(directory, "f", "offer")) {
      assertThat(part.channel().size()).isEqualTo(3);
    }
  }

  @Test
  void isNotResumedWithAnotherFileOfThatName() throws Exception {
    try (PartFile part = PartFile.open(directory, "f", "offer")) {
      write(part, "hel");
    }
    try (PartFile part = PartFile.open(directory, "f", "another offer")) {
      assertThat(part.channel().size()).isZero();
    }
  }

  @Test
  void leavesNothingWhereNothingCame() throws Exception {
    PartFile.open(directory, "f", "offer").close();
    assertThat(files()).isEmpty();
  }

  @Test
  void isNotWrittenByTwoAtOnce() throws Exception {
    try (PartFile one = PartFile.open(directory, "f", "offer");
        PartFile two = PartFile.open(directory, "f", "offer")) {
      write(one, "one");
      write(two, "two");
      assertThat(one.finish()).isEqualTo(directory.resolve("f"));
      assertThat(two.finish()).isEqualTo(directory.resolve("f (1)"));
    }
    assertThat(directory.resolve("f")).hasContent("one");
    assertThat(directory.resolve("f (1)")).hasContent("two");
  }

  @Test
  void doesNotWriteThroughALink() throws Exception {
    Path victim = Files.writeString(directory.resolve("victim"), "precious");
    String name;
    try (PartFile part = PartFile.open(directory, "f", "offer")) {
      name = String.valueOf(part.path().getFileName());
    }
    Files.createSymbolicLink(directory.resolve(name), victim);
    org.assertj.core.api.Assertions.assertThatThrownBy(
            () -> PartFile.open(directory, "f", "offer").close())
        .isInstanceOf(java.io.IOException.class);
    assertThat(victim).hasContent("precious");
  }

  private static void write(PartFile part, String text) throws Exception {
    part.channel().write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
  }

  private List<String> files() throws Exception {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> String.valueOf(file.getFileName())).sorted().toList();
    }
  }
}
