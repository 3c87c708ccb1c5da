/* Methods about the configuration: what is in force, and reading it again. */
#include "supervisor/commands/commands.h"
#include "supervisor/reload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void
pack_key(msgpack_packer *packer, const struct settings *settings, size_t i)
{
	const struct config_key *key = &config_keys[i];
	const struct config_origin *origin = &settings->config.origins[i];

	msgpack_pack_map(packer, 7);
	pack_kv_str(packer, "key", key->name);
	pack_kv_str(packer, "value", origin->text);
	pack_kv_str(packer, "from", config_source_name(origin->source));
	pack_kv_uint(packer, "line", origin->line);
	pack_kv_str(packer, "default", key->fallback);
	pack_kv_bool(packer, "reloads", key->reloads);
	pack_kv_str(packer, "waiting", settings->waiting[i]);
}

void
method_config(const struct request *request, const struct rpc_slice *params, int fd)
{
	const struct settings *settings = &request->supervisor->settings;
	msgpack_packer packer;
	struct buf out;

	(void)fd;
	if (!request_takes_nothing(request, params))
		return;
	reply_begin(request, &out, &packer);
	msgpack_pack_map(&packer, 5);
	pack_kv_str(&packer, "file", settings->path);
	pack_kv_str(&packer, "problem", settings->problem[0] ? settings->problem : NULL);
	pack_kv_str(&packer, "state_dir", settings->flags.state_dir);
	pack_kv_str(&packer, "run_dir", settings->flags.run_dir);
	pack_str(&packer, "keys");
	msgpack_pack_array(&packer, CONFIG_KEYS);
	for (size_t i = 0; i < CONFIG_KEYS; i++)
		pack_key(&packer, settings, i);
	reply_end(request, &out);
}

/* ---- reload ------------------------------------------------------------------------- */

static void
pack_names(msgpack_packer *packer, const char *key, uint64_t bits)
{
	pack_str(packer, key);
	msgpack_pack_array(packer, (size_t)__builtin_popcountll(bits));
	for (size_t i = 0; i < CONFIG_KEYS; i++)
		if (bits & UINT64_C(1) << i)
			pack_str(packer, config_keys[i].name);
}

static uint64_t
waiting_of(const struct settings *settings)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < CONFIG_KEYS; i++)
		bits |= (uint64_t)(settings->waiting[i] != NULL) << i;
	return bits;
}

static void
on_reloaded(int result, uint64_t changed, const struct recipe_error *error, void *arg)
{
	struct request *request = arg;
	msgpack_packer packer;
	struct buf out;

	if (result == 0) {
		reply_begin(request, &out, &packer);
		msgpack_pack_map(&packer, 2);
		pack_names(&packer, "changed", changed);
		pack_names(&packer, "waiting", waiting_of(&request->supervisor->settings));
		reply_end(request, &out);
	} else if (result == -EINVAL) {
		reply_error(request, RPC_INVALID, NULL, "%s; nothing has changed", error->message);
	} else {
		reply_error(request, RPC_UNAVAILABLE, NULL, "out of memory; nothing has changed");
	}
	free(request);
}

void
method_reload(const struct request *request, const struct rpc_slice *params, int fd)
{
	struct request *later;

	(void)fd;
	if (!request_takes_nothing(request, params))
		return;
	later = malloc(sizeof *later);
	if (later)
		*later = *request;
	if (later && reload_start(request->supervisor, on_reloaded, later) == 0)
		return;
	free(later);
	reply_error(request, RPC_UNAVAILABLE, NULL, "out of memory");
}
