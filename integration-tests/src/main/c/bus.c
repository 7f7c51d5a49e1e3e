/* A client of a message bus that knows no more of D-Bus than it needs (D-Bus specification). */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define METHOD_CALL 1
#define METHOD_RETURN 2
#define SIGNAL 4
#define NO_REPLY_EXPECTED 1

static const char BUS[] = "org.freedesktop.DBus";
static const char BUS_PATH[] = "/org/freedesktop/DBus";
static const char BENCH[] = "org.tpforward.Bench";

struct bus {
  int fd;
  char in[PIECE];
  size_t at, end;
};

struct message {
  char *data;
  size_t length;
};

/* Writing: every value is aligned to its own size, a structure to 8. */

static void align(struct message *m, size_t to) {
  while (m->length % to) m->data[m->length++] = 0;
}

static void put_u32(struct message *m, uint32_t v) {
  align(m, 4);
  memcpy(m->data + m->length, &v, 4);
  m->length += 4;
}

static void put_string(struct message *m, const char *s) {
  put_u32(m, (uint32_t)strlen(s));
  strcpy(m->data + m->length, s);
  m->length += strlen(s) + 1;
}

static void put_signature(struct message *m, const char *s) {
  m->data[m->length++] = (char)strlen(s);
  strcpy(m->data + m->length, s);
  m->length += strlen(s) + 1;
}

static void put_field(struct message *m, char code, const char *type, const char *text) {
  if (!text) return;
  align(m, 8);
  m->data[m->length++] = code;
  put_signature(m, type);
  if (*type == 'g') put_signature(m, text);
  else put_string(m, text);
}

/* A message with one string as its body, or none. */
static struct message compose(int type, int flags, const char *destination, const char *path,
                              const char *interface, const char *member, const char *argument) {
  struct message m = {.data = calloc(1, 1024 + (argument ? strlen(argument) : 0))};
  int one = 1;
  m.data[m.length++] = *(char *)&one ? 'l' : 'B';
  m.data[m.length++] = (char)type;
  m.data[m.length++] = (char)flags;
  m.data[m.length++] = 1;
  put_u32(&m, argument ? (uint32_t)strlen(argument) + 5 : 0);
  put_u32(&m, 1); /* the serial */
  put_u32(&m, 0);
  put_field(&m, 1, "o", path);
  put_field(&m, 2, "s", interface);
  put_field(&m, 3, "s", member);
  put_field(&m, 6, "s", destination);
  put_field(&m, 8, "g", argument ? "s" : NULL);
  uint32_t fields = (uint32_t)m.length - 16;
  memcpy(m.data + 12, &fields, 4);
  align(&m, 8);
  if (argument) put_string(&m, argument);
  return m;
}

static void send_as(struct bus *bus, struct message m, uint32_t serial) {
  memcpy(m.data + 8, &serial, 4);
  write_all(bus->fd, m.data, m.length);
}

/* Reading */

static void need(struct bus *bus, size_t count) {
  if (bus->at + count > sizeof bus->in) {
    memmove(bus->in, bus->in + bus->at, bus->end - bus->at);
    bus->end -= bus->at;
    bus->at = 0;
  }
  while (bus->end - bus->at < count) {
    ssize_t n = read(bus->fd, bus->in + bus->end, sizeof bus->in - bus->end);
    if (n <= 0) die("the bus");
    bus->end += (size_t)n;
  }
}

/* The next message; valid until the next call. */
static struct message next(struct bus *bus) {
  uint32_t body, fields;
  need(bus, 16);
  memcpy(&body, bus->in + bus->at + 4, 4);
  memcpy(&fields, bus->in + bus->at + 12, 4);
  size_t length = 16 + ((fields + 7u) & ~7u) + body;
  need(bus, length);
  struct message m = {.data = bus->in + bus->at, .length = length};
  bus->at += length;
  return m;
}

static void await_reply(struct bus *bus) {
  while (1) {
    int type = next(bus).data[1];
    if (type == METHOD_RETURN) return;
    if (type != SIGNAL) die("an error from the bus");
  }
}

static void call(struct bus *bus, const char *member, const char *argument) {
  struct message m = compose(METHOD_CALL, 0, BUS, BUS_PATH, BUS, member, argument);
  send_as(bus, m, 1);
  await_reply(bus);
  free(m.data);
}

static struct bus *open_bus(const char *path) {
  struct bus *bus = calloc(1, sizeof *bus);
  bus->fd = connect_to(path);
  char uid[16], line[128] = {0};
  int length = snprintf(uid, sizeof uid, "%u", getuid());
  length = 0;
  length += snprintf(line + 1, sizeof line - 1, "AUTH EXTERNAL ");
  for (char *c = uid; *c; c++) length += snprintf(line + 1 + length, 3, "%02x", *c);
  length += snprintf(line + 1 + length, 3, "\r\n");
  write_all(bus->fd, line, (size_t)length + 1);
  char c = 0;
  char first = 0;
  while (c != '\n') {
    read_all(bus->fd, &c, 1);
    if (!first) first = c;
  }
  if (first != 'O') die("the bus does not say OK");
  write_all(bus->fd, "BEGIN\r\n", 7);
  call(bus, "Hello", NULL);
  return bus;
}

static void measure_calls(struct bus *bus, int count, double *seconds) {
  struct message m = compose(METHOD_CALL, 0, BUS, BUS_PATH, BUS, "GetId", NULL);
  for (int i = 0; i < count; i++) {
    double began = now();
    send_as(bus, m, (uint32_t)i + 2);
    await_reply(bus);
    seconds[i] = now() - began;
  }
  free(m.data);
}

void bus_call(const char *path, int count) {
  double *seconds = calloc((size_t)count, sizeof *seconds);
  struct bus *bus = open_bus(path);
  measure_calls(bus, count < 100 ? count : 100, seconds);
  measure_calls(bus, count, seconds);
  print_percentiles(seconds, count);
}

void bus_count(const char *path, int count) {
  struct bus *bus = open_bus(path);
  call(bus, "AddMatch", "type='signal',interface='org.tpforward.Bench'");
  puts("ready");
  double began = 0;
  for (int i = 0; i < count;) {
    struct message m = next(bus);
    if (m.data[1] == SIGNAL && memmem(m.data, m.length, BENCH, sizeof BENCH - 1)) {
      if (i == 0) began = now();
      i++;
    }
  }
  printf("%.6f\n", now() - began);
}

void bus_emit(const char *path, int count, int size) {
  struct bus *bus = open_bus(path);
  char *text = malloc((size_t)size + 1);
  memset(text, 'x', (size_t)size);
  text[size] = 0;
  struct message m =
      compose(SIGNAL, NO_REPLY_EXPECTED, NULL, "/org/tpforward/bench", BENCH, "Signal", text);
  for (int i = 0; i < count; i++) send_as(bus, m, (uint32_t)i + 2);
  /* When this is answered, the bus has taken all that went before it. */
  call(bus, "GetId", NULL);
}

void bus_crowd(const char *path, int clients, int count) {
  struct bus **all = calloc((size_t)clients, sizeof *all);
  double *seconds = calloc((size_t)clients * (size_t)count, sizeof *seconds);
  double began = now();
  for (int i = 0; i < clients; i++) all[i] = open_bus(path);
  printf("%.6f ", now() - began);
  for (int i = 0; i < clients; i++) measure_calls(all[i], count, seconds + (size_t)i * (size_t)count);
  print_percentiles(seconds, clients * count);
}
