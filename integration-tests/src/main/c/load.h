/* The benchmark's load: sources, sinks and clients that cost as little as they can. */
#ifndef LOAD_H
#define LOAD_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of one read or write. */
#define PIECE (256 << 10)

/* Ends the program with what errno says. */
_Noreturn void die(const char *what);

/* Seconds of a clock that only goes forward. */
double now(void);

/* A Unix socket that listens at path. */
int listen_at(const char *path);

/* A connection to the Unix socket at path. */
int connect_to(const char *path);

/* All of it, or the end of the program. */
void write_all(int fd, const void *data, size_t length);
void read_all(int fd, void *data, size_t length);

/* Sorts times and prints "p50 p99" in microseconds. */
void print_percentiles(double *seconds, int count);

/* serve.c: each serves for ever, once it has said "ready". */
void serve_source(const char *path, uint64_t bytes);
void serve_sink(const char *path);
void serve_echo(const char *path);
void serve_delay(int port, int target, double seconds);

/* stream.c: each prints what it measured. */
void get(const char *path[], int streams);
void put(const char *path[], int streams, uint64_t bytes);
void ping(const char *path, int size, int count);
void connect_many(const char *path, int total, int at_once);
void hold(const char *path, int count);

/* bus.c: clients of a message bus at a Unix socket. */
void bus_call(const char *path, int count);
void bus_count(const char *path, int count);
void bus_emit(const char *path, int count, int size);
void bus_crowd(const char *path, int clients, int count);

#endif
