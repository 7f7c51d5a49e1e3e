/* The far end: a source, a sink, an echo; and a wire that takes its time. */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static char zeros[PIECE];

static int accept_from(int listener) {
  int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  if (fd < 0) die("accept");
  return fd;
}

static void start(void *(*run)(void *), void *argument) {
  pthread_t thread;
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 512 << 10);
  errno = pthread_create(&thread, &small, run, argument);
  if (errno) die("pthread_create");
  pthread_detach(thread);
}

/* Reads to the end and forgets it. */
static void drain(int fd) {
  char *buffer = malloc(PIECE);
  while (read(fd, buffer, PIECE) > 0) {
  }
  free(buffer);
}

static uint64_t source_bytes;

static void *pour(void *argument) {
  int fd = (int)(intptr_t)argument;
  uint64_t left = source_bytes;
  while (left > 0) {
    ssize_t n = write(fd, zeros, left < PIECE ? left : PIECE);
    if (n <= 0) break;
    left -= (uint64_t)n;
  }
  shutdown(fd, SHUT_WR);
  drain(fd);
  close(fd);
  return NULL;
}

static void *swallow(void *argument) {
  int fd = (int)(intptr_t)argument;
  drain(fd);
  close(fd);
  return NULL;
}

static void serve(const char *path, void *(*run)(void *)) {
  int listener = listen_at(path);
  puts("ready");
  while (1) start(run, (void *)(intptr_t)accept_from(listener));
}

void serve_source(const char *path, uint64_t bytes) {
  source_bytes = bytes;
  serve(path, pour);
}

void serve_sink(const char *path) { serve(path, swallow); }

void serve_echo(const char *path) {
  static char buffer[PIECE];
  int listener = listen_at(path);
  int poll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
  if (epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event) < 0) die("epoll_ctl");
  puts("ready");
  while (1) {
    struct epoll_event ready[64];
    int count = epoll_wait(poll, ready, 64, -1);
    for (int i = 0; i < count; i++) {
      int fd = ready[i].data.fd;
      if (fd == listener) {
        event.data.fd = accept_from(listener);
        if (epoll_ctl(poll, EPOLL_CTL_ADD, event.data.fd, &event) < 0) die("epoll_ctl");
        continue;
      }
      ssize_t n = read(fd, buffer, sizeof buffer);
      ssize_t written = 0;
      while (n > 0 && written < n) {
        ssize_t w = write(fd, buffer + written, (size_t)(n - written));
        if (w <= 0) n = -1;
        else written += w;
      }
      if (n <= 0) close(fd);
    }
  }
}

/*
 * One direction of a slow wire: a ring of bytes, and when each piece of them came. The ring holds
 * what 100 ms of a fast loopback bring, so that the wire is long and not narrow.
 */
#define RING ((size_t)128 << 20)
#define PIECES 65536

struct direction {
  int from, to;
  double seconds;
  char *ring;
  struct {
    double due;
    size_t length;
  } pieces[PIECES];
  size_t head, tail, bytes; /* pieces head..tail are under way */
  int ended;
  pthread_mutex_t lock;
  pthread_cond_t changed;
};

static void *receive_side(void *argument) {
  struct direction *d = argument;
  size_t at = 0;
  while (1) {
    pthread_mutex_lock(&d->lock);
    while (d->bytes > RING - PIECE || d->tail - d->head == PIECES)
      pthread_cond_wait(&d->changed, &d->lock);
    pthread_mutex_unlock(&d->lock);
    size_t room = RING - at;
    ssize_t n = read(d->from, d->ring + at, room < PIECE ? room : PIECE);
    pthread_mutex_lock(&d->lock);
    if (n <= 0) {
      d->ended = 1;
    } else {
      d->pieces[d->tail % PIECES].due = now() + d->seconds;
      d->pieces[d->tail % PIECES].length = (size_t)n;
      d->tail++;
      d->bytes += (size_t)n;
      at = (at + (size_t)n) % RING;
    }
    pthread_cond_signal(&d->changed);
    pthread_mutex_unlock(&d->lock);
    if (n <= 0) return NULL;
  }
}

static void sleep_until(double due) {
  struct timespec t = {.tv_sec = (time_t)due};
  t.tv_nsec = (long)((due - (double)t.tv_sec) * 1e9);
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR) {
  }
}

static void *send_side(void *argument) {
  struct direction *d = argument;
  size_t at = 0;
  while (1) {
    pthread_mutex_lock(&d->lock);
    while (d->head == d->tail && !d->ended) pthread_cond_wait(&d->changed, &d->lock);
    if (d->head == d->tail) {
      pthread_mutex_unlock(&d->lock);
      shutdown(d->to, SHUT_WR);
      return NULL;
    }
    double due = d->pieces[d->head % PIECES].due;
    size_t length = d->pieces[d->head % PIECES].length;
    pthread_mutex_unlock(&d->lock);
    sleep_until(due);
    size_t written = 0;
    while (written < length) {
      ssize_t n = write(d->to, d->ring + at + written, length - written);
      if (n <= 0) {
        shutdown(d->from, SHUT_RDWR);
        return NULL;
      }
      written += (size_t)n;
    }
    at = (at + length) % RING;
    pthread_mutex_lock(&d->lock);
    d->head++;
    d->bytes -= length;
    pthread_cond_signal(&d->changed);
    pthread_mutex_unlock(&d->lock);
  }
}

static void delay_one_way(int from, int to, double seconds) {
  struct direction *d = calloc(1, sizeof *d);
  d->from = from;
  d->to = to;
  d->seconds = seconds;
  d->ring = malloc(RING);
  pthread_mutex_init(&d->lock, NULL);
  pthread_cond_init(&d->changed, NULL);
  start(receive_side, d);
  start(send_side, d);
}

void serve_delay(int port, int target, double seconds) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int one = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(listener, (struct sockaddr *)&a, sizeof a) < 0 || listen(listener, 16) < 0) die("delay");
  puts("ready");
  a.sin_port = htons((uint16_t)target);
  while (1) {
    int near = accept_from(listener);
    int far = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(far, (struct sockaddr *)&a, sizeof a) < 0) die("connect");
    setsockopt(near, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(far, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    delay_one_way(near, far, seconds);
    delay_one_way(far, near, seconds);
  }
}
