# What the scripts of this directory share: the JDK, the Debian packages, namespaces for an ordinary
# user. Sourced by bash; sets TP_ROOT, defines tp_… functions, starts nothing by itself.

TP_ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)

# sshd and ip are at home where an ordinary user's PATH does not lead.
PATH=$PATH:/usr/sbin:/sbin

# JVM options of the program, in this one place. A small heap and the serial collector halve the
# resident size without a loss of rate, and all of the young generation is touched before the program
# is idle, so it is small; half of the heap is what windows may promise, and seldom used;
# glibc keeps what the compiler has used, unless it is told to trim; perf data would leave a file in
# /tmp.
TP_JAVA_OPTS=(
  -XX:+UseSerialGC
  -Xms14m
  -Xmx128m
  -Xmn8m
  -XX:ReservedCodeCacheSize=32m
  -XX:TrimNativeHeapInterval=2000
  -Xss256k
  -XX:-UsePerfData
  --enable-native-access=ALL-UNNAMED
)
# Many users in the place of one: more heap than the agent has; the last of each option counts.
TP_SERVER_JAVA_OPTS=("${TP_JAVA_OPTS[@]}" -Xms28m -Xmx256m -Xmn24m)

# The program, and what it was built with.
TP_JAR=$TP_ROOT/proxy-client/target/tpforward-client.jar

