/* Tubes by TpStreamTubeChannel and TpDBusTubeChannel, unmodified. */
#include "tpclient.h"

#include <string.h>

static const char echo_xml[] =
  "<node><interface name='org.tpforward.Echo'><method name='Echo'>"
  "<arg type='s' direction='in'/><arg type='s' direction='out'/></method></interface>"
  "<interface name='org.freedesktop.DBus'><method name='Hello'>"
  "<arg type='s' direction='out'/></method></interface></node>";

typedef struct {
  const char *service;
  const char *argument;
  gboolean done;
} Accept;

static GHashTable *
parameters (void)
{
  return tp_asv_new ("greeting", G_TYPE_STRING, "hello", NULL);
}

typedef struct {
  GSocketConnection *connection;
  guint64 *left;
} Echo;

static void
echoed (GObject *out, GAsyncResult *result, gpointer data)
{
  GError *error = NULL;
  Echo *echo = data;
  gssize count = g_output_stream_splice_finish (G_OUTPUT_STREAM (out), result, &error);
  check (error, "echo");
  say ("echoed %" G_GSSIZE_FORMAT, count);
  /* The streams have been closed, the socket has not. */
  g_io_stream_close (G_IO_STREAM (echo->connection), NULL, NULL);
  (*echo->left)--;
}

void
echo_stream (GSocketConnection *connection, guint64 *left)
{
  Echo *echo = g_new0 (Echo, 1);

  echo->connection = g_object_ref (connection);
  echo->left = left;
  g_output_stream_splice_async (g_io_stream_get_output_stream (G_IO_STREAM (connection)),
      g_io_stream_get_input_stream (G_IO_STREAM (connection)),
      G_OUTPUT_STREAM_SPLICE_CLOSE_SOURCE | G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET, 0, NULL, echoed,
      echo);
}

static void
tube_connection (TpStreamTubeChannel *channel, TpStreamTubeConnection *tube, gpointer left)
{
  (void) channel;
  TpContact *contact = tp_stream_tube_connection_get_contact (tube);

  g_object_ref (tube);
  say ("connection %s", contact != NULL ? tp_contact_get_identifier (contact) : "?");
  echo_stream (tp_stream_tube_connection_get_socket_connection (tube), left);
}

static TpChannel *
create_tube (Session *session, const char *type, const char *service_property, char **arguments,
    GQuark feature)
{
  GVariantDict extra;
  GVariant *properties;

  g_variant_dict_init (&extra, NULL);
  g_variant_dict_insert (&extra, service_property, "s", arguments[1]);
  char *path = session_create_channel (session, type, arguments[0], g_variant_dict_end (&extra),
      &properties);
  return session_channel (session, path, properties, feature);
}

void
stream_offer (Session *session, char **arguments)
{
  GError *error = NULL;
  guint64 left = g_ascii_strtoull (arguments[2], NULL, 10);
  Wait wait = { NULL };
  TpStreamTubeChannel *channel = TP_STREAM_TUBE_CHANNEL (create_tube (session,
      TP_IFACE_CHANNEL_TYPE_STREAM_TUBE, TP_PROP_CHANNEL_TYPE_STREAM_TUBE_SERVICE, arguments,
      TP_CHANNEL_FEATURE_CORE));

  g_signal_connect (channel, "incoming", G_CALLBACK (tube_connection), &left);
  tp_stream_tube_channel_offer_async (channel, parameters (), wait_done, &wait);
  tp_stream_tube_channel_offer_finish (channel, wait_for (&wait), &error);
  check (error, "Offer");
  say ("offered");
  while (left > 0)
    g_main_context_iteration (NULL, TRUE);
}

