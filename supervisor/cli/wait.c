#include "supervisor/cli/args.h"
#include "supervisor/cli/ends.h"

#include <stdlib.h>

enum {
	KEY_TIMEOUT = 't',
	KEY_STRICT = 's',
	KEY_JSON = 'j'
};

static const struct option_def options[] = {
	{ KEY_TIMEOUT, "timeout", "SECONDS", "give up waiting after this long, with status 5" },
	{ KEY_STRICT, "strict", NULL, "exit 8 when one completed with warnings" },
	{ KEY_JSON, "json", NULL, "the finished tasks as JSON: one alone, several as an array" },
	{ 0, NULL, NULL, NULL },
};

struct wait {
	uint64_t *ids;
	size_t n;
	uint64_t timeout_ms;
	bool is_strict, is_json;
};

static void
say_timed_out(const struct ends *ends, uint64_t timeout_ms)
{
	char waited[TEXT_NUMBER];

	for (size_t i = 0; i < ends->n; i++) {
		const msgpack_object *task = doc_copy_get(&ends->docs[i]);

		if (task && !doc_is_ended(task))
			complain(NULL, "waited for %s: task %llu has not ended yet: %s",
			    text_duration(timeout_ms, waited), (unsigned long long)ends->ids[i],
			    task_state_name(doc_state(task)));
	}
}

static int
wait_for(struct cli *cli, const struct wait *wait)
{
	struct session session;
	struct ends ends;
	int status = session_open(&session, true), printed = 0;

	if (status != 0)
		return status;
	status = ends_init(&ends, wait->ids, wait->n);
	if (status != 0)
		goto out;
	status = ends_look(&ends, &session);
	if (status == 0)
		status = ends_wait(&ends, &session, wait->timeout_ms);
	if (status == 0 || status == EXIT_TIMED_OUT)
		printed = wait->is_json ? ends_print_json(&ends, cli, wait->n > 1)
					: ends_print(&ends, cli, &session);
	if (status == EXIT_TIMED_OUT)
		say_timed_out(&ends, wait->timeout_ms);
	if (status == 0)
		status = printed ? printed : ends_status(&ends, wait->is_strict);
	ends_fini(&ends);
out:
	session_close(&session);
	return status;
}

static int
parse(struct args *args, struct wait *wait)
{
	int key, status = 0;

	while ((key = args_next(args)) > 0) {
		if (key == KEY_TIMEOUT) {
			status = args_seconds(args, "timeout", &wait->timeout_ms);
			/* 0 asks how they stand now, and is not "without limit". */
			if (wait->timeout_ms == 0)
				wait->timeout_ms = 1;
		} else if (key == KEY_STRICT) {
			wait->is_strict = true;
		} else {
			wait->is_json = true;
		}
		if (status != 0)
			return status;
	}
	return key == ARGS_STOP ? args->status : args_ids(args, &wait->ids, &wait->n);
}

static int
run(struct cli *cli, int argc, char **argv)
{
	struct wait wait = { .n = 0 };
	struct args args;
	int status = args_init(&args, cli, argc, argv);

	if (status != 0)
		return status;
	status = parse(&args, &wait);
	if (status == 0 && !args.is_stopped)
		status = wait_for(cli, &wait);
	free(wait.ids);
	args_fini(&args);
	return status;
}

const struct verb verb_wait = {
	.name = "wait",
	.synopsis = "[options] ID ...",
	.summary = "wait until tasks have ended; exit with their status",
	.help =
	    "The exit status is the task's end, not its command's own (that is error.exit_code in the\n"
	    "JSON). Of several tasks the first that is not 0 counts, in the order of the arguments:\n"
	    "  0  completed, also with warnings (8 with --strict)\n"
	    "  1  failed\n"
	    "  3  cancelled\n"
	    "  4  interrupted for good; one that will be resumed is waited for\n"
	    "  5  --timeout is over: stderr names each task that goes on, and its state\n"
	    "  6  no supervisor answers; whether the tasks go on is not known\n"
	    "  7  no such task, or not one that you may see\n"
	    "Without --timeout it never exits with 5. A signal ends the waiting, not the task: 128 + N.",
	.options = options,
	.examples = "reeve wait 41 && echo done\nreeve wait --timeout 30 --json 41 42",
	.run = run,
};
