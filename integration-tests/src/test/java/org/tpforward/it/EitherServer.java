package org.tpforward.it;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Tag;

/**
 * A test that is run twice: against OpenSSH's server and against tpforward-server. Its world is
 * {@link org.tpforward.harness.World#apartWithEither}, or its server a {@code Door} of the package
 * link.
 */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@Tag("either-server")
public @interface EitherServer {}
