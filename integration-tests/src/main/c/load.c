/*
 * load COMMAND ARGUMENTS: what the benchmark puts at both ends of a forward, the same program for
 * each forward that is compared. Sockets are paths of Unix sockets.
 *
 *   source SOCKET BYTES        sends so many bytes to whoever connects
 *   sink SOCKET                reads whatever comes, to its end
 *   echo SOCKET                sends back whatever comes
 *   delay PORT TARGET MS       loopback TCP; hands on what comes MS milliseconds later, both ways
 *   get SOCKET...              reads each to its end, all at once: seconds, bytes
 *   put BYTES SOCKET...        writes so many bytes into each, all at once: seconds, bytes
 *   ping SOCKET SIZE COUNT     sends SIZE bytes and waits for them, COUNT times: p50, p99 in us
 *   connect SOCKET TOTAL N     connects, pings a byte, closes, by N threads: seconds
 *   hold SOCKET COUNT          connects and pings COUNT times and keeps all until its input ends:
 *                              seconds
 *   call SOCKET COUNT          calls a method of the bus itself: p50, p99 in us
 *   count SOCKET COUNT         waits for so many signals of emit: seconds
 *   emit SOCKET COUNT SIZE     emits signals
 *   crowd SOCKET CLIENTS COUNT connects so many clients, then each calls COUNT times in turn, all
 *                              being kept: seconds to connect, p50, p99 in us
 */
#include "load.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

void die(const char *what) {
  fprintf(stderr, "load: %s: %s\n", what, errno ? strerror(errno) : "unexpected end");
  exit(1);
}

double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static struct sockaddr_un address(const char *path) {
  struct sockaddr_un a = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof a.sun_path) {
    errno = ENAMETOOLONG;
    die(path);
  }
  strcpy(a.sun_path, path);
  return a;
}

int listen_at(const char *path) {
  struct sockaddr_un a = address(path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 4096) < 0) die(path);
  return fd;
}

int connect_to(const char *path) {
  struct sockaddr_un a = address(path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) < 0) die(path);
  return fd;
}

void write_all(int fd, const void *data, size_t length) {
  const char *p = data;
  while (length > 0) {
    ssize_t n = write(fd, p, length);
    if (n < 0) die("write");
    p += n;
    length -= (size_t)n;
  }
}

void read_all(int fd, void *data, size_t length) {
  char *p = data;
  while (length > 0) {
    errno = 0;
    ssize_t n = read(fd, p, length);
    if (n <= 0) die("read");
    p += n;
    length -= (size_t)n;
  }
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

void print_percentiles(double *seconds, int count) {
  qsort(seconds, (size_t)count, sizeof *seconds, by_size);
  printf("%.3f %.3f\n", seconds[count / 2] * 1e6, seconds[(int)(count * 0.99)] * 1e6);
}

static int number(const char *text) { return atoi(text); }

int main(int argc, char **argv) {
  const char **rest = (const char **)argv + 2;
  int n = argc - 2;
  const char *command = argc > 1 ? argv[1] : "";
  signal(SIGPIPE, SIG_IGN);
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (!strcmp(command, "source") && n == 2) serve_source(rest[0], strtoull(rest[1], NULL, 10));
  else if (!strcmp(command, "sink") && n == 1) serve_sink(rest[0]);
  else if (!strcmp(command, "echo") && n == 1) serve_echo(rest[0]);
  else if (!strcmp(command, "delay") && n == 3)
    serve_delay(number(rest[0]), number(rest[1]), number(rest[2]) * 1e-3);
  else if (!strcmp(command, "get") && n > 0) get(rest, n);
  else if (!strcmp(command, "put") && n > 1) put(rest + 1, n - 1, strtoull(rest[0], NULL, 10));
  else if (!strcmp(command, "ping") && n == 3) ping(rest[0], number(rest[1]), number(rest[2]));
  else if (!strcmp(command, "connect") && n == 3)
    connect_many(rest[0], number(rest[1]), number(rest[2]));
  else if (!strcmp(command, "hold") && n == 2) hold(rest[0], number(rest[1]));
  else if (!strcmp(command, "call") && n == 2) bus_call(rest[0], number(rest[1]));
  else if (!strcmp(command, "count") && n == 2) bus_count(rest[0], number(rest[1]));
  else if (!strcmp(command, "emit") && n == 3)
    bus_emit(rest[0], number(rest[1]), number(rest[2]));
  else if (!strcmp(command, "crowd") && n == 3)
    bus_crowd(rest[0], number(rest[1]), number(rest[2]));
  else {
    fprintf(stderr, "usage: see load.c\n");
    return 2;
  }
  return 0;
}
