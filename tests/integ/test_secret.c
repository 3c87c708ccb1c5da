/* Secret parameters: where they are while a task lives, and where they never are. */
#include "tests/integ/world.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char secret[] = "hush-9f3b-hush";

/* Says its secret, leaves it where the test finds it, and waits for DIR/go. */
#define TELL(more)                                                                             \
 "name: tell\n" more                                                                           \
 "params: {dir: {type: path}, token: {secret: true, required: true, pattern: '[a-z0-9-]+'}}\n" \
 "steps:\n"                                                                                    \
 "  - name: tell\n"                                                                            \
 "    sh: 'echo \"it is $PARAM_TOKEN\"; echo \"$PARAM_TOKEN\" >>\"$PARAM_DIR/told\"; "         \
 "while [ ! -e \"$PARAM_DIR/go\" ]; do sleep .02; done'\n"                                     \
 "    undo: {sh: 'echo \"undone with [$PARAM_TOKEN]\" >>\"$PARAM_DIR/told\"'}\n"               \
 "  - name: use\n"                                                                             \
 "    run: [sh, -c, 'test \"$KEY\" = \"<$(head -n1 \"$0/told\")>\"', '${dir}']\n"              \
 "    env: {KEY: '<${token}>'}\n"

static uint64_t
submit(struct world *world, const char *recipe)
{
	char dir[WORLD_PATH + 8];
	const struct said *said;

	snprintf(dir, sizeof dir, "dir=%s", world->root);
	said = world_exec(world, NULL,
	    (const char *const[]){ "run", "--detach", "--secret", "token",
		world_file(world, "tell.yaml", recipe), dir, NULL },
	    secret);
	ck_assert_msg(said->status == 0, "%s", said->err);
	return strtoull(said->out, NULL, 10);
}

static const char *
told_once(void)
{
	static char text[64];

	snprintf(text, sizeof text, "%s\n", secret);
	return text;
}

static void
until_told(struct world *world, uint64_t id)
{
	world_until_file(world, "told");
	world_until_said(world, id, "it is ***");
}

/* ---- where it must not be ------------------------------------------------------------- */

static char found_in[512];

static bool
file_holds(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	size_t room = 1 << 20;
	char *bytes = malloc(room);
	bool found = false;
	ssize_t n;

	while (fd >= 0 && !found && (n = read(fd, bytes, room)) > 0)
		found = memmem(bytes, (size_t)n, secret, strlen(secret)) != NULL;
	free(bytes);
	if (fd >= 0)
		close(fd);
	if (found)
		snprintf(found_in, sizeof found_in, "%s", path);
	return found;
}

static int
look(const char *path, const struct stat *stat, int type, struct FTW *at)
{
	(void)stat;
	(void)at;
	return type == FTW_F && file_holds(path);
}

/* Files of the service, its log, and words and environments of its processes. */
static void
is_nowhere(struct world *world, uint64_t id, bool is_running)
{
	const pid_t pids[] = { world->keeper, world_supervisor(world),
		is_running ? world_worker(world, id) : 0 };
	char path[64];

	*found_in = '\0';
	nftw(world->state, look, 16, FTW_PHYS);
	file_holds(world->log);
	for (size_t i = 0; i < sizeof pids / sizeof pids[0]; i++) {
		if (pids[i] <= 0)
			continue;
		snprintf(path, sizeof path, "/proc/%d/environ", (int)pids[i]);
		file_holds(path);
	}
	ck_assert_msg(!*found_in, "the secret is in %s", found_in);
}

static void
is_in_no_process_list(void)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	char path[300];

	*found_in = '\0';
	while ((entry = readdir(dir))) {
		snprintf(path, sizeof path, "/proc/%s/cmdline", entry->d_name);
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
			file_holds(path);
	}
	closedir(dir);
	ck_assert_msg(!*found_in, "the secret is in %s", found_in);
}

