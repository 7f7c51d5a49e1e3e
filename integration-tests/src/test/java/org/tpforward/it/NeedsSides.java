package org.tpforward.it;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Tag;

/**
 * A test that needs namespaces and other uids: root, or user namespaces with subordinate ids.
 * bin/verify leaves these out where the system allows neither, and says so.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Tag("sides")
@interface NeedsSides {}
