#include "supervisor/view_pack.h"

#include "ipc/clock.h"

void
pack_kv_time(msgpack_packer *out, const char *key, uint64_t wall_ms)
{
	char text[CLOCK_TEXT];

	pack_kv_str(out, key, wall_ms > 0 ? clock_format(wall_ms, text) : NULL);
}

/* A number, or nil for 0 = none. */
void
pack_kv_count(msgpack_packer *out, const char *key, uint64_t value)
{
	if (value > 0)
		pack_kv_uint(out, key, value);
	else
		pack_kv_nil(out, key);
}

void
pack_kv_blob(msgpack_packer *out, const char *key, const struct blob *blob)
{
	pack_str(out, key);
	if (blob->data)
		out->callback(out->data, (const char *)blob->data, blob->len);
	else
		msgpack_pack_nil(out);
}

/* N pairs. */
void
pack_kv_pairs(msgpack_packer *out, const char *key, const struct pairs *pairs, size_t n)
{
	pack_str(out, key);
	msgpack_pack_map(out, n);
	for (size_t i = 0; i < n; i++)
		pack_kv_str(out, pairs->v[i].name, pairs->v[i].value);
}

void
pack_kv_map(msgpack_packer *out, const char *key, size_t n)
{
	pack_str(out, key);
	msgpack_pack_map(out, n);
}

void
pack_kv_array(msgpack_packer *out, const char *key, size_t n)
{
	pack_str(out, key);
	msgpack_pack_array(out, n);
}

void
pack_kv_exit(msgpack_packer *out, const struct exit_info *exit_info)
{
	if (!exit_info->known) {
		pack_kv_nil(out, "exit");
		return;
	}
	pack_kv_map(out, "exit", 2);
	if (exit_info->signal) {
		pack_kv_nil(out, "code");
		pack_kv_int(out, "signal", exit_info->signal);
	} else {
		pack_kv_int(out, "code", exit_info->code);
		pack_kv_nil(out, "signal");
	}
}