void
use_stream (GSocketConnection *connection, gsize length)
{
  GError *error = NULL;
  guchar *sent = g_malloc (length), *back = g_malloc (length + 1);
  gsize count = 0;

  for (gsize i = 0; i < length; i++)
    sent[i] = (guchar) g_random_int ();
  /* The buffers on the way may hold less than all of it: writing waits for reading. */
  GOutputStream *out = g_io_stream_get_output_stream (G_IO_STREAM (connection));
  GInputStream *in = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  Wait wait = { NULL };
  g_output_stream_write_all_async (out, sent, length, 0, NULL, wait_done, &wait);
  while (count < length)
    {
      Wait read = { NULL };
      g_input_stream_read_async (in, back + count, length + 1 - count, 0, NULL, wait_done, &read);
      gssize n = g_input_stream_read_finish (in, wait_for (&read), &error);
      check (error, "read");
      if (n == 0)
        break;
      count += (gsize) n;
    }
  g_output_stream_write_all_finish (out, wait_for (&wait), NULL, &error);
  check (error, "write");
  g_socket_shutdown (g_socket_connection_get_socket (connection), FALSE, TRUE, &error);
  check (error, "half-close");
  gssize more = g_input_stream_read (in, back + length, 1, NULL, &error);
  check (error, "read");
  if (count != length || more != 0 || memcmp (sent, back, length) != 0)
    fail ("%" G_GSIZE_FORMAT " bytes came back, %" G_GSSIZE_FORMAT " after the end", count, more);
  say ("same %" G_GSIZE_FORMAT, count);
  g_free (sent);
  g_free (back);
}

static void
incoming_stream (Session *session, const char *path, GVariant *properties, gpointer data)
{
  GError *error = NULL;
  Accept *accept = data;
  Wait wait = { NULL };
  const char *service = "";

  g_variant_lookup (properties, TP_PROP_CHANNEL_TYPE_STREAM_TUBE_SERVICE, "&s", &service);
  if (strcmp (service, accept->service) != 0)
    return;
  TpStreamTubeChannel *channel = TP_STREAM_TUBE_CHANNEL (session_channel (session, path,
      properties, TP_CHANNEL_FEATURE_CORE));
  tp_stream_tube_channel_accept_async (channel, wait_done, &wait);
  TpStreamTubeConnection *tube = tp_stream_tube_channel_accept_finish (channel, wait_for (&wait),
      &error);
  check (error, "Accept");
  say ("accepted");
  use_stream (tp_stream_tube_connection_get_socket_connection (tube),
      g_ascii_strtoull (accept->argument, NULL, 10));
  accept->done = TRUE;
}

void
stream_accept (Session *session, char **arguments)
{
  Accept accept = { arguments[0], arguments[1], FALSE };

  session_watch (session, TP_IFACE_CHANNEL_TYPE_STREAM_TUBE, incoming_stream, &accept);
  while (!accept.done)
    g_main_context_iteration (NULL, TRUE);
}

static void
echo_called (GDBusConnection *connection, const char *sender, const char *path,
    const char *interface, const char *method, GVariant *arguments, GDBusMethodInvocation *call,
    gpointer data)
{
  (void) connection, (void) sender, (void) path, (void) interface, (void) method, (void) data;
  const char *text;

  g_variant_get (arguments, "(&s)", &text);
  say ("called %s", text);
  g_dbus_method_invocation_return_value (call, g_variant_new ("(s)", text));
}

/* gdbus takes whatever it is told to connect to for a message bus, and greets it. */
static void
hello_called (GDBusConnection *connection, const char *sender, const char *path,
    const char *interface, const char *method, GVariant *arguments, GDBusMethodInvocation *call,
    gpointer data)
{
  (void) connection, (void) sender, (void) path, (void) interface, (void) method;
  (void) arguments, (void) data;
  g_dbus_method_invocation_return_value (call, g_variant_new ("(s)", ":1.1"));
}

static void
tube_closed (GDBusConnection *connection, gboolean vanished, GError *error, gpointer closed)
{
  (void) connection, (void) vanished, (void) error;
  *(gboolean *) closed = TRUE;
}