static void
is_in_no_answer(struct world *world, uint64_t id)
{
	const char *word = world_word(world, id);
	const struct said *const said[] = { REEVE(world, "show", word),
		REEVE(world, "show", "--json", word), REEVE(world, "events", "--json", word),
		REEVE(world, "logs", "--json", word), REEVE(world, "ls", "--all", "--json") };

	for (size_t i = 0; i < sizeof said / sizeof said[0]; i++)
		ck_assert_ptr_null(strstr(said[i]->out, secret));
}

START_TEST(a_secret_reaches_its_steps_and_nothing_else)
{
	struct world world;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = submit(&world, TELL(""));
	until_told(&world, id);
	ck_assert_str_eq(world_read(&world, "told"), told_once());
	is_nowhere(&world, id, true);
	is_in_no_process_list();
	is_in_no_answer(&world, id);
	world_file(&world, "go", "");
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, id))->status, 0);
	is_nowhere(&world, id, false);
	is_in_no_answer(&world, id);
	world_close(&world);
}
END_TEST

START_TEST(a_secret_comes_by_an_fd_too)
{
	struct world world;
	char line[3 * WORLD_PATH];

	world_open(&world, __func__);
	world_start(&world);
	world_file(&world, "go", "");
	snprintf(line, sizeof line,
	    "exec 7<\"$1\"; exec \"$2/reeve\" run --secret-fd token=7 \"$3\" dir=\"$4\"");
	ck_assert_int_eq(
	    world_exec(&world, "/bin/sh",
		(const char *const[]){ "-c", line, "sh", world_file(&world, "token", secret),
		    world.bin, world_file(&world, "tell.yaml", TELL("")), world.root, NULL },
		NULL)
		->status,
	    0);
	ck_assert_str_eq(world_read(&world, "told"), told_once());
	world_close(&world);
}
END_TEST

/* Types as soon as it is asked, and prints what stood on the terminal. */
static const char typist[] = "import os, pty, sys\n"
			     "pid, fd = pty.fork()\n"
			     "if pid == 0:\n"
			     "    os.execv(sys.argv[2], sys.argv[2:])\n"
			     "seen, typed = b'', False\n"
			     "while True:\n"
			     "    try:\n"
			     "        piece = os.read(fd, 4096)\n"
			     "    except OSError:\n"
			     "        break\n"
			     "    seen += piece\n"
			     "    if not typed and b'shown): ' in seen:\n"
			     "        os.write(fd, sys.argv[1].encode())\n"
			     "        typed = True\n"
			     "print(seen.decode())\n"
			     "sys.exit(os.waitpid(pid, 0)[1] >> 8)\n";

static const struct said *
type(struct world *world, const char *keys)
{
	char reeve[WORLD_PATH + 8], dir[WORLD_PATH + 8];

	snprintf(reeve, sizeof reeve, "%s/reeve", world->bin);
	snprintf(dir, sizeof dir, "dir=%s", world->root);
	return world_exec(world, "python3",
	    (const char *const[]){ "-c", typist, keys, reeve, "run", "--secret", "token",
		world_file(world, "tell.yaml", TELL("")), dir, NULL },
	    NULL);
}

START_TEST(a_terminal_is_asked_and_does_not_show_the_answer)
{
	struct world world;
	const struct said *said;
	char keys[64];

	world_open(&world, __func__);
	world_start(&world);
	world_file(&world, "go", "");
	snprintf(keys, sizeof keys, "%s\n", secret);
	said = type(&world, keys);
	ck_assert_msg(said->status == 0, "%s%s", said->out, said->err);
	ck_assert_ptr_null(strstr(said->out, secret));
	ck_assert_str_eq(world_read(&world, "told"), told_once());
	said = type(&world, "half of it\3");
	ck_assert_int_eq(said->status, 2);
	ck_says(said->out, "\"token\" was not given");
	world_close(&world);
}
END_TEST

