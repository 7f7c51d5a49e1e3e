/* Files by TpFileTransferChannel, unmodified. */
#include "tpclient.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct {
  const char *directory;
  guint64 left;
  guint64 offset;
} Receive;

typedef struct {
  Receive *receive;
  TpFileTransferChannel *channel;
  char *file;
} Incoming;

static void
say_checksum (const char *file)
{
  GChecksum *checksum = g_checksum_new (G_CHECKSUM_SHA256);
  GError *error = NULL;
  guchar buffer[65536];
  gssize n;
  guint64 size = 0;
  GFile *gfile = g_file_new_for_path (file);
  GFileInputStream *in = g_file_read (gfile, NULL, &error);

  check (error, file);
  while ((n = g_input_stream_read (G_INPUT_STREAM (in), buffer, sizeof buffer, NULL, &error)) > 0)
    {
      g_checksum_update (checksum, buffer, n);
      size += (guint64) n;
    }
  check (error, file);
  say ("sha256 %s %" G_GUINT64_FORMAT " %s", g_checksum_get_string (checksum), size, file);
  g_checksum_free (checksum);
  g_object_unref (in);
  g_object_unref (gfile);
}

static TpFileTransferState
say_state (TpFileTransferChannel *channel)
{
  TpFileTransferStateChangeReason reason;
  TpFileTransferState state = tp_file_transfer_channel_get_state (channel, &reason);

  say ("state %u reason %u", state, reason);
  return state;
}

static void
sending (TpFileTransferChannel *channel, GParamSpec *property, gpointer left)
{
  (void) property;
  TpFileTransferState state = say_state (channel);
  if (state == TP_FILE_TRANSFER_STATE_CANCELLED)
    fail ("cancelled");
  if (state == TP_FILE_TRANSFER_STATE_COMPLETED)
    {
      say ("transferred %" G_GUINT64_FORMAT,
          tp_file_transfer_channel_get_transferred_bytes (channel));
      (*(guint *) left)--;
    }
}

static void
provided (GObject *channel, GAsyncResult *result, gpointer data)
{
  (void) data;
  GError *error = NULL;
  tp_file_transfer_channel_provide_file_finish (TP_FILE_TRANSFER_CHANNEL (channel), result, &error);
  check (error, "ProvideFile");
  say ("provided");
}

static void
provide (Session *session, const char *peer, const char *file, guint *left)
{
  struct stat status;
  GVariantDict extra;
  GVariant *properties;

  if (stat (file, &status) != 0)
    fail ("%s: %s", file, g_strerror (errno));
  g_variant_dict_init (&extra, NULL);
  g_variant_dict_insert (&extra, TP_PROP_CHANNEL_TYPE_FILE_TRANSFER_FILENAME, "s",
      g_path_get_basename (file));
  g_variant_dict_insert (&extra, TP_PROP_CHANNEL_TYPE_FILE_TRANSFER_CONTENT_TYPE, "s",
      "application/octet-stream");
  g_variant_dict_insert (&extra, TP_PROP_CHANNEL_TYPE_FILE_TRANSFER_SIZE, "t",
      (guint64) status.st_size);
  char *path = session_create_channel (session, TP_IFACE_CHANNEL_TYPE_FILE_TRANSFER, peer,
      g_variant_dict_end (&extra), &properties);
  TpFileTransferChannel *channel = TP_FILE_TRANSFER_CHANNEL (session_channel (session, path,
      properties, TP_FILE_TRANSFER_CHANNEL_FEATURE_CORE));

  (*left)++;
  g_signal_connect (channel, "notify::state", G_CALLBACK (sending), left);
  tp_file_transfer_channel_provide_file_async (channel, g_file_new_for_path (file), provided, NULL);
}

/* All files at once. */
void
file_send (Session *session, char **arguments)
{
  guint left = 0;

  for (char **file = arguments + 1; *file != NULL; file++)
    provide (session, arguments[0], *file, &left);
  while (left > 0)
    g_main_context_iteration (NULL, TRUE);
  for (char **file = arguments + 1; *file != NULL; file++)
    say_checksum (*file);
}

/* Completed overtakes the data, and TpFileTransferChannel does not say when it has written them. */
static gboolean
arrived (gpointer data)
{
  Incoming *incoming = data;
  struct stat status;

  if (stat (incoming->file, &status) != 0
      || (guint64) status.st_size < tp_file_transfer_channel_get_size (incoming->channel))
    return G_SOURCE_CONTINUE;
  say_checksum (incoming->file);
  tp_channel_close_async (TP_CHANNEL (incoming->channel), NULL, NULL);
  incoming->receive->left--;
  return G_SOURCE_REMOVE;
}

static void
receiving (TpFileTransferChannel *channel, GParamSpec *property, gpointer incoming)
{
  (void) property;
  TpFileTransferState state = say_state (channel);
  if (state == TP_FILE_TRANSFER_STATE_CANCELLED)
    fail ("cancelled");
  if (state == TP_FILE_TRANSFER_STATE_COMPLETED)
    g_timeout_add (10, arrived, incoming);
}

static void
accepted (GObject *channel, GAsyncResult *result, gpointer data)
{
  (void) data;
  GError *error = NULL;
  tp_file_transfer_channel_accept_file_finish (TP_FILE_TRANSFER_CHANNEL (channel), result, &error);
  check (error, "AcceptFile");
  say ("accepted");
}

static void
incoming_file (Session *session, const char *path, GVariant *properties, gpointer data)
{
  Incoming *incoming = g_new0 (Incoming, 1);

  incoming->receive = data;
  incoming->channel = TP_FILE_TRANSFER_CHANNEL (session_channel (session, path, properties,
      TP_FILE_TRANSFER_CHANNEL_FEATURE_CORE));
  char *name = g_path_get_basename (tp_file_transfer_channel_get_filename (incoming->channel));
  incoming->file = g_build_filename (incoming->receive->directory, name, NULL);
  say ("incoming %s %" G_GUINT64_FORMAT, name,
      tp_file_transfer_channel_get_size (incoming->channel));
  g_signal_connect (incoming->channel, "notify::state", G_CALLBACK (receiving), incoming);
  tp_file_transfer_channel_accept_file_async (incoming->channel,
      g_file_new_for_path (incoming->file), incoming->receive->offset, accepted, NULL);
}

void
file_receive (Session *session, char **arguments)
{
  Receive receive = { arguments[0], g_ascii_strtoull (arguments[1], NULL, 10), 0 };

  if (arguments[2] != NULL)
    receive.offset = g_ascii_strtoull (arguments[2], NULL, 10);
  session_watch (session, TP_IFACE_CHANNEL_TYPE_FILE_TRANSFER, incoming_file, &receive);
  while (receive.left > 0)
    g_main_context_iteration (NULL, TRUE);
}
