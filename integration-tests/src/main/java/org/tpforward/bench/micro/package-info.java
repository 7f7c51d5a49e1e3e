/** The inner pieces by themselves, under JMH: {@code bin/bench micro}. */
@NullMarked
package org.tpforward.bench.micro;

import org.jspecify.annotations.NullMarked;
