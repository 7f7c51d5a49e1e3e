package org.tpforward.it;

import org.tpforward.harness.Login;

/** Which side offers a tube, and which one accepts it; the CM is on the server. */
enum Way {
  TO_THE_DESKTOP,
  FROM_THE_DESKTOP,
  /** Both ends through one agent. */
  WITHIN_THE_DESKTOP;

  Login offering(Login desk, Login serv) {
    return this == TO_THE_DESKTOP ? serv : desk;
  }

  Login accepting(Login desk, Login serv) {
    return this == FROM_THE_DESKTOP ? serv : desk;
  }
}
