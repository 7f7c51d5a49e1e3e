/**
 * The benchmark: this program as it is shipped, against {@code ssh -L}, in the same run.
 *
 * <p>Both go through the same sshd, with the same cipher, to the same small C program that pours,
 * swallows or echoes bytes ({@code src/main/c}); runs of the two take turns. This program is
 * measured through the real crossings: a file that is accepted on the bus, a tube's connection.
 */
@NullMarked
package org.tpforward.bench;

import org.jspecify.annotations.NullMarked;
