import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassFile.ClassHierarchyResolverOption;
import java.lang.classfile.ClassFile.StackMapsOption;
import java.lang.classfile.ClassFileVersion;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassModel;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeTransform;
import java.lang.constant.ClassDesc;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.jar.Attributes;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/**
 * Rewrites the jars of a directory so that an AOT cache can hold their classes, of which 1000 are
 * loaded at each start: {@code Archivable DIRECTORY}. Run by the build; jars that need nothing stay
 * as they are.
 *
 * <p>A signed jar loses its signature, and the manifest its list of thousands of digests, which is
 * read at each start too. OpenJDK asks for no signature of a JCE provider; Maven has checked where
 * the jar is from. Classes of Java 5 get the stack maps of Java 8.
 */
public final class Archivable {
  private static final String MANIFEST = "META-INF/MANIFEST.MF";
  private static final int JAVA_6 = 50;
  private static final int JAVA_8 = 52;
  // Of a class file: the major version is its fourth number of two bytes.
  private static final int VERSION_OFFSET = 6;

  private Archivable() {}

  /** Rewrites what is to be rewritten. */
  public static void main(String[] arguments) throws IOException {
    try (Stream<Path> files = Files.list(Path.of(arguments[0]))) {
      for (Path jar : files.filter(file -> file.toString().endsWith(".jar")).toList()) {
        rewrite(jar);
      }
    }
  }

  private static void rewrite(Path jar) throws IOException {
    Map<String, byte[]> entries = read(jar);
    boolean signed = entries.keySet().removeIf(Archivable::isSignature);
    if (signed) {
      entries.computeIfPresent(MANIFEST, (_, bytes) -> withoutDigests(bytes));
    }
    ClassFile files = ClassFile.of(
        StackMapsOption.GENERATE_STACK_MAPS,
        ClassHierarchyResolverOption.of(resolver(entries).cached()));
    boolean old = false;
    for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
      if (entry.getKey().endsWith(".class") && version(entry.getValue()) < JAVA_6) {
        entry.setValue(modern(files, files.parse(entry.getValue())));
        old = true;
      }
    }
    if (signed || old) {
      write(jar, entries);
    }
  }

  private static Map<String, byte[]> read(Path jar) throws IOException {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    try (ZipFile zip = new ZipFile(jar.toFile())) {
      for (ZipEntry entry : zip.stream().toList()) {
        if (!entry.isDirectory()) {
          try (InputStream in = zip.getInputStream(entry)) {
            entries.put(entry.getName(), in.readAllBytes());
          }
        }
      }
    }
    return entries;
  }

  private static boolean isSignature(String name) {
    return name.matches("META-INF/[^/]*\\.(SF|RSA|DSA|EC)");
  }

  private static byte[] withoutDigests(byte[] bytes) {
    try {
      Manifest whole = new Manifest(new ByteArrayInputStream(bytes));
      Manifest rest = new Manifest();
      rest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
      for (Attributes.Name name :
          new Attributes.Name[] {
            Attributes.Name.MULTI_RELEASE,
            Attributes.Name.IMPLEMENTATION_TITLE,
            Attributes.Name.IMPLEMENTATION_VERSION,
            Attributes.Name.IMPLEMENTATION_VENDOR
          }) {
        Object value = whole.getMainAttributes().get(name);
        if (value != null) {
          rest.getMainAttributes().put(name, value);
        }
      }
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      rest.write(out);
      return out.toByteArray();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static int version(byte[] file) {
    return (file[VERSION_OFFSET] & 0xff) << 8 | file[VERSION_OFFSET + 1] & 0xff;
  }

  /** What extends what: a stack map names the nearest class that two have in common. */
  private static ClassHierarchyResolver resolver(Map<String, byte[]> entries) {
    return ClassHierarchyResolver.ofResourceParsing(
        (ClassDesc description) -> {
          String type = description.descriptorString();
          String file = type.substring(1, type.length() - 1) + ".class";
          byte[] own = entries.get(file);
          return own != null
              ? new ByteArrayInputStream(own)
              : ClassLoader.getSystemResourceAsStream(file);
        });
  }

  private static byte[] modern(ClassFile files, ClassModel model) {
    return files.transformClass(
        model,
        ClassTransform.transformingMethodBodies(CodeTransform.ACCEPT_ALL)
            .andThen(
                (builder, element) -> {
                  if (element instanceof ClassFileVersion) {
                    builder.withVersion(JAVA_8, 0);
                  } else {
                    builder.with(element);
                  }
                }));
  }

  private static void write(Path jar, Map<String, byte[]> entries) throws IOException {
    Path fresh = Path.of(jar + ".new");
    try (OutputStream file = Files.newOutputStream(fresh);
        ZipOutputStream zip = new ZipOutputStream(file)) {
      for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
        ZipEntry header = new ZipEntry(entry.getKey());
        // The same time in each build, and one that a zip file can tell.
        header.setTimeLocal(java.time.LocalDateTime.of(1980, 2, 1, 0, 0));
        zip.putNextEntry(header);
        zip.write(entry.getValue());
      }
    }
    Files.move(fresh, jar, StandardCopyOption.REPLACE_EXISTING);
  }
}