START_TEST(mistakes_with_secrets_are_told_and_never_quote_one)
{
	struct world world;
	const char *file;
	const struct said *said;

	world_open(&world, __func__);
	world_start(&world);
	file = world_file(&world, "tell.yaml", TELL(""));
	said = REEVE(&world, "run", file);
	ck_assert_int_eq(said->status, 2);
	ck_says(said->err, "parameter \"token\" is required and secret (--secret token)");
	said = REEVE(&world, "run", file, "token=hush");
	ck_assert_int_eq(said->status, 2);
	ck_says(said->err, "give it with --secret token");
	said = REEVE(&world, "run", "--secret", "token=hush", file);
	ck_assert_int_eq(said->status, 2);
	ck_says(said->err, "--secret takes a name only");
	said = world_exec(&world, NULL,
	    (const char *const[]){ "run", "--secret", "token", file, NULL }, "HUSH HUSH");
	ck_assert_int_eq(said->status, 2);
	ck_says(said->err, "its value does not match the pattern");
	ck_assert_ptr_null(strstr(said->err, "HUSH"));
	ck_assert_int_eq((int)json_array_size(REEVE_JSON(&world, 0, "ls", "--all", "--json")), 0);
	world_close(&world);
}
END_TEST

/* ---- through kills ---------------------------------------------------------------------- */

START_TEST(a_waiting_task_keeps_its_secret_over_supervisors)
{
	struct world world;
	uint64_t blocker, id;

	world_open(&world, __func__);
	world.slots = "1";
	world_start(&world);
	blocker = SUBMIT(&world, "--", "sleep", "1000");
	world_until(&world, blocker, "status", "running");
	id = submit(&world, TELL(""));
	is_nowhere(&world, id, false);
	world_kill_supervisor(&world);
	world_wait_served(&world);
	world_kill_supervisor(&world);
	world_wait_served(&world);
	ck_doc(world_show(&world, id), "status", "queued");
	world_file(&world, "go", "");
	ck_assert_int_eq(REEVE(&world, "cancel", world_word(&world, blocker))->status, 0);
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, id))->status, 0);
	ck_assert_str_eq(world_read(&world, "told"), told_once());
	world_close(&world);
}
END_TEST

/* The keeper becomes the build that is installed now. */
START_TEST(a_waiting_task_keeps_its_secret_over_a_restart_of_the_service)
{
	struct world world;
	uint64_t blocker, id;

	world_open(&world, __func__);
	world.slots = "1";
	world_start(&world);
	blocker = SUBMIT(&world, "--", "sleep", "1000");
	world_until(&world, blocker, "status", "running");
	id = submit(&world, TELL(""));
	ck_assert_int_eq(REEVE(&world, "shutdown", "--restart")->status, 0);
	world_wait_served(&world);
	world_file(&world, "go", "");
	ck_assert_int_eq(REEVE(&world, "cancel", world_word(&world, blocker))->status, 0);
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, id))->status, 0);
	ck_assert_str_eq(world_read(&world, "told"), told_once());
	world_close(&world);
}
END_TEST

START_TEST(a_resumed_task_has_its_secret_again)
{
	struct world world;
	char twice[128];
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = submit(&world, TELL("on_interrupt: resume\n"));
	until_told(&world, id);
	world_kill_supervisor(&world);
	world_wait_served(&world);
	ck_assert_int_eq(kill(world_worker(&world, id), SIGKILL), 0);
	world_until(&world, id, "attempt", "2");
	world_file(&world, "go", "");
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, id))->status, 0);
	snprintf(twice, sizeof twice, "%s\n%s\n", secret, secret);
	ck_assert_str_eq(world_read(&world, "told"), twice);
	is_nowhere(&world, id, false);
	world_close(&world);
}
END_TEST

START_TEST(a_worker_has_its_secret_whatever_dies_above_it)
{
	struct world world;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = submit(&world, TELL(""));
	until_told(&world, id);
	world_kill_keeper(&world);
	world_start(&world);
	world_file(&world, "go", "");
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, id))->status, 0);
	ck_assert_str_eq(world_read(&world, "told"), told_once());
	world_close(&world);
}
END_TEST

