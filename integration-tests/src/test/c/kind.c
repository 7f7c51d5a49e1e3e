/* Sockets of the eight kinds, by hand. */
#include "tpclient.h"

#include <gio/gunixconnection.h>
#include <gio/gunixcredentialsmessage.h>
#include <gio/gunixsocketaddress.h>
#include <string.h>

Kind
kind_parse (const char *type, const char *access)
{
  static const char *types[] = { "unix", "abstract", "ipv4", "ipv6" };
  static const char *accesses[] = { "localhost", "port", "netmask", "credentials" };
  Kind kind = { G_MAXUINT, G_MAXUINT };

  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    if (strcmp (type, types[i]) == 0)
      kind.type = i;
  for (guint i = 0; i < G_N_ELEMENTS (accesses); i++)
    if (strcmp (access, accesses[i]) == 0)
      kind.access = i;
  if (kind.type == G_MAXUINT || kind.access == G_MAXUINT)
    fail ("no such kind: %s %s", type, access);
  return kind;
}

static gboolean
is_ip (Kind kind)
{
  return kind.type == TP_SOCKET_ADDRESS_TYPE_IPV4 || kind.type == TP_SOCKET_ADDRESS_TYPE_IPV6;
}

static GSocketAddress *
loopback (Kind kind)
{
  GInetAddress *address = g_inet_address_new_loopback (
      kind.type == TP_SOCKET_ADDRESS_TYPE_IPV4 ? G_SOCKET_FAMILY_IPV4 : G_SOCKET_FAMILY_IPV6);
  return g_inet_socket_address_new (address, 0);
}

static GVariant *
ip_variant (GSocketAddress *address)
{
  GInetSocketAddress *inet = G_INET_SOCKET_ADDRESS (address);
  return g_variant_new ("(sq)",
      g_inet_address_to_string (g_inet_socket_address_get_address (inet)),
      g_inet_socket_address_get_port (inet));
}

GVariant *
kind_parameter (Kind kind, GSocket **socket)
{
  GError *error = NULL;

  *socket = NULL;
  if (kind.access != TP_SOCKET_ACCESS_CONTROL_PORT)
    return kind.access == TP_SOCKET_ACCESS_CONTROL_CREDENTIALS ? g_variant_new_byte (0)
                                                               : g_variant_new_string ("");
  GSocketAddress *own = loopback (kind);
  *socket = g_socket_new (g_socket_address_get_family (own), G_SOCKET_TYPE_STREAM,
      G_SOCKET_PROTOCOL_TCP, &error);
  check (error, "socket");
  g_socket_bind (*socket, own, FALSE, &error);
  check (error, "bind");
  GSocketAddress *bound = g_socket_get_local_address (*socket, &error);
  check (error, "bind");
  return ip_variant (bound);
}

static GSocketAddress *
parse_address (Kind kind, GVariant *address)
{
  if (is_ip (kind))
    {
      const char *host;
      guint32 port;

      /* The specification has (sq); CMs built on dbus-glib write (su). */
      if (g_variant_is_of_type (address, G_VARIANT_TYPE ("(sq)")))
        {
          guint16 narrow;

          g_variant_get (address, "(&sq)", &host, &narrow);
          port = narrow;
        }
      else if (g_variant_is_of_type (address, G_VARIANT_TYPE ("(su)")))
        g_variant_get (address, "(&su)", &host, &port);
      else
        fail ("address of type %s", g_variant_get_type_string (address));
      say ("address %s %u", host, port);
      return g_inet_socket_address_new_from_string (host, port);
    }
  gsize length;
  if (!g_variant_is_of_type (address, G_VARIANT_TYPE_BYTESTRING))
    fail ("address of type %s", g_variant_get_type_string (address));
  const char *bytes = g_variant_get_fixed_array (address, &length, 1);
  if (length > 0 && bytes[0] == '\0')
    {
      say ("address abstract %.*s", (int) length - 1, bytes + 1);
      return g_unix_socket_address_new_with_type (bytes + 1, (int) length - 1,
          G_UNIX_SOCKET_ADDRESS_ABSTRACT);
    }
  char *path = g_strndup (bytes, length);
  say ("address unix %s", path);
  return g_unix_socket_address_new (path);
}

void
kind_say (Kind kind, GVariant *address)
{
  g_object_unref (parse_address (kind, address));
}

GSocketConnection *
kind_connect (Kind kind, GVariant *address, GSocket *socket)
{
  GError *error = NULL;
  GSocketAddress *target = parse_address (kind, address);

  pause_at ("address");
  if (socket == NULL)
    {
      socket = g_socket_new (g_socket_address_get_family (target), G_SOCKET_TYPE_STREAM,
          G_SOCKET_PROTOCOL_DEFAULT, &error);
      check (error, "socket");
    }
  g_socket_connect (socket, target, NULL, &error);
  check (error, "connect");
  GSocketConnection *connection = g_socket_connection_factory_create_connection (socket);
  if (kind.access == TP_SOCKET_ACCESS_CONTROL_CREDENTIALS)
    {
      g_unix_connection_send_credentials (G_UNIX_CONNECTION (connection), NULL, &error);
      check (error, "credentials");
    }
  return connection;
}

GSocketListener *
kind_listen (Kind kind, GVariant **address)
{
  static guint count = 0;
  GError *error = NULL;
  GSocketListener *listener = g_socket_listener_new ();
  GSocketAddress *wanted, *bound;
  char *path = g_strdup_printf ("%s/tpclient-%u-%u", g_get_user_runtime_dir (), (guint) getpid (),
      count++);

  if (is_ip (kind))
    wanted = loopback (kind);
  else if (kind.type == TP_SOCKET_ADDRESS_TYPE_UNIX)
    wanted = g_unix_socket_address_new (path);
  else
    wanted = g_unix_socket_address_new_with_type (path, -1, G_UNIX_SOCKET_ADDRESS_ABSTRACT);
  g_socket_listener_add_address (listener, wanted, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT,
      NULL, &bound, &error);
  check (error, "listen");
  if (is_ip (kind))
    *address = ip_variant (bound);
  else if (kind.type == TP_SOCKET_ADDRESS_TYPE_UNIX)
    *address = g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, path, strlen (path), 1);
  else
    {
      char *name = g_strconcat (" ", path, NULL);
      name[0] = '\0';
      *address = g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, name, strlen (path) + 1, 1);
    }
  return listener;
}

void
kind_take_byte (Kind kind, GSocketConnection *connection)
{
  GError *error = NULL;

  if (kind.access != TP_SOCKET_ACCESS_CONTROL_CREDENTIALS)
    return;
  GCredentials *credentials = g_unix_connection_receive_credentials (G_UNIX_CONNECTION (connection),
      NULL, &error);
  check (error, "credentials");
  uid_t uid = g_credentials_get_unix_user (credentials, &error);
  check (error, "credentials");
  say ("credentials %u", (guint) uid);
}
