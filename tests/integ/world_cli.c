#include "tests/integ/world.h"

#include "ipc/clock.h"
#include "ipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	WORDS_MAX = 64,
	READ_BYTES = 16 * 1024,
	SHOWN = 2000, /* Check takes no long messages */
	SAID_MAX = 16 * 1024 * 1024
};

/* A file without a name that holds TEXT. */
static int
input_of(const char *text)
{
	int fd =
	    text ? memfd_create("input", MFD_CLOEXEC) : open("/dev/null", O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	if (text) {
		ck_assert_int_eq(fd_write_all(fd, text, strlen(text)), 0);
		ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	}
	return fd;
}

static _Noreturn void
exec_program(const struct world *world, const char *path, const char *const *words)
{
	char *argv[WORDS_MAX] = { NULL }, reeve[2 * WORLD_PATH];
	size_t n = 0;

	snprintf(reeve, sizeof reeve, "%s/reeve", world->bin);
	argv[n++] = strdup(path ? path : "reeve");
	for (size_t i = 0; words[i] && n + 1 < WORDS_MAX; i++)
		argv[n++] = strdup(words[i]);
	if (chdir(world->root) < 0)
		_exit(126);
	world_become(world, world->client_uid);
	execvp(path ? path : reeve, argv);
	_exit(127);
}

/* False at the end. */
static bool
read_more(int fd, struct buf *text)
{
	uint8_t *at = buf_reserve(text, READ_BYTES);
	ssize_t n;

	ck_assert_ptr_nonnull(at);
	n = read(fd, at, READ_BYTES);
	ck_assert_int_ge(n, 0);
	text->len += (size_t)n;
	return n > 0;
}

/* Both to their ends. */
static void
read_both(const char *verb, int out_fd, int err_fd, struct buf *out, struct buf *err)
{
	struct pollfd fds[2] = { { .fd = out_fd, .events = POLLIN },
		{ .fd = err_fd, .events = POLLIN } };
	uint64_t deadline_ms = clock_boot_ms() + WORLD_PATIENCE_MS;

	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		uint64_t now_ms = clock_boot_ms();
		int left = now_ms < deadline_ms ? (int)(deadline_ms - now_ms) : 0;

		ck_assert_msg(poll(fds, 2, left) > 0, "%s does not end; it said: %.*s%.*s", verb,
		    (int)out->len, (char *)out->data, (int)err->len, (char *)err->data);
		if (fds[0].revents && !read_more(out_fd, out))
			fds[0].fd = -1;
		if (fds[1].revents && !read_more(err_fd, err))
			fds[1].fd = -1;
	}
}

static char *
take_text(struct buf *text)
{
	uint8_t *data;
	size_t len;

	ck_assert_int_eq(buf_add(text, "", 1), 0);
	buf_take(text, &data, &len);
	return (char *)data;
}

const struct said *
world_exec(struct world *world, const char *path, const char *const *words, const char *input)
{
	struct said *said = calloc(1, sizeof *said);
	int out[2], err[2], status, in = input_of(input);
	struct buf out_text, err_text;
	pid_t pid;

	ck_assert_ptr_nonnull(said);
	ck_assert_int_eq(pipe2(out, O_CLOEXEC) + pipe2(err, O_CLOEXEC), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		dup2(in, STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		dup2(err[1], STDERR_FILENO);
		exec_program(world, path, words);
	}
	fd_close(&in);
	fd_close(&out[1]);
	fd_close(&err[1]);
	buf_init(&out_text, SAID_MAX);
	buf_init(&err_text, SAID_MAX);
	read_both(words[0], out[0], err[0], &out_text, &err_text);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	said->status = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
	said->out = take_text(&out_text);
	said->err = take_text(&err_text);
	said->next = world->said;
	world->said = said;
	fd_close(&out[0]);
	fd_close(&err[0]);
	return said;
}

const struct said *
world_run(struct world *world, const char *const *words)
{
	return world_exec(world, NULL, words, NULL);
}

json_t *
world_json(struct world *world, int status, const char *const *words)
{
	const struct said *said = world_run(world, words);
	json_error_t error;
	json_t *doc = json_loads(said->out, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);

	ck_assert_msg(said->status == status, "reeve %s: exit %d, not %d: %.2000s%.2000s", words[0],
	    said->status, status, said->out, said->err);
	ck_assert_msg(doc != NULL, "reeve %s: %s: %.2000s", words[0], error.text, said->out);
	json_array_append_new(world->docs, doc);
	return doc;
}

uint64_t
world_submit(struct world *world, const char *const *words)
{
	const char *all[WORDS_MAX] = { "run", "--detach" };
	const struct said *said;
	uint64_t id;
	char *end;

	for (size_t i = 0; words[i] && i + 3 < WORDS_MAX; i++)
		all[i + 2] = words[i];
	said = world_run(world, all);
	ck_assert_msg(said->status == 0, "run: exit %d: %s", said->status, said->err);
	id = strtoull(said->out, &end, 10);
	ck_assert_msg(id > 0 && strcmp(end, "\n") == 0, "not an id: %s", said->out);
	return id;
}

json_t *
world_show(struct world *world, uint64_t id)
{
	return REEVE_JSON(world, 0, "show", "--json", world_word(world, id));
}

/* ---- documents ---------------------------------------------------------------------- */

json_t *
doc_at(json_t *doc, const char *path)
{
	char part[64];

	while (doc && *path) {
		size_t len = strcspn(path, ".");

		snprintf(part, sizeof part, "%.*s", (int)len, path);
		doc = json_is_array(doc) ? json_array_get(doc, strtoul(part, NULL, 10))
					 : json_object_get(doc, part);
		path += len + (path[len] == '.');
	}
	return doc;
}

const char *
doc_text(json_t *doc, const char *path)
{
	static char texts[4][256]; /* several in one message */
	static unsigned turn;
	char *text = texts[turn++ % 4];
	json_t *value = doc_at(doc, path);
	size_t len;

	if (json_is_string(value))
		return json_string_value(value);
	if (!value)
		return "null";
	len = json_dumpb(value, text, 255, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(9));
	text[len < 255 ? len : 255] = '\0';
	return text;
}

void
doc_check(json_t *doc, const char *path, const char *text, const char *file, int line)
{
	const char *found = doc_text(doc, path);

	if (strcmp(found, text) != 0)
		ck_abort_msg("%s:%d: %s is %s, not %s", file, line, path, found, text);
}

void
says_check(const char *text, const char *part, const char *file, int line)
{
	size_t len = strlen(text), from = len > SHOWN ? len - SHOWN : 0;

	if (!strstr(text, part))
		ck_abort_msg("%s:%d: \"%s\" is not in: %s", file, line, part, text + from);
}