START_TEST(a_waiting_task_whose_secret_is_gone_fails_and_says_so)
{
	struct world world;
	uint64_t blocker, id;
	json_t *task;

	world_open(&world, __func__);
	world.slots = "1";
	world_start(&world);
	blocker = SUBMIT(&world, "--", "sleep", "1000");
	world_until(&world, blocker, "status", "running");
	id = submit(&world, TELL(""));
	world_kill_all(&world);
	world_start(&world);
	task = world_until(&world, id, "status", "failed");
	ck_doc(task, "error.code", "secrets_gone");
	ck_says(doc_text(task, "outcome"), "its secret parameters are gone with the service");
	ck_doc(task, "steps.0.status", "pending");
	ck_assert_str_eq(world_read(&world, "told"), "");
	world_close(&world);
}
END_TEST

START_TEST(an_undo_is_made_without_its_secret_rather_than_not_at_all)
{
	struct world world;
	char told[128];
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = submit(&world, TELL("on_interrupt: resume\n"));
	until_told(&world, id);
	world_kill_all(&world);
	world_start(&world);
	world_until(&world, id, "status", "failed");
	ck_doc(world_show(&world, id), "error.code", "secrets_gone");
	ck_doc(world_show(&world, id), "steps.0.status", "undone");
	snprintf(told, sizeof told, "%s\nundone with []\n", secret);
	ck_assert_str_eq(world_read(&world, "told"), told);
	world_close(&world);
}
END_TEST

START_TEST(a_retry_is_given_its_secrets_again)
{
	struct world world;
	const struct said *said;
	const char *word;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = submit(&world, TELL(""));
	word = world_word(&world, id);
	until_told(&world, id);
	ck_assert_int_eq(REEVE(&world, "cancel", word)->status, 0);
	said = REEVE(&world, "retry", word);
	ck_assert_int_eq(said->status, 2);
	ck_says(said->err, "its secret parameter \"token\" was not kept beyond its end");
	said = world_exec(&world, NULL,
	    (const char *const[]){ "retry", "--secret", "tokens", word, NULL }, secret);
	ck_assert_int_eq(said->status, 2);
	world_file(&world, "go", "");
	world_file(&world, "told", "");
	said = world_exec(&world, NULL,
	    (const char *const[]){ "retry", "--follow", "--secret", "token", word, NULL }, secret);
	ck_assert_msg(said->status == 0, "%s", said->err);
	ck_assert_str_eq(world_read(&world, "told"), told_once());
	world_close(&world);
}
END_TEST

START_TEST(who_joins_leaves_his_secret_behind)
{
	struct world world;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = submit(&world, TELL(""));
	until_told(&world, id);
	ck_assert_uint_eq(submit(&world, TELL("")), id);
	world_file(&world, "go", "");
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, id))->status, 0);
	ck_assert_str_eq(world_read(&world, "told"), told_once());
	world_close(&world);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("secret");
	TCase *tcase = world_tcase(suite, "secret");

	tcase_add_test(tcase, a_secret_reaches_its_steps_and_nothing_else);
	tcase_add_test(tcase, a_secret_comes_by_an_fd_too);
	tcase_add_test(tcase, a_terminal_is_asked_and_does_not_show_the_answer);
	tcase_add_test(tcase, mistakes_with_secrets_are_told_and_never_quote_one);
	tcase_add_test(tcase, a_waiting_task_keeps_its_secret_over_supervisors);
	tcase_add_test(tcase, a_waiting_task_keeps_its_secret_over_a_restart_of_the_service);
	tcase_add_test(tcase, a_resumed_task_has_its_secret_again);
	tcase_add_test(tcase, a_worker_has_its_secret_whatever_dies_above_it);
	tcase_add_test(tcase, a_waiting_task_whose_secret_is_gone_fails_and_says_so);
	tcase_add_test(tcase, an_undo_is_made_without_its_secret_rather_than_not_at_all);
	tcase_add_test(tcase, a_retry_is_given_its_secrets_again);
	tcase_add_test(tcase, who_joins_leaves_his_secret_behind);
	return world_main(suite);
}
