/* Tubes by hand: a service that another program serves, a socket that another program uses. */
#include "tpclient.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STREAM TP_IFACE_CHANNEL_TYPE_STREAM_TUBE
#define DBUS TP_IFACE_CHANNEL_TYPE_DBUS_TUBE

typedef struct {
  const char *service_property;
  const char *service;
  char *path;
} Awaited;

static gboolean
input_ended (GIOChannel *input, GIOCondition condition, gpointer ended)
{
  (void) condition;
  char byte;

  if (read (g_io_channel_unix_get_fd (input), &byte, 1) > 0)
    return G_SOURCE_CONTINUE;
  *(gboolean *) ended = TRUE;
  return G_SOURCE_REMOVE;
}

static void
until_input_ends (void)
{
  gboolean ended = FALSE;

  g_io_add_watch (g_io_channel_unix_new (STDIN_FILENO), G_IO_IN | G_IO_HUP, input_ended, &ended);
  while (!ended)
    g_main_context_iteration (NULL, TRUE);
}

static void
signalled (GDBusConnection *bus, const char *sender, const char *path, const char *interface,
    const char *signal, GVariant *arguments, gpointer data)
{
  (void) bus, (void) sender, (void) path, (void) interface, (void) data;
  char *text = g_variant_print (arguments, FALSE);

  say ("signal %s %s", signal, text);
  g_free (text);
}

/* host:port, /path or @abstract. */
static GVariant *
address_of (Kind kind, const char *text)
{
  const char *colon = strrchr (text, ':');

  if (kind.type == TP_SOCKET_ADDRESS_TYPE_IPV4 || kind.type == TP_SOCKET_ADDRESS_TYPE_IPV6)
    {
      if (colon == NULL)
        fail ("no port in %s", text);
      char *host = g_strndup (text, (gsize) (colon - text));
      return g_variant_new ("(sq)", host, (guint16) atoi (colon + 1));
    }
  char *name = g_strdup (text);
  if (name[0] == '@')
    name[0] = '\0';
  return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, name, strlen (text), 1);
}

void
raw_tube_offer (Session *session, char **arguments)
{
  GError *error = NULL;
  GVariantDict extra;
  GVariant *properties;
  Kind kind = kind_parse (arguments[2], arguments[3]);

  g_variant_dict_init (&extra, NULL);
  g_variant_dict_insert (&extra, TP_PROP_CHANNEL_TYPE_STREAM_TUBE_SERVICE, "s", arguments[1]);
  char *path = session_create_channel (session, STREAM, arguments[0], g_variant_dict_end (&extra),
      &properties);
  g_dbus_connection_signal_subscribe (session->bus, session->bus_name, STREAM, NULL, path, NULL,
      G_DBUS_SIGNAL_FLAGS_NONE, signalled, NULL, NULL);
  channel_call (session, path, STREAM, "Offer", g_variant_new ("(uvu@a{sv})", kind.type,
      address_of (kind, arguments[4]), kind.access, g_variant_new_array (G_VARIANT_TYPE ("{sv}"),
      NULL, 0)), &error);
  check (error, "Offer");
  say ("offered");
  until_input_ends ();
  session_close_channel (session, path);
}

static void
incoming (Session *session, const char *path, GVariant *properties, gpointer data)
{
  (void) session;
  Awaited *awaited = data;
  const char *service = "";

  g_variant_lookup (properties, awaited->service_property, "&s", &service);
  if (awaited->path == NULL && strcmp (service, awaited->service) == 0)
    awaited->path = g_strdup (path);
}

static char *
await_tube (Session *session, const char *type, const char *service_property, const char *service)
{
  Awaited *awaited = g_new0 (Awaited, 1); /* The watch goes on for as long as the program. */

  awaited->service_property = service_property;
  awaited->service = service;
  session_watch (session, type, incoming, awaited);
  while (awaited->path == NULL)
    g_main_context_iteration (NULL, TRUE);
  return awaited->path;
}

void
raw_tube_accept (Session *session, char **arguments)
{
  GError *error = NULL;
  GSocket *socket;
  GVariant *address;
  guint64 times = arguments[3] != NULL && arguments[4] != NULL
      ? g_ascii_strtoull (arguments[4], NULL, 10) : 1;
  Kind kind = kind_parse (arguments[1], arguments[2]);
  char *path = await_tube (session, STREAM, TP_PROP_CHANNEL_TYPE_STREAM_TUBE_SERVICE, arguments[0]);
  GVariant *parameter = kind_parameter (kind, &socket);
  GVariant *reply = channel_call (session, path, STREAM, "Accept",
      g_variant_new ("(uuv)", kind.type, kind.access, parameter), &error);

  check (error, "Accept");
  g_variant_get (reply, "(v)", &address);
  if (arguments[3] != NULL)
    {
      for (guint64 i = 0; i < times; i++)
        {
          GSocketConnection *connection = kind_connect (kind, address, socket);
          use_stream (connection, g_ascii_strtoull (arguments[3], NULL, 10));
          g_object_unref (connection);
        }
    }
  else
    {
      kind_say (kind, address);
      until_input_ends ();
    }
  session_close_channel (session, path);
}

static GVariant *
property (Session *session, const char *path, const char *interface, const char *name)
{
  GError *error = NULL;
  GVariant *reply = channel_call (session, path, "org.freedesktop.DBus.Properties", "Get",
      g_variant_new ("(ss)", interface, name), &error);
  GVariant *value;

  check (error, name);
  g_variant_get (reply, "(v)", &value);
  return value;
}

/* In a room: the name of who offers the tube on the bus that it is. */
static void
say_initiator (Session *session, const char *path)
{
  guint initiator = g_variant_get_uint32 (property (session, path, TP_IFACE_CHANNEL,
      "InitiatorHandle"));
  GVariantIter iter;
  const char *name;
  guint handle;

  g_variant_iter_init (&iter, property (session, path, DBUS, "DBusNames"));
  while (g_variant_iter_next (&iter, "{u&s}", &handle, &name))
    if (handle == initiator)
      say ("initiator %s", name);
}

void
raw_dbus_tube_accept (Session *session, char **arguments)
{
  GError *error = NULL;
  const char *address;
  Kind kind = kind_parse ("unix", arguments[1]);
  char *path = await_tube (session, DBUS, TP_PROP_CHANNEL_TYPE_DBUS_TUBE_SERVICE_NAME,
      arguments[0]);
  GVariant *reply = channel_call (session, path, DBUS, "Accept", g_variant_new ("(u)", kind.access),
      &error);

  check (error, "Accept");
  g_variant_get (reply, "(&s)", &address);
  say_initiator (session, path);
  say ("address dbus %s", address);
  until_input_ends ();
  session_close_channel (session, path);
}
