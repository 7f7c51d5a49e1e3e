/* The near end: clients that move bytes, and count time. */
#include "load.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct task {
  pthread_t thread;
  const char *path;
  uint64_t bytes;
  int count;
  int fd;
};

static void run_all(struct task *tasks, int count, void *(*run)(void *)) {
  for (int i = 0; i < count; i++)
    if (pthread_create(&tasks[i].thread, NULL, run, &tasks[i])) die("pthread_create");
  for (int i = 0; i < count; i++) pthread_join(tasks[i].thread, NULL);
}

static struct task *tasks_for(const char *path[], int streams, uint64_t bytes) {
  struct task *tasks = calloc((size_t)streams, sizeof *tasks);
  for (int i = 0; i < streams; i++) {
    tasks[i].path = path[i];
    tasks[i].bytes = bytes;
  }
  return tasks;
}

static void *get_one(void *argument) {
  struct task *t = argument;
  char *buffer = malloc(PIECE);
  int fd = connect_to(t->path);
  ssize_t n;
  while ((n = read(fd, buffer, PIECE)) > 0) t->bytes += (uint64_t)n;
  if (n < 0) die("read");
  close(fd);
  free(buffer);
  return NULL;
}

static void *put_one(void *argument) {
  struct task *t = argument;
  char *buffer = calloc(1, PIECE);
  int fd = connect_to(t->path);
  for (uint64_t left = t->bytes; left > 0;) {
    size_t n = left < PIECE ? left : PIECE;
    write_all(fd, buffer, n);
    left -= n;
  }
  shutdown(fd, SHUT_WR);
  /* The sink closes when it has read all: that is when the bytes are there. */
  if (read(fd, buffer, 1) != 0) die("put");
  close(fd);
  free(buffer);
  return NULL;
}

static void report(double began, struct task *tasks, int streams) {
  uint64_t bytes = 0;
  for (int i = 0; i < streams; i++) bytes += tasks[i].bytes;
  printf("%.6f %llu\n", now() - began, (unsigned long long)bytes);
}

void get(const char *path[], int streams) {
  struct task *tasks = tasks_for(path, streams, 0);
  double began = now();
  run_all(tasks, streams, get_one);
  report(began, tasks, streams);
}

void put(const char *path[], int streams, uint64_t bytes) {
  struct task *tasks = tasks_for(path, streams, bytes);
  double began = now();
  run_all(tasks, streams, put_one);
  report(began, tasks, streams);
}

static void ping_once(int fd, char *buffer, size_t size) {
  write_all(fd, buffer, size);
  read_all(fd, buffer, size);
}

void ping(const char *path, int size, int count) {
  char *buffer = calloc(1, (size_t)size);
  double *seconds = calloc((size_t)count, sizeof *seconds);
  int fd = connect_to(path);
  for (int i = 0; i < 100; i++) ping_once(fd, buffer, (size_t)size);
  for (int i = 0; i < count; i++) {
    double began = now();
    ping_once(fd, buffer, (size_t)size);
    seconds[i] = now() - began;
  }
  print_percentiles(seconds, count);
}

static void *connect_repeatedly(void *argument) {
  struct task *t = argument;
  char byte = 1;
  for (int i = 0; i < t->count; i++) {
    int fd = connect_to(t->path);
    ping_once(fd, &byte, 1);
    close(fd);
  }
  return NULL;
}

void connect_many(const char *path, int total, int at_once) {
  struct task *tasks = calloc((size_t)at_once, sizeof *tasks);
  for (int i = 0; i < at_once; i++) {
    tasks[i].path = path;
    tasks[i].count = total / at_once;
  }
  double began = now();
  run_all(tasks, at_once, connect_repeatedly);
  printf("%.6f\n", (now() - began) * total / (total / at_once * at_once));
}

void hold(const char *path, int count) {
  char byte = 1;
  double began = now();
  for (int i = 0; i < count; i++) ping_once(connect_to(path), &byte, 1);
  printf("%.6f\n", now() - began);
  while (read(STDIN_FILENO, &byte, 1) > 0) {
  }
}
