#include "tpclient.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  const char *name;
  int arguments;
  void (*run) (Session *session, char **arguments);
  const char *usage;
} Command;

static const Command commands[] = {
  { "send", 2, file_send, "PEER FILE…" },
  { "receive", 2, file_receive, "DIRECTORY COUNT [OFFSET]" },
  { "raw-send", 4, raw_send, "PEER FILE TYPE ACCESS" },
  { "raw-receive", 4, raw_receive, "DIRECTORY COUNT TYPE ACCESS [OFFSET]" },
  { "tube-offer", 3, stream_offer, "PEER SERVICE CONNECTIONS: echoes what comes" },
  { "tube-accept", 2, stream_accept, "SERVICE BYTES: sends them, expects them back" },
  { "dbus-tube-offer", 2, dbus_offer, "PEER SERVICE: exports an echo" },
  { "dbus-tube-accept", 2, dbus_accept, "SERVICE TEXT: calls it" },
  { "raw-tube-offer", 5, raw_tube_offer,
    "PEER SERVICE TYPE ACCESS ADDRESS: offers a service that is there, until input ends" },
  { "raw-tube-accept", 3, raw_tube_accept,
    "SERVICE TYPE ACCESS [BYTES [TIMES]]: sends them, or keeps the address until input ends" },
  { "raw-dbus-tube-accept", 2, raw_dbus_tube_accept,
    "SERVICE ACCESS: keeps the address until input ends" },
  { "tubes-offer", 5, tubes_offer, "PEER SERVICE TYPE ACCESS CONNECTIONS: echoes what comes" },
  { "tubes-accept", 4, tubes_accept, "SERVICE TYPE ACCESS BYTES" },
  { "tubes-use", 2, tubes_use, "SERVICE BYTES: one that another client has accepted" },
  { "tubes-dbus-offer", 2, tubes_dbus_offer, "PEER SERVICE: exports an echo" },
  { "tubes-dbus-accept", 2, tubes_dbus_accept, "SERVICE TEXT: calls it" },
};

int
main (int argc, char **argv)
{
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    {
      if (argc >= 3 + commands[i].arguments && strcmp (argv[1], commands[i].name) == 0)
        {
          commands[i].run (session_open (argv[2]), argv + 3);
          say ("done");
          return EXIT_SUCCESS;
        }
    }
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    fprintf (stderr, "tpclient %s ACCOUNT %s\n", commands[i].name, commands[i].usage);
  return 2;
}

void
say (const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  vprintf (format, arguments);
  va_end (arguments);
  putchar ('\n');
  fflush (stdout);
}

void
pause_at (const char *point)
{
  char line[80];

  if (g_strcmp0 (g_getenv ("TPCLIENT_PAUSE"), point) != 0)
    return;
  say ("paused");
  if (fgets (line, sizeof line, stdin) == NULL)
    fail ("standard input ended");
}

void
fail (const char *format, ...)
{
  va_list arguments;

  fputs ("error ", stderr);
  va_start (arguments, format);
  vfprintf (stderr, format, arguments);
  va_end (arguments);
  fputc ('\n', stderr);
  exit (EXIT_FAILURE);
}

void
check (GError *error, const char *what)
{
  if (error == NULL)
    return;
  /* The D-Bus name too: tests are about it. */
  char *name = g_dbus_error_is_remote_error (error) ? g_dbus_error_get_remote_error (error) : NULL;
  if (name == NULL && error->domain == TP_ERROR)
    name = g_strdup (tp_error_get_dbus_name (error->code));
  fail ("%s: %s: %s", what, name != NULL ? name : g_quark_to_string (error->domain),
      error->message);
}

void
wait_done (GObject *source, GAsyncResult *result, gpointer wait)
{
  (void) source;
  ((Wait *) wait)->result = g_object_ref (result);
}

GAsyncResult *
wait_for (Wait *wait)
{
  while (wait->result == NULL)
    g_main_context_iteration (NULL, TRUE);
  return wait->result;
}
