/* drain: the service takes nothing new and finishes what runs. */
#include "ipc/clock.h"
#include "ipc/json.h"
#include "supervisor/cli/args.h"
#include "supervisor/cli/doc.h"
#include "supervisor/cli/session.h"

#include <poll.h>
#include <string.h>

enum {
	OUT_MAX = 64 * 1024,
	LOOK_MS = 500,
	SHOWN = 8
};
enum {
	KEY_WAIT = 'w',
	KEY_TIMEOUT = 't',
	KEY_OFF = 'o',
	KEY_JSON = 'j'
};

static const struct option_def options[] = {
	{ KEY_WAIT, "wait", NULL, "until nothing runs any more" },
	{ KEY_TIMEOUT, "timeout", "S",
	    "wait no longer than that (seconds, or 10m); exit status 5" },
	{ KEY_OFF, "off", NULL, "take work again" },
	{ KEY_JSON, "json", NULL, "as JSON" },
	{ 0, NULL, NULL, NULL },
};

struct drain {
	const struct cli *cli;
	struct session session;
	bool waits, off, is_json;
	uint64_t timeout_ms; /* 0: none */
	size_t told;         /* how many ran when it was told last */
};

/* " (41, 42, ...)" */
static void
put_ids(struct buf *out, const msgpack_object *ids)
{
	size_t n = doc_count(ids);

	for (size_t i = 0; i < n && i < SHOWN; i++) {
		const msgpack_object *id = doc_at(ids, i);

		text_add(out, "%s%llu", i == 0 ? " (" : ", ",
		    id->type == MSGPACK_OBJECT_POSITIVE_INTEGER ? (unsigned long long)id->via.u64
								: 0ull);
	}
	if (n > 0)
		text_add(out, "%s)", n > SHOWN ? ", ..." : "");
}

static int
print(const struct drain *drain, const msgpack_object *state)
{
	const msgpack_object *running = mp_get(state, "running"),
			     *asking = mp_get(state, "waiting");
	struct buf out;
	int status;

	buf_init(&out, OUT_MAX);
	if (drain->is_json) {
		json_write(&out, state, JSON_PRETTY);
		text_add(&out, "\n");
	} else if (drain->off) {
		text_add(&out, "the service takes work again\n");
	} else {
		text_add(&out, "draining: nothing new is taken; %zu running", doc_count(running));
		put_ids(&out, running);
		if (doc_count(asking) > 0) {
			text_add(&out, ", %zu waiting for an answer", doc_count(asking));
			put_ids(&out, asking);
		}
		text_add(
		    &out, ", %llu in the queue\n", (unsigned long long)doc_uint(state, "queued"));
	}
	status = emit(&drain->cli->out, &out, EXIT_OK);
	buf_fini(&out);
	return status;
}

/* 0 with *ret_left, how many run; else an exit status. */
static int
look(struct drain *drain, size_t *ret_left, bool is_last_word)
{
	struct client_reply reply;
	struct request request;
	int status;

	session_begin(&drain->session, &request, "drain", 1);
	pack_kv_bool(&request.params, "off", drain->off);
	status = session_ask(&drain->session, &request, &reply);
	if (status != 0)
		return status;
	*ret_left = doc_count(mp_get(&reply.body, "running"));
	if (is_last_word || (!drain->is_json && *ret_left != drain->told) ||
	    (drain->waits && *ret_left == 0))
		status = print(drain, &reply.body);
	drain->told = *ret_left;
	client_reply_fini(&reply);
	return status;
}

static int
carry_out(struct drain *drain)
{
	uint64_t deadline_ms = clock_boot_ms() + drain->timeout_ms;
	size_t left = 0;
	int status = session_open(&drain->session, false);

	if (status != 0)
		return status;
	status = look(drain, &left, !drain->waits);
	while (status == 0 && drain->waits && left > 0) {
		if (drain->timeout_ms > 0 && clock_boot_ms() >= deadline_ms) {
			status = EXIT_TIMED_OUT;
			break;
		}
		poll(NULL, 0, LOOK_MS);
		status = look(drain, &left, false);
	}
	session_close(&drain->session);
	return status;
}

static int
parse(struct args *args, struct drain *drain)
{
	int key, status = 0;

	while (status == 0 && (key = args_next(args)) > 0) {
		drain->waits = drain->waits || key == KEY_WAIT || key == KEY_TIMEOUT;
		drain->off = drain->off || key == KEY_OFF;
		drain->is_json = drain->is_json || key == KEY_JSON;
		if (key == KEY_TIMEOUT)
			status = args_seconds(args, "timeout", &drain->timeout_ms);
	}
	if (status == 0 && drain->waits && drain->off)
		status = args_wrong(args, "--off does not wait");
	return status != 0 || args->is_stopped ? status : args_no_words(args);
}

static int
run(struct cli *cli, int argc, char **argv)
{
	struct drain drain = { .cli = cli, .told = SIZE_MAX };
	struct args args;
	int status = args_init(&args, cli, argc, argv);

	if (status != 0)
		return status;
	status = parse(&args, &drain);
	if (args.is_stopped)
		status = args.status;
	else if (status == 0)
		status = carry_out(&drain);
	args_fini(&args);
	return status;
}

const struct verb verb_drain = {
	.name = "drain",
	.synopsis = "[--wait] [--timeout S] [--json]\n--off",
	.summary = "take nothing new and finish what runs",
	.help =
	    "Submissions are refused, what waits in the queue keeps its place, and what runs is\n"
	    "finished. Asked again it tells what is left. It holds over a restart of the service,\n"
	    "not over one of the machine: to reboot, `reeve drain --wait`, then what must not take\n"
	    "longer is stopped by `reeve shutdown --suspend` and goes on after the boot.",
	.options = options,
	.examples =
	    "reeve drain --timeout 10m; reeve shutdown --suspend; reboot\nreeve drain --off",
	.run = run,
};
