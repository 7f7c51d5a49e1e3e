/* Files by hand, over any kind of socket. */
#include "tpclient.h"

#include <gio/gunixconnection.h>
#include <string.h>
#include <sys/stat.h>

#define FT TP_IFACE_CHANNEL_TYPE_FILE_TRANSFER

typedef struct {
  const char *directory;
  guint64 left;
  Kind kind;
  guint64 offset;
} Receive;

typedef struct {
  guint state;
  guint64 initial_offset;
  gboolean have_offset;
} Progress;

static void
signalled (GDBusConnection *bus, const char *sender, const char *path, const char *interface,
    const char *signal, GVariant *arguments, gpointer data)
{
  (void) bus, (void) sender, (void) path, (void) interface;
  Progress *progress = data;

  if (strcmp (signal, "FileTransferStateChanged") == 0)
    {
      guint reason;
      g_variant_get (arguments, "(uu)", &progress->state, &reason);
      say ("state %u reason %u", progress->state, reason);
    }
  else if (strcmp (signal, "InitialOffsetDefined") == 0)
    {
      g_variant_get (arguments, "(t)", &progress->initial_offset);
      progress->have_offset = TRUE;
      say ("offset %" G_GUINT64_FORMAT, progress->initial_offset);
    }
}

static guint
follow (Session *session, const char *path, Progress *progress)
{
  return g_dbus_connection_signal_subscribe (session->bus, session->bus_name, FT, NULL, path, NULL,
      G_DBUS_SIGNAL_FLAGS_NONE, signalled, progress, NULL);
}

static void
await_state (Progress *progress, guint state)
{
  while (progress->state != state)
    {
      if (progress->state == TP_FILE_TRANSFER_STATE_CANCELLED)
        fail ("cancelled");
      if (progress->state > state)
        return;
      g_main_context_iteration (NULL, TRUE);
    }
}

static GSocketConnection *
connect_by (Session *session, const char *path, const char *method, Kind kind, guint64 *offset)
{
  GError *error = NULL;
  GSocket *socket;
  GVariant *address;
  GVariant *parameter = kind_parameter (kind, &socket);
  GVariant *arguments = offset != NULL
      ? g_variant_new ("(uuvt)", kind.type, kind.access, parameter, *offset)
      : g_variant_new ("(uuv)", kind.type, kind.access, parameter);
  GVariant *reply = channel_call (session, path, FT, method, arguments, &error);

  check (error, method);
  g_variant_get (reply, "(v)", &address);
  return kind_connect (kind, address, socket);
}

void
raw_send (Session *session, char **arguments)
{
  struct stat status;
  GVariantDict extra;
  GVariant *properties;
  Progress progress = { 0 };
  Kind kind = kind_parse (arguments[2], arguments[3]);

  if (stat (arguments[1], &status) != 0)
    fail ("%s: %s", arguments[1], g_strerror (errno));
  g_variant_dict_init (&extra, NULL);
  g_variant_dict_insert (&extra, TP_PROP_CHANNEL_TYPE_FILE_TRANSFER_FILENAME, "s",
      g_path_get_basename (arguments[1]));
  g_variant_dict_insert (&extra, TP_PROP_CHANNEL_TYPE_FILE_TRANSFER_CONTENT_TYPE, "s",
      "application/octet-stream");
  g_variant_dict_insert (&extra, TP_PROP_CHANNEL_TYPE_FILE_TRANSFER_SIZE, "t",
      (guint64) status.st_size);
  char *path = session_create_channel (session, FT, arguments[0], g_variant_dict_end (&extra),
      &properties);
  follow (session, path, &progress);
  GSocketConnection *connection = connect_by (session, path, "ProvideFile", kind, NULL);
  say ("provided");
  await_state (&progress, TP_FILE_TRANSFER_STATE_OPEN);

  GError *error = NULL;
  gsize length, written;
  char *bytes;
  g_file_get_contents (arguments[1], &bytes, &length, &error);
  check (error, arguments[1]);
  gsize offset = MIN ((gsize) progress.initial_offset, length);
  gsize half = (length - offset) / 2;
  GOutputStream *out = g_io_stream_get_output_stream (G_IO_STREAM (connection));
  g_output_stream_write_all (out, bytes + offset, half, &written, NULL, &error);
  check (error, "write");
  pause_at ("half");
  g_output_stream_write_all (out, bytes + offset + half, length - offset - half, &written, NULL,
      &error);
  check (error, "write");
  g_io_stream_close (G_IO_STREAM (connection), NULL, NULL);
  await_state (&progress, TP_FILE_TRANSFER_STATE_COMPLETED);
  say ("sent %" G_GSIZE_FORMAT, length - offset);
  session_close_channel (session, path);
}

static void
incoming_file (Session *session, const char *path, GVariant *properties, gpointer data)
{
  GError *error = NULL;
  Receive *receive = data;
  Progress progress = { 0 };
  const char *name = "";
  guint64 size = 0;
  guchar buffer[65536];
  gssize n;
  guint64 count = 0;

  g_variant_lookup (properties, TP_PROP_CHANNEL_TYPE_FILE_TRANSFER_FILENAME, "&s", &name);
  g_variant_lookup (properties, TP_PROP_CHANNEL_TYPE_FILE_TRANSFER_SIZE, "t", &size);
  char *file = g_build_filename (receive->directory, g_path_get_basename (name), NULL);
  say ("incoming %s %" G_GUINT64_FORMAT, name, size);
  guint subscription = follow (session, path, &progress);
  GSocketConnection *connection = connect_by (session, path, "AcceptFile", receive->kind,
      &receive->offset);
  say ("accepted");

  GFile *gfile = g_file_new_for_path (file);
  GFileOutputStream *out = receive->offset > 0
      ? g_file_append_to (gfile, G_FILE_CREATE_NONE, NULL, &error)
      : g_file_replace (gfile, NULL, FALSE, G_FILE_CREATE_NONE, NULL, &error);
  check (error, file);
  GInputStream *in = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  while ((n = g_input_stream_read (in, buffer, sizeof buffer, NULL, &error)) > 0)
    {
      g_output_stream_write_all (G_OUTPUT_STREAM (out), buffer, (gsize) n, NULL, NULL, &error);
      check (error, file);
      count += (guint64) n;
    }
  /* The moment matters: EOF on a part must not come before the channel has said Cancelled. */
  session_catch_up (session);
  say ("%s after %" G_GUINT64_FORMAT " state %u", error == NULL ? "eof" : "broken", count,
      progress.state);
  g_output_stream_close (G_OUTPUT_STREAM (out), NULL, NULL);
  g_io_stream_close (G_IO_STREAM (connection), NULL, NULL);
  check (error, "read");
  await_state (&progress, TP_FILE_TRANSFER_STATE_COMPLETED);
  g_dbus_connection_signal_unsubscribe (session->bus, subscription);
  session_close_channel (session, path);
  receive->left--;
}

void
raw_receive (Session *session, char **arguments)
{
  Receive receive = { arguments[0], g_ascii_strtoull (arguments[1], NULL, 10),
    kind_parse (arguments[2], arguments[3]), 0 };

  if (arguments[4] != NULL)
    receive.offset = g_ascii_strtoull (arguments[4], NULL, 10);
  session_watch (session, FT, incoming_file, &receive);
  while (receive.left > 0)
    g_main_context_iteration (NULL, TRUE);
}
