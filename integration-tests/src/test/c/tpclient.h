/* A Telepathy client in C against telepathy-glib, for tests: its high-level classes unmodified, and
 * beside them the same calls by hand for the kinds of socket that those never choose.
 *
 * It prints one line for each event, the first word naming it; the end is "done" and exit status 0,
 * or "error …" on standard error and exit status 1. */
#ifndef TPCLIENT_H
#define TPCLIENT_H

#include <gio/gio.h>
#include <telepathy-glib/telepathy-glib.h>

/* A connection on the session bus. */
typedef struct {
  GDBusConnection *bus;
  TpSimpleClientFactory *factory;
  TpConnection *connection;
  char *bus_name;
  char *path;
} Session;

/* Connects an account of the loopback CM, or finds its connection if it has one, and prepares it.
 * One that begins with a slash is the path of a connection of any CM. */
Session *session_open (const char *account);

/* Asks for a channel to a contact, or to a room if its name begins with #. extra: a{sv} of immutable properties, floating. Its path. */
char *session_create_channel (Session *session, const char *type, const char *peer,
    GVariant *extra, GVariant **properties);

/* The same channel as telepathy-glib's own class for its type, prepared. */
TpChannel *session_channel (Session *session, const char *path, GVariant *properties,
    GQuark feature);

/* Called for each channel of a type that somebody else asked for: those there, and those to come. */
typedef void (*ChannelFunc) (Session *session, const char *path, GVariant *properties, gpointer data);
void session_watch (Session *session, const char *type, ChannelFunc func, gpointer data);

/* Closes a channel that has done its work; one that is gone already is no error. */
void session_close_channel (Session *session, const char *path);

/* Handles every signal that the bus connection has received so far, its end included. */
void session_catch_up (Session *session);

/* A call by hand on a channel. The reply, or an error. */
GVariant *channel_call (Session *session, const char *path, const char *interface,
    const char *method, GVariant *arguments, GError **error);

/* Waits for what calls a GAsyncReadyCallback. */
typedef struct {
  GAsyncResult *result;
} Wait;
void wait_done (GObject *source, GAsyncResult *result, gpointer wait);
GAsyncResult *wait_for (Wait *wait);

/* One line on standard output, at once. */
void say (const char *format, ...) G_GNUC_PRINTF (1, 2);

/* Where a test wants to do something in between (TPCLIENT_PAUSE names the point): says "paused" and
 * waits for a line on standard input. */
void pause_at (const char *point);

/* One line on standard error, and the end. */
void fail (const char *format, ...) G_GNUC_PRINTF (1, 2) G_GNUC_NORETURN;
void check (GError *error, const char *what);

/* One socket of a given kind, by hand: see kind.c. */
typedef struct {
  guint type;
  guint access;
} Kind;
Kind kind_parse (const char *type, const char *access);
/* The access control's parameter. For Port it binds a socket first, handed back in *socket. */
GVariant *kind_parameter (Kind kind, GSocket **socket);
/* Says the address that a CM gave, for another program to connect to. */
void kind_say (Kind kind, GVariant *address);
/* Connects to an address that a CM gave, with the byte if the kind wants one. */
GSocketConnection *kind_connect (Kind kind, GVariant *address, GSocket *socket);
/* Listens, and gives the address to offer. */
GSocketListener *kind_listen (Kind kind, GVariant **address);
/* Takes the byte from a connection that came to kind_listen's socket, and says whose it is. */
void kind_take_byte (Kind kind, GSocketConnection *connection);

/* Sends back what comes until it ends; says "echoed N" then, and takes one off *left. */
void echo_stream (GSocketConnection *connection, guint64 *left);
/* Sends length random bytes, ends, and expects the same and the end. */
void use_stream (GSocketConnection *connection, gsize length);
/* The echo as an object on a D-Bus tube, until the tube ends. */
void serve_echo (GDBusConnection *tube);
/* Calls it, and ends the tube. */
void call_echo (GDBusConnection *tube, const char *argument);

/* The commands: arguments as in the usage, without account. They run the main loop and return when
 * everything has been done. */
void file_send (Session *session, char **arguments);
void file_receive (Session *session, char **arguments);
void raw_send (Session *session, char **arguments);
void raw_receive (Session *session, char **arguments);
void stream_offer (Session *session, char **arguments);
void stream_accept (Session *session, char **arguments);
void dbus_offer (Session *session, char **arguments);
void dbus_accept (Session *session, char **arguments);
void raw_tube_offer (Session *session, char **arguments);
void raw_tube_accept (Session *session, char **arguments);
void raw_dbus_tube_accept (Session *session, char **arguments);
void tubes_offer (Session *session, char **arguments);
void tubes_accept (Session *session, char **arguments);
void tubes_use (Session *session, char **arguments);
void tubes_dbus_offer (Session *session, char **arguments);
void tubes_dbus_accept (Session *session, char **arguments);

#endif
