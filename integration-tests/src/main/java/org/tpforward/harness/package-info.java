/**
 * Real programs for tests and the demo: two sides apart in namespaces of their own, a private sshd
 * and bus, the agent. Everything here ends with the JVM that started it, even if that is killed.
 */
@NullMarked
package org.tpforward.harness;

import org.jspecify.annotations.NullMarked;
