/* Channel.Type.Tubes, the older interface: numbered tubes in one channel. */
#include "tpclient.h"

#include <string.h>

#define TUBES TP_IFACE_CHANNEL_TYPE_TUBES

/* A tube in the list, and its channel. */
typedef struct {
  Session *session;
  const char *service;
  char *path;
  guint id;
  gboolean found;
  gboolean closed;
} Listed;

static void
signalled (GDBusConnection *bus, const char *sender, const char *path, const char *interface,
    const char *signal, GVariant *arguments, gpointer data)
{
  (void) bus, (void) sender, (void) interface;
  Listed *listed = data;
  char *text = g_variant_print (arguments, FALSE);

  say ("signal %s %s", signal, text);
  g_free (text);
  if (strcmp (signal, "NewTube") == 0)
    {
      const char *service;
      guint id;
      g_variant_get (arguments, "(uuu&s@a{sv}u)", &id, NULL, NULL, &service, NULL, NULL);
      if (!listed->found && listed->service != NULL && strcmp (service, listed->service) == 0)
        {
          listed->found = TRUE;
          listed->id = id;
          listed->path = g_strdup (path);
        }
    }
  else if (strcmp (signal, "TubeClosed") == 0)
    {
      guint id;
      g_variant_get (arguments, "(u)", &id);
      listed->closed |= id == listed->id;
    }
}

static void
follow (Listed *listed, const char *path)
{
  g_dbus_connection_signal_subscribe (listed->session->bus, listed->session->bus_name, TUBES, NULL,
      path, NULL, G_DBUS_SIGNAL_FLAGS_NONE, signalled, listed, NULL);
}

static GVariant *
call (Listed *listed, const char *method, GVariant *arguments)
{
  GError *error = NULL;
  GVariant *reply = channel_call (listed->session, listed->path, TUBES, method, arguments, &error);

  check (error, method);
  return reply;
}

/* For a call that must fail. */
static void
say_error (Listed *listed, const char *method, GVariant *arguments)
{
  GError *error = NULL;

  channel_call (listed->session, listed->path, TUBES, method, arguments, &error);
  char *name = error != NULL ? g_dbus_error_get_remote_error (error) : NULL;
  say ("refused %s %s", method, name != NULL ? name : "not");
}

static void
say_abilities (Listed *listed)
{
  GVariant *reply = call (listed, "GetAvailableStreamTubeTypes", NULL);
  char *text = g_variant_print (reply, FALSE);

  say ("abilities %s", text);
  g_free (text);
}

/* GetStreamTubeSocketAddress must say this, each time. */
static void
expect_address (Listed *listed, Kind kind, GVariant *address)
{
  for (int i = 0; i < 2; i++)
    {
      guint type;
      GVariant *said;
      GVariant *reply = call (listed, "GetStreamTubeSocketAddress",
          g_variant_new ("(u)", listed->id));
      g_variant_get (reply, "(uv)", &type, &said);
      if (type != kind.type || !g_variant_equal (said, address))
        fail ("GetStreamTubeSocketAddress: %u %s instead of %u %s", type,
            g_variant_print (said, TRUE), kind.type, g_variant_print (address, TRUE));
    }
  say ("same address");
}

static void
close_tube (Listed *listed)
{
  call (listed, "CloseTube", g_variant_new ("(u)", listed->id));
  while (!listed->closed)
    g_main_context_iteration (NULL, TRUE);
}

static Listed *
offer_to (Session *session, const char *peer)
{
  Listed *listed = g_new0 (Listed, 1);
  GVariantDict extra;
  GVariant *properties;

  g_variant_dict_init (&extra, NULL);
  listed->session = session;
  listed->path = session_create_channel (session, TUBES, peer, g_variant_dict_end (&extra),
      &properties);
  follow (listed, listed->path);
  return listed;
}

static void
accepted (GObject *listener, GAsyncResult *result, gpointer connection)
{
  GError *error = NULL;

  *(GSocketConnection **) connection = g_socket_listener_accept_finish (
      G_SOCKET_LISTENER (listener), result, NULL, &error);
  check (error, "accept");
}

void
tubes_offer (Session *session, char **arguments)
{
  Kind kind = kind_parse (arguments[2], arguments[3]);
  guint64 connections = g_ascii_strtoull (arguments[4], NULL, 10), left = connections;
  Listed *listed = offer_to (session, arguments[0]);
  GVariant *address;
  GSocketListener *listener = kind_listen (kind, &address);

  g_variant_ref_sink (address);
  say_abilities (listed);
  GVariant *reply = call (listed, "OfferStreamTube", g_variant_new ("(s@a{sv}uvuv)", arguments[1],
      g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0), kind.type, address, kind.access,
      g_variant_new_string ("")));
  g_variant_get (reply, "(u)", &listed->id);
  say ("offered %u", listed->id);
  expect_address (listed, kind, address);
  for (guint64 i = 0; i < connections; i++)
    {
      GSocketConnection *connection = NULL;
      g_socket_listener_accept_async (listener, NULL, accepted, &connection);
      while (connection == NULL)
        g_main_context_iteration (NULL, TRUE);
      kind_take_byte (kind, connection);
      echo_stream (connection, &left);
    }
  while (left > 0)
    g_main_context_iteration (NULL, TRUE);
  close_tube (listed);
  say_error (listed, "GetStreamTubeSocketAddress", g_variant_new ("(u)", listed->id));
}

