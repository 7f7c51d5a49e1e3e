/**
 * The SSH server that gives out a bus with connection managers, and nothing else of its machine.
 */
@NullMarked
package org.tpforward.server;

import org.jspecify.annotations.NullMarked;
