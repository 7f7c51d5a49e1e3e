#include "tpclient.h"

#include <dbus/dbus.h>
#include <string.h>

#define REQUESTS "org.freedesktop.Telepathy.Connection.Interface.Requests"

typedef struct {
  Session *session;
  char *type;
  ChannelFunc func;
  gpointer data;
  GHashTable *seen; /* paths */
} Watch;

GVariant *
channel_call (Session *session, const char *path, const char *interface, const char *method,
    GVariant *arguments, GError **error)
{
  return g_dbus_connection_call_sync (session->bus, session->bus_name, path, interface, method,
      arguments, NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, error);
}

static void
bus_closed (GDBusConnection *bus, gboolean vanished, GError *error, gpointer data)
{
  (void) bus, (void) vanished, (void) error, (void) data;
  say ("bus closed");
}

/* Both bus connections, GDBus's and telepathy-glib's, end the program with the bus by default. */
static void
survive_the_bus (Session *session)
{
  /* Which of the two telepathy-glib uses is its own affair. */
  static const DBusBusType types[] = { DBUS_BUS_SESSION, DBUS_BUS_STARTER };

  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    {
      DBusConnection *connection = dbus_bus_get (types[i], NULL);
      if (connection != NULL)
        dbus_connection_set_exit_on_disconnect (connection, FALSE);
    }
  g_dbus_connection_set_exit_on_close (session->bus, FALSE);
  g_signal_connect (session->bus, "closed", G_CALLBACK (bus_closed), NULL);
}

void
session_catch_up (Session *session)
{
  GVariant *reply = g_dbus_connection_call_sync (session->bus, "org.freedesktop.DBus",
      "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetId", NULL, NULL,
      G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL);

  g_clear_pointer (&reply, g_variant_unref);
  while (g_main_context_iteration (NULL, FALSE))
    continue;
}

static void
request_connection (Session *session, const char *account)
{
  GError *error = NULL;
  GVariantBuilder parameters;

  g_variant_builder_init (&parameters, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&parameters, "{sv}", "account", g_variant_new_string (account));
  GVariant *reply = g_dbus_connection_call_sync (session->bus,
      "org.freedesktop.Telepathy.ConnectionManager.loopback",
      "/org/freedesktop/Telepathy/ConnectionManager/loopback",
      "org.freedesktop.Telepathy.ConnectionManager", "RequestConnection",
      g_variant_new ("(sa{sv})", "loopback", &parameters), G_VARIANT_TYPE ("(so)"),
      G_DBUS_CALL_FLAGS_NONE, -1, NULL, &error);
  if (reply != NULL)
    {
      g_variant_get (reply, "(so)", &session->bus_name, &session->path);
      return;
    }
  char *remote = g_dbus_error_get_remote_error (error);
  if (g_strcmp0 (remote, TP_ERROR_STR_NOT_AVAILABLE) != 0)
    check (error, "RequestConnection");
  /* The account has a connection: another client's, or an earlier one of ours. */
  char *tail = tp_escape_as_identifier (account);
  session->bus_name = g_strconcat (TP_CONN_BUS_NAME_BASE, "loopback.loopback.", tail, NULL);
  session->path = g_strconcat (TP_CONN_OBJECT_PATH_BASE, "loopback/loopback/", tail, NULL);
}

/* A connection of any CM that somebody else has requested, by its path. */
static void
name_connection (Session *session, const char *path)
{
  session->path = g_strdup (path);
  session->bus_name = g_strdelimit (g_strdup (path + 1), "/", '.');
}

Session *
session_open (const char *account)
{
  GError *error = NULL;
  Session *session = g_new0 (Session, 1);
  GQuark features[] = { TP_CONNECTION_FEATURE_CONNECTED, 0 };
  Wait wait = { NULL };

  session->bus = g_bus_get_sync (G_BUS_TYPE_SESSION, NULL, &error);
  check (error, "session bus");
  TpDBusDaemon *daemon = tp_dbus_daemon_dup (&error);
  check (error, "session bus");
  survive_the_bus (session);
  if (account[0] == '/')
    name_connection (session, account);
  else
    request_connection (session, account);
  session->factory = TP_SIMPLE_CLIENT_FACTORY (tp_automatic_client_factory_new (daemon));
  session->connection = tp_simple_client_factory_ensure_connection (session->factory,
      session->path, NULL, &error);
  check (error, "connection");
  GVariant *reply = channel_call (session, session->path, TP_IFACE_CONNECTION, "Connect", NULL, &error);
  check (error, "Connect");
  g_variant_unref (reply);
  tp_proxy_prepare_async (session->connection, features, wait_done, &wait);
  tp_proxy_prepare_finish (session->connection, wait_for (&wait), &error);
  check (error, "prepare the connection");
  say ("connected %s %s", account, session->path);
  return session;
}

static TpHandle
contact_handle (Session *session, const char *id)
{
  GError *error = NULL;
  Wait wait = { NULL };

  tp_connection_dup_contact_by_id_async (session->connection, id, 0, NULL, wait_done, &wait);
  TpContact *contact = tp_connection_dup_contact_by_id_finish (session->connection,
      wait_for (&wait), &error);
  check (error, "contact");
  return tp_contact_get_handle (contact);
}