static void
incoming (Session *session, const char *path, GVariant *properties, gpointer data)
{
  (void) properties;
  GError *error = NULL;
  Listed *listed = data;
  GVariantIter *tubes;
  GVariant *parameters;
  const char *service;
  guint id;

  follow (listed, path);
  GVariant *reply = channel_call (session, path, TUBES, "ListTubes", NULL, &error);
  check (error, "ListTubes");
  g_variant_get (reply, "(a(uuusa{sv}u))", &tubes);
  while (g_variant_iter_next (tubes, "(uuu&s@a{sv}u)", &id, NULL, NULL, &service, &parameters, NULL))
    {
      if (!listed->found && strcmp (service, listed->service) == 0)
        {
          listed->found = TRUE;
          listed->id = id;
          listed->path = g_strdup (path);
        }
    }
}

static Listed *
await_tube (Session *session, const char *service)
{
  Listed *listed = g_new0 (Listed, 1);

  listed->session = session;
  listed->service = service;
  session_watch (session, TUBES, incoming, listed);
  while (!listed->found)
    g_main_context_iteration (NULL, TRUE);
  return listed;
}

void
tubes_accept (Session *session, char **arguments)
{
  Kind kind = kind_parse (arguments[1], arguments[2]);
  Listed *listed = await_tube (session, arguments[0]);
  GVariant *address;
  GSocket *socket;
  GVariant *parameter = g_variant_ref_sink (kind_parameter (kind, &socket));

  say_abilities (listed);
  say_error (listed, "GetStreamTubeSocketAddress", g_variant_new ("(u)", listed->id));
  GVariant *reply = call (listed, "AcceptStreamTube",
      g_variant_new ("(uuuv)", listed->id, kind.type, kind.access, parameter));
  g_variant_get (reply, "(v)", &address);
  say ("accepted %u", listed->id);
  say_error (listed, "AcceptStreamTube",
      g_variant_new ("(uuuv)", listed->id, kind.type, kind.access, parameter));
  expect_address (listed, kind, address);
  use_stream (kind_connect (kind, address, socket), g_ascii_strtoull (arguments[3], NULL, 10));
  close_tube (listed);
}

/* One that somebody else has accepted for this account. */
void
tubes_use (Session *session, char **arguments)
{
  Listed *listed = await_tube (session, arguments[0]);
  Kind kind = { 0, TP_SOCKET_ACCESS_CONTROL_LOCALHOST };
  GVariant *address;

  GVariant *reply = call (listed, "GetStreamTubeSocketAddress", g_variant_new ("(u)", listed->id));
  g_variant_get (reply, "(uv)", &kind.type, &address);
  use_stream (kind_connect (kind, address, NULL), g_ascii_strtoull (arguments[1], NULL, 10));
}

static GDBusConnection *
connect_tube (Listed *listed, const char *address)
{
  GError *error = NULL;
  const char *again;
  GVariant *reply = call (listed, "GetDBusTubeAddress", g_variant_new ("(u)", listed->id));

  g_variant_get (reply, "(&s)", &again);
  if (address != NULL && strcmp (address, again) != 0)
    fail ("GetDBusTubeAddress: %s instead of %s", again, address);
  say ("address dbus %s", again);
  GDBusConnection *tube = g_dbus_connection_new_for_address_sync (again,
      G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT, NULL, NULL, &error);
  check (error, again);
  return tube;
}

void
tubes_dbus_offer (Session *session, char **arguments)
{
  Listed *listed = offer_to (session, arguments[0]);
  GVariant *reply = call (listed, "OfferDBusTube", g_variant_new ("(s@a{sv})", arguments[1],
      g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0)));

  g_variant_get (reply, "(u)", &listed->id);
  say ("offered %u", listed->id);
  serve_echo (connect_tube (listed, NULL));
  close_tube (listed);
}

void
tubes_dbus_accept (Session *session, char **arguments)
{
  Listed *listed = await_tube (session, arguments[0]);
  const char *address;
  GVariant *reply = call (listed, "AcceptDBusTube", g_variant_new ("(u)", listed->id));

  g_variant_get (reply, "(&s)", &address);
  say ("accepted %u", listed->id);
  call_echo (connect_tube (listed, address), arguments[1]);
  close_tube (listed);
}