# tp_aot_file: prints the name of the AOT cache that belongs to the program as it is, which need not
# exist. A JVM up to 25.0.3 does not see that a jar has changed (JDK-8377932), and runs the old code:
# so the name holds a checksum of what it was made from.
tp_aot_file() {
  local sum
  sum=$({
    stat -L -c '%n %s %y' -- "$TP_JAR" "${TP_JAR%/*}"/lib/*.jar "$JAVA_HOME/release"
    printf '%s\n' "${TP_JAVA_OPTS[@]}"
  } | cksum) || return
  printf '%s\n' "${TP_JAR%/*}/aot/${sum/ /-}.aot"
}

tp_say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

tp_die() {
  tp_say "$@"
  exit 1
}

# ---- Debian packages -----------------------------------------------------------------------------

# What each task needs: a program (or file:/…, or pc:… for pkg-config), then the packages that may
# hold it, the first that apt knows being taken: Debian 12 split "dbus" up.
TP_NEED_BUILD='
  mvn                maven
  file:/etc/ssl/certs/ca-certificates.crt  ca-certificates
  find               findutils
  flock              util-linux
'
TP_NEED_SIDES='
  dbus-daemon        dbus-daemon dbus
  sshd               openssh-server
  ssh                openssh-client
  ssh-keygen         openssh-client
  ip                 iproute2
  unshare            util-linux
  nsenter            util-linux
  setpriv            util-linux
  mount              mount
'
TP_NEED_TESTS='
  kill               procps
  ssh-agent          openssh-client
  dbus-monitor       dbus-bin dbus
  gdbus              libglib2.0-bin
  ss                 iproute2
  rsync              rsync
  curl               curl
  busctl             systemd
  systemd-analyze    systemd
  python3            python3
  file:/usr/lib/python3/dist-packages/asyncssh/__init__.py  python3-asyncssh
  file:/usr/lib/python3/dist-packages/paramiko/__init__.py  python3-paramiko
  pc:libssh          libssh-dev
  cc                 gcc
  file:/usr/include/stdio.h  libc6-dev
  pkg-config         pkg-config
  pc:telepathy-glib  libtelepathy-glib-dev
'
TP_NEED_BENCH='
  cc                 gcc
  file:/usr/include/stdio.h  libc6-dev
'
TP_NEED_IMAGE='
  podman             podman
  mmdebstrap         mmdebstrap
  sha256sum          coreutils
'
# Only for root: the tests' containers.
TP_NEED_ROOT=$TP_NEED_IMAGE'
  runc               runc
'
# Only for who is not root.
TP_NEED_USER='
  newuidmap          uidmap
'

tp_has() {
  case $1 in
    file:*) [ -e "${1#file:}" ] ;;
    pc:*) command -v pkg-config >/dev/null && pkg-config --exists "${1#pc:}" ;;
    *) command -v "$1" >/dev/null ;;
  esac
}

tp_apt_knows() {
  command -v apt-cache >/dev/null && apt-cache policy "$1" 2>/dev/null | grep -q 'Candidate: [^(]'
}

# Prints the packages that the given needs lack, one a line.
tp_missing() {
  local program packages package
  while read -r program packages; do
    [ -n "$program" ] || continue
    tp_has "$program" && continue
    for package in $packages; do
      tp_apt_knows "$package" && break
      package=
    done
    printf '%s\n' "${package:-${packages%% *}}"
  done <<<"$1" | sort -u
}

# tp_need NEEDS: installs what is missing, or says what to install and stops.
tp_need() {
  local -a packages
  mapfile -t packages < <(tp_missing "$1")
  [ ${#packages[@]} -eq 0 ] && return
  tp_apt_lists && mapfile -t packages < <(tp_missing "$1")
  tp_install "${packages[@]}"
  hash -r
  mapfile -t packages < <(tp_missing "$1")
  [ ${#packages[@]} -eq 0 ] || tp_die "still missing after the installation: ${packages[*]}"
}

# Whether packages may be installed; sets TP_SUDO to what goes before apt-get.
tp_may_install() {
  TP_SUDO=()
  command -v apt-get >/dev/null && [ "${TPFORWARD_NO_INSTALL:-}" != 1 ] || return
  [ "$(id -u)" -ne 0 ] || return 0
  TP_SUDO=(sudo -n)
  command -v sudo >/dev/null && sudo -n true 2>/dev/null
}

# A fresh image has no package lists: apt knows nothing then, not even a package's name.
tp_apt_lists() {
  compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null && return
  tp_may_install && tp_apt_update
}

tp_apt_update() {
  printf '%s\n' "${TP_SUDO[*]:+sudo }apt-get update" >&2
  "${TP_SUDO[@]}" apt-get -q update </dev/null >&2
}

tp_install() {
  local line="apt-get install --no-install-recommends -y $*"
  [ "$(id -u)" -eq 0 ] || line="sudo $line"
  if ! tp_may_install; then
    command -v apt-get >/dev/null || tp_die "missing; Debian's names of the packages are: $*"
    [ "${TPFORWARD_NO_INSTALL:-}" = 1 ] &&
      tp_die "missing programs (TPFORWARD_NO_INSTALL is set): $line"
    tp_die "missing programs, and no right to install them: $line"
  fi
  printf '%s\n' "$line" >&2
  tp_no_services_begin
  # The second time with fresh lists: the old ones may name what the mirror has no more.
  tp_apt_install "$@" || { tp_apt_update && tp_apt_install "$@"; }
  local status=$?
  tp_no_services_end
  [ $status -eq 0 ] || tp_die "the installation failed; by hand: $line"
}

tp_apt_install() {
  "${TP_SUDO[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -q install --no-install-recommends -y "$@" </dev/null >&2
}

# openssh-server and dbus would start a service of the machine's own: programs are wanted here, not
# servers. Debian asks policy-rc.d; one that is there already is somebody's decision, and stays.
tp_no_services_begin() {
  TP_POLICY=
  if [ -e /usr/sbin/policy-rc.d ]; then return; fi
  printf '#!/bin/sh\nexit 101\n' | "${TP_SUDO[@]}" tee /usr/sbin/policy-rc.d >/dev/null &&
    "${TP_SUDO[@]}" chmod 755 /usr/sbin/policy-rc.d && TP_POLICY=1
  trap 'tp_no_services_end; exit 130' INT TERM
}

tp_no_services_end() {
  [ -z "$TP_POLICY" ] || "${TP_SUDO[@]}" rm -f /usr/sbin/policy-rc.d
  TP_POLICY=
  trap - INT TERM
}

# ---- The JDK -------------------------------------------------------------------------------------

tp_is_jdk25() {
  local text
  [ -x "$1/bin/java" ] && [ -x "$1/bin/javac" ] && [ -r "$1/release" ] || return
  # Fails at the end of the file, once it has read all; no process is started.
  IFS= read -r -d '' text <"$1/release"
  [[ $'\n'$text == *$'\nJAVA_VERSION="25'[.\"]* ]]
}

tp_jdk_found() {
  local home java
  for home in "${JAVA_HOME:-}" /usr/lib/jvm/*25*; do
    if [ -n "$home" ] && tp_is_jdk25 "$home"; then
      printf '%s\n' "$home"
      return
    fi
  done
  java=$(command -v java) && java=$(readlink -f -- "$java") && home=${java%/bin/java} &&
    tp_is_jdk25 "$home" && printf '%s\n' "$home"
}

# Exports JAVA_HOME, a JDK 25.
tp_need_jdk() {
  local home
  if ! home=$(tp_jdk_found); then
    tp_apt_lists
    if tp_apt_knows openjdk-25-jdk-headless; then
      tp_install openjdk-25-jdk-headless
      home=$(tp_jdk_found)
    fi
  fi
  [ -n "$home" ] ||
    tp_die "no JDK 25 found (JAVA_HOME, /usr/lib/jvm, PATH) and apt has none: unpack one from https://adoptium.net and set JAVA_HOME to it"
  export JAVA_HOME=$home
}

# ---- Maven ---------------------------------------------------------------------------------------

# tp_mvn ARGUMENTS: Maven in the checkout. MAVEN_ARGS is read here because Maven before 3.9 does not.
tp_mvn() {
  local args=${MAVEN_ARGS:-}
  # shellcheck disable=SC2086 # words are what MAVEN_ARGS holds
  # Maven 3 uses what JDK 25 warns of; nobody here can change that.
  local quiet="--sun-misc-unsafe-memory-access=allow --enable-native-access=ALL-UNNAMED"
  (cd -- "$TP_ROOT" && unset MAVEN_ARGS &&
    MAVEN_OPTS="$quiet ${MAVEN_OPTS:-}" exec "${TP_WRAP[@]}" mvn -B $args "$@")
}

# Whether a module's jar is missing, or older than what it is made of.
tp_stale() {
  local jar=$1 module=$2 source
  [ -e "$jar" ] || return 0
  local -a sources=()
  for source in "$TP_ROOT"/{pom.xml,common/pom.xml,"$module"/pom.xml,common/src/main,"$module"/src/{main,build}}; do
    [ -e "$source" ] && sources+=("$source")
  done
  [ ${#sources[@]} -gt 0 ] && [ -n "$(find "${sources[@]}" -newer "$jar" -print -quit)" ]
}

# tp_build JAR MODULE: builds the program of a module, if need be.
tp_build() {
  local jar=$1 module=$2
  tp_stale "$jar" "$module" || return 0
  [ -w "$TP_ROOT" ] || {
    [ -e "$jar" ] && return
    tp_die "$jar is missing, and $TP_ROOT is not writable: build it there"
  }
  tp_need "$TP_NEED_BUILD"
  mkdir -p -- "${jar%/*}"
  (
    # Two starts at once: the second waits, and finds it done.
    flock 9
    tp_stale "$jar" "$module" || exit 0
    tp_mvn -q -Dmaven.test.skip=true -pl "$module" -am package 9>&- </dev/null >&2 && touch -- "$jar"
  ) 9>"${jar%/*}/.build-lock" || tp_die "the build failed"
}

# ---- Two sides for who is not root ---------------------------------------------------------------

# TP_WRAP: what to put before a command so that it may make namespaces and use other uids.
TP_WRAP=()

# Sets TP_WRAP; fails where the system allows no namespaces.
tp_namespaces() {
  local -a inner=(unshare --mount --net --pid --fork --kill-child --mount-proc)
  if [ "$(id -u)" -eq 0 ]; then
    "${inner[@]}" setpriv --reuid 20001 --clear-groups true 2>/dev/null
    return
  fi
  local -a outer=(unshare --user --map-root-user --map-auto)
  "${outer[@]}" "${inner[@]}" setpriv --reuid 20001 --regid 20001 --clear-groups true \
    2>/dev/null || return
  TP_WRAP=("${outer[@]}")
  # In there the uid is 0, and Java would take root's home for its own.
  export MAVEN_OPTS="${MAVEN_OPTS:-} -Duser.home=$HOME"
}