char *
session_create_channel (Session *session, const char *type, const char *peer, GVariant *extra,
    GVariant **properties)
{
  GError *error = NULL;
  GVariantDict request;
  GVariantIter iter;
  char *key, *path;
  GVariant *value;

  g_variant_dict_init (&request, NULL);
  g_variant_dict_insert (&request, TP_PROP_CHANNEL_CHANNEL_TYPE, "s", type);
  if (peer[0] == '#')
    {
      g_variant_dict_insert (&request, TP_PROP_CHANNEL_TARGET_HANDLE_TYPE, "u", TP_HANDLE_TYPE_ROOM);
      g_variant_dict_insert (&request, TP_PROP_CHANNEL_TARGET_ID, "s", peer);
    }
  else
    {
      g_variant_dict_insert (&request, TP_PROP_CHANNEL_TARGET_HANDLE_TYPE, "u",
          TP_HANDLE_TYPE_CONTACT);
      g_variant_dict_insert (&request, TP_PROP_CHANNEL_TARGET_HANDLE, "u",
          contact_handle (session, peer));
    }
  g_variant_iter_init (&iter, extra);
  while (g_variant_iter_next (&iter, "{sv}", &key, &value))
    g_variant_dict_insert_value (&request, key, value);

  GVariant *reply = channel_call (session, session->path, REQUESTS, "CreateChannel",
      g_variant_new ("(@a{sv})", g_variant_dict_end (&request)), &error);
  check (error, "CreateChannel");
  g_variant_get (reply, "(o@a{sv})", &path, properties);
  say ("channel %s", path);
  return path;
}

TpChannel *
session_channel (Session *session, const char *path, GVariant *properties, GQuark feature)
{
  GError *error = NULL;
  GQuark features[] = { feature, 0 };
  Wait wait = { NULL };
  GValue value = G_VALUE_INIT;

  dbus_g_value_parse_g_variant (properties, &value);
  TpChannel *channel = tp_simple_client_factory_ensure_channel (session->factory,
      session->connection, path, g_value_get_boxed (&value), &error);
  check (error, "channel");
  tp_proxy_prepare_async (channel, features, wait_done, &wait);
  tp_proxy_prepare_finish (channel, wait_for (&wait), &error);
  check (error, "prepare the channel");
  return channel;
}

void
session_close_channel (Session *session, const char *path)
{
  GVariant *reply = channel_call (session, path, TP_IFACE_CHANNEL, "Close", NULL, NULL);
  if (reply != NULL)
    g_variant_unref (reply);
}

/* A file of an earlier client of this account, done or given up, is nobody's any more. */
static gboolean
is_over (Watch *watch, const char *path, const char *type)
{
  guint state = TP_FILE_TRANSFER_STATE_PENDING;

  if (strcmp (type, TP_IFACE_CHANNEL_TYPE_FILE_TRANSFER) != 0)
    return FALSE;
  GVariant *reply = channel_call (watch->session, path, "org.freedesktop.DBus.Properties", "Get",
      g_variant_new ("(ss)", type, "State"), NULL);
  if (reply != NULL)
    {
      GVariant *value;
      g_variant_get (reply, "(v)", &value);
      state = g_variant_get_uint32 (value);
      g_variant_unref (value);
      g_variant_unref (reply);
    }
  return state != TP_FILE_TRANSFER_STATE_PENDING;
}

static void
offer_one (Watch *watch, const char *path, GVariant *properties)
{
  const char *type = "";
  gboolean requested = TRUE;

  g_variant_lookup (properties, TP_PROP_CHANNEL_CHANNEL_TYPE, "&s", &type);
  g_variant_lookup (properties, TP_PROP_CHANNEL_REQUESTED, "b", &requested);
  if (!requested && strcmp (type, watch->type) == 0 && !is_over (watch, path, type)
      && g_hash_table_add (watch->seen, g_strdup (path)))
    watch->func (watch->session, path, properties, watch->data);
}

static void
offer_all (Watch *watch, GVariant *channels)
{
  GVariantIter iter;
  const char *path;
  GVariant *properties;

  g_variant_iter_init (&iter, channels);
  while (g_variant_iter_next (&iter, "(&o@a{sv})", &path, &properties))
    {
      offer_one (watch, path, properties);
      g_variant_unref (properties);
    }
}

static void
new_channels (GDBusConnection *bus, const char *sender, const char *path, const char *interface,
    const char *signal, GVariant *arguments, gpointer watch)
{
  (void) bus, (void) sender, (void) path, (void) interface, (void) signal;
  GVariant *channels = g_variant_get_child_value (arguments, 0);
  offer_all (watch, channels);
  g_variant_unref (channels);
}

void
session_watch (Session *session, const char *type, ChannelFunc func, gpointer data)
{
  GError *error = NULL;
  Watch *watch = g_new0 (Watch, 1);
  GVariant *value;

  watch->session = session;
  watch->type = g_strdup (type);
  watch->func = func;
  watch->data = data;
  /* A channel that comes while the list is fetched is in the signal and in the list. */
  watch->seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_dbus_connection_signal_subscribe (session->bus, session->bus_name, REQUESTS, "NewChannels",
      session->path, NULL, G_DBUS_SIGNAL_FLAGS_NONE, new_channels, watch, NULL);
  GVariant *reply = channel_call (session, session->path, "org.freedesktop.DBus.Properties", "Get",
      g_variant_new ("(ss)", REQUESTS, "Channels"), &error);
  check (error, "Requests.Channels");
  say ("ready");
  g_variant_get (reply, "(v)", &value);
  offer_all (watch, value);
}