void
serve_echo (GDBusConnection *tube)
{
  static const GDBusInterfaceVTable vtable = { .method_call = echo_called };
  static const GDBusInterfaceVTable greeting = { .method_call = hello_called };
  GError *error = NULL;
  gboolean closed = FALSE;

  g_signal_connect (tube, "closed", G_CALLBACK (tube_closed), &closed);
  GDBusNodeInfo *info = g_dbus_node_info_new_for_xml (echo_xml, &error);
  check (error, "interface");
  g_dbus_connection_register_object (tube, "/org/tpforward/Echo", info->interfaces[0], &vtable, NULL,
      NULL, &error);
  check (error, "register");
  g_dbus_connection_register_object (tube, "/org/freedesktop/DBus", info->interfaces[1], &greeting,
      NULL, NULL, &error);
  check (error, "register");
  say ("exported");
  while (!closed)
    g_main_context_iteration (NULL, TRUE);
}

void
call_echo (GDBusConnection *tube, const char *argument)
{
  GError *error = NULL;
  GVariant *reply;
  const char *text;

  /* telepathy-glib hands the connection out when it is open: the object may come a moment later. */
  do
    {
      g_clear_error (&error);
      reply = g_dbus_connection_call_sync (tube, NULL, "/org/tpforward/Echo", "org.tpforward.Echo",
          "Echo", g_variant_new ("(s)", argument), G_VARIANT_TYPE ("(s)"), G_DBUS_CALL_FLAGS_NONE,
          -1, NULL, &error);
    }
  while (g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_METHOD));
  check (error, "Echo");
  g_variant_get (reply, "(&s)", &text);
  if (strcmp (text, argument) != 0)
    fail ("echo of %s was %s", argument, text);
  say ("echoed %s", text);
  g_dbus_connection_close_sync (tube, NULL, &error);
  check (error, "close");
}

void
dbus_offer (Session *session, char **arguments)
{
  GError *error = NULL;
  Wait wait = { NULL };
  TpDBusTubeChannel *channel = TP_DBUS_TUBE_CHANNEL (create_tube (session,
      TP_IFACE_CHANNEL_TYPE_DBUS_TUBE, TP_PROP_CHANNEL_TYPE_DBUS_TUBE_SERVICE_NAME, arguments,
      TP_DBUS_TUBE_CHANNEL_FEATURE_CORE));

  tp_dbus_tube_channel_offer_async (channel, parameters (), wait_done, &wait);
  say ("offered");
  GDBusConnection *tube = tp_dbus_tube_channel_offer_finish (channel, wait_for (&wait), &error);
  check (error, "Offer");
  serve_echo (tube);
}

static void
incoming_dbus (Session *session, const char *path, GVariant *properties, gpointer data)
{
  GError *error = NULL;
  Accept *accept = data;
  Wait wait = { NULL };
  const char *service = "";

  g_variant_lookup (properties, TP_PROP_CHANNEL_TYPE_DBUS_TUBE_SERVICE_NAME, "&s", &service);
  if (strcmp (service, accept->service) != 0)
    return;
  TpDBusTubeChannel *channel = TP_DBUS_TUBE_CHANNEL (session_channel (session, path, properties,
      TP_DBUS_TUBE_CHANNEL_FEATURE_CORE));
  tp_dbus_tube_channel_accept_async (channel, wait_done, &wait);
  GDBusConnection *tube = tp_dbus_tube_channel_accept_finish (channel, wait_for (&wait), &error);
  check (error, "Accept");
  say ("accepted");
  call_echo (tube, accept->argument);
  accept->done = TRUE;
}

void
dbus_accept (Session *session, char **arguments)
{
  Accept accept = { arguments[0], arguments[1], FALSE };

  session_watch (session, TP_IFACE_CHANNEL_TYPE_DBUS_TUBE, incoming_dbus, &accept);
  while (!accept.done)
    g_main_context_iteration (NULL, TRUE);
}
