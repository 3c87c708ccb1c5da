/*
 * tests/unit/cli_kit.h - `reeve LINE` against a service that answers by a script. Included by
 * one test program at a time, so it is all here.
 */
#ifndef TESTS_UNIT_CLI_KIT_H
#define TESTS_UNIT_CLI_KIT_H

#include "supervisor/cli/cli.h"

#include "ipc/json.h"
#include "tests/unit/canned.h"
#include "tests/unit/documents.h"

#include <fcntl.h>
#include <locale.h>
#include <sys/mman.h>

enum {
	MAX_WORDS = 16
};

/* What the service answers to each method, and what it was asked last. */
struct script {
	const char *method, *error; /* an error's code, or NULL */
	const char *answer;         /* JSON of a result, or an error's message */
	const char *event;          /* JSON of a notification behind it, or NULL */
};
static const struct script *script;
static struct canned canned;
static char asked[8][1024];
static size_t nasked;
static int out_fd, err_fd;
static char out[65536], err[65536];
static bool at_terminal; /* what is printed goes there */

static void
note(const struct canned_call *call)
{
	struct buf json;

	if (nasked == sizeof asked / sizeof asked[0])
		return;
	buf_init(&json, sizeof asked[0]);
	json_write(&json, call->params, JSON_COMPACT);
	snprintf(asked[nasked++], sizeof asked[0], "%s %.*s", call->msg->method, (int)json.len,
	    (const char *)json.data);
	buf_fini(&json);
}

static enum canned_then
play(struct canned_call *call, void *arg)
{
	const struct script *line = script;
	msgpack_packer packer;

	(void)arg;
	note(call);
	while (line->method && strcmp(line->method, call->msg->method) != 0)
		line++;
	if (!line->method) {
		rpc_put_error(call->out, call->msg->id, RPC_UNKNOWN, NULL, "not in the script");
		return CANNED_KEEP;
	}
	if (line->error) {
		rpc_put_error(call->out, call->msg->id,
		    strcmp(line->error, "not_found") == 0 ? RPC_NOT_FOUND : RPC_REFUSED, NULL,
		    line->answer);
		return CANNED_KEEP;
	}
	canned_result(call, &packer);
	document_append(call->out, line->answer);
	if (line->event) {
		rpc_begin_notification(call->out, "event");
		document_append(call->out, line->event);
	}
	return CANNED_KEEP;
}

static inline void
setup(void)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	unsetenv("XDG_CONFIG_HOME");
	setenv("HOME", "/nonexistent", 1);
	out_fd = memfd_create("out", MFD_CLOEXEC);
	err_fd = memfd_create("err", MFD_CLOEXEC);
	ck_assert_int_ge(dup2(err_fd, STDERR_FILENO), 0);
	canned_start(&canned, play, NULL);
	setenv("REEVE_SOCKET", canned.path, 1);
}

static inline void
teardown(void)
{
	canned_stop(&canned);
	fd_close(&out_fd);
	fd_close(&err_fd);
}

static inline void
read_back(int fd, char *text, size_t room)
{
	ssize_t n = pread(fd, text, room - 1, 0);

	text[n > 0 ? n : 0] = '\0';
}

/* Runs `reeve LINE`, words separated by one space. Returns its status. */
static inline int
reeve(const struct script *lines, const char *line)
{
	char words[512], *argv[MAX_WORDS + 1] = { NULL }, *rest = NULL;
	struct cli cli = { 0 };
	int argc = 0, status;

	script = lines;
	snprintf(words, sizeof words, "%s", line);
	for (char *word = strtok_r(words, " ", &rest); word && argc < MAX_WORDS;
	     word = strtok_r(NULL, " ", &rest))
		argv[argc++] = word;
	term_init(&cli.out, out_fd);
	term_init(&cli.err, err_fd);
	cli.out.is_tty = at_terminal;
	cli.verb = verb_find(argv[0]);
	ck_assert_ptr_nonnull(cli.verb);
	status = cli.verb->run(&cli, argc, argv);
	read_back(out_fd, out, sizeof out);
	read_back(err_fd, err, sizeof err);
	return status;
}

static inline void
has(const char *text, const char *what)
{
	ck_assert_msg(strstr(text, what), "no \"%s\" in:\n%s", what, text);
}

static inline void
was_asked(size_t i, const char *what)
{
	ck_assert_uint_lt(i, nasked);
	has(asked[i], what);
}

#define TASK(status)    "{\"id\":41,\"title\":\"t\",\"status\":\"" status "\",\"steps\":[]}"
#define WATCHED(status) "{\"epoch\":\"a\",\"seq\":1,\"reset\":false,\"tasks\":[" TASK(status) "]}"
#define EVENT(status)   "{\"seq\":2,\"event\":{\"event\":\"ended\"},\"task\":" TASK(status) "}"

#endif
