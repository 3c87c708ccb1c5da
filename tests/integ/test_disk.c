#include "tests/integ/world.h"

#include "ipc/clock.h"
#include "ipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	AT_ONCE_MS = 100
};

/* How long `reeve WORDS` takes; it must succeed. */
static unsigned
took_ms(struct world *world, const char *const *words)
{
	uint64_t begin_ms = clock_boot_ms();
	const struct said *said = world_run(world, words);

	ck_assert_msg(said->status == 0, "%s: exit %d: %s", words[0], said->status, said->err);
	return (unsigned)(clock_boot_ms() - begin_ms);
}

/* The service looks for room once a second. */
static void
await_room(struct world *world)
{
	uint64_t deadline_ms = clock_boot_ms() + WORLD_PATIENCE_MS;

	while (REEVE(world, "run", "--", "true")->status != 0)
		ck_assert_msg(
		    clock_boot_ms() < deadline_ms, "it takes no work though there is room");
}

START_TEST(while_the_disk_takes_five_seconds_questions_are_answered_at_once)
{
	struct world world;
	uint64_t id, victim;
	const char *word, *victim_word;
	unsigned limit_ms;

	world_open(&world, __func__);
	world_start(&world);
	id = SUBMIT(&world, "--", "sleep", "1000");
	victim = SUBMIT(&world, "--", "sleep", "1000");
	world_until(&world, victim, "status", "running");
	world_until(&world, id, "status", "running");
	word = world_word(&world, id);
	victim_word = world_word(&world, victim);
	/* A sanitizer's start alone may take longer than what is promised. */
	limit_ms = took_ms(&world, (const char *[]){ "version", NULL }) + AT_ONCE_MS;
	world_point(&world, "store.commit.before", "sleep:5000");
	ck_assert_int_eq(REEVE(&world, "cancel", "--no-wait", victim_word)->status, 0);
	ck_assert_uint_lt(took_ms(&world, (const char *[]){ "ls", NULL }), limit_ms);
	ck_assert_uint_lt(took_ms(&world, (const char *[]){ "show", word, NULL }), limit_ms);
	ck_assert_uint_lt(
	    took_ms(&world, (const char *[]){ "cancel", "--no-wait", word, NULL }), limit_ms);
	ck_doc(world_show(&world, id), "pending", "cancelling");
	ck_doc(world_show(&world, id), "status", "running");
	world_point(&world, "store.commit.before", NULL);
	world_until(&world, id, "status", "cancelled");
	world_close(&world);
}
END_TEST

/* ---- full file systems ------------------------------------------------------------------- */

/* A file system of MIB at ROOT/NAME, seen by this test alone. */
static void
mount_small(struct world *world, const char *name, unsigned mib)
{
	char options[64];
	const char *path = world_path(world, name);

	ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
	ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	ck_assert(mkdir(path, 0711) == 0 || errno == EEXIST);
	snprintf(options, sizeof options, "size=%um,mode=0711", mib);
	ck_assert_int_eq(mount("tmpfs", path, "tmpfs", 0, options), 0);
}

static void
unmount(struct world *world, const char *name)
{
	ck_assert_int_eq(umount2(world_path(world, name), MNT_DETACH), 0);
}

static void
fill(struct world *world, const char *name)
{
	static const char zeros[64 * 1024];
	int fd = open(world_path(world, name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	for (size_t size = sizeof zeros; size > 0; size /= 2)
		while (write(fd, zeros, size) == (ssize_t)size)
			;
	fd_close(&fd);
}

/* In a directory of its own: the full one is not for it. */
static const char patient[] = "while [ ! -e go ]; do sleep .02; done; echo $(date) says something";

START_TEST(on_a_full_disk_what_runs_is_finished_and_nothing_new_is_taken)
{
	struct world world;
	const struct said *said;
	pid_t supervisor;
	uint64_t id;
	int refused = 0;

	world_open(&world, __func__);
	mount_small(&world, "state", 48);
	world_start(&world);
	supervisor = world_supervisor(&world);
	id = SUBMIT(&world, "--", "sh", "-c", patient);
	world_until(&world, id, "status", "running");
	fill(&world, "state/filler");
	for (int i = 0; i < 200 && !refused; i++)
		refused = REEVE(&world, "run", "--detach", "--", "true")->status == 1;
	ck_assert_msg(refused, "it takes new work on a full disk");
	said = REEVE(&world, "run", "--detach", "--", "true");
	ck_says(said->err, "room");
	ck_assert_int_eq(REEVE(&world, "ls")->status, 0);
	world_file(&world, "go", "");
	ck_assert_int_eq(unlink(world_path(&world, "state/filler")), 0);
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, id))->status, 0);
	/* With room again, work is taken again, by the same supervisor. */
	await_room(&world);
	ck_assert_int_eq(world_supervisor(&world), supervisor);
	world_shutdown(&world);
	unmount(&world, "state");
	world_close(&world);
}
END_TEST

START_TEST(a_journal_that_has_no_room_waits_for_some)
{
	struct world world;
	json_t *task;
	uint64_t id;

	world_open(&world, __func__);
	ck_assert_int_eq(mkdir(world.state, 0711), 0);
	mount_small(&world, "state/journals", 1);
	ck_assert_int_eq(chmod(world_path(&world, "state/journals"), 0700), 0);
	world_start(&world);
	/* Its last lines go into the fact of its end, which needs a page that is not there. */
	id = SUBMIT(&world, "--", "sh", "-c",
	    "while [ ! -e go ]; do sleep .02; done; head -c 9000 /dev/zero | tr '\\0' x; exit 3");
	world_until(&world, id, "status", "running");
	fill(&world, "state/journals/filler");
	world_file(&world, "go", "");
	world_until(&world, id, "blocked_on.kind", "disk");
	ck_doc(world_show(&world, id), "status", "running");
	ck_assert_int_eq(unlink(world_path(&world, "state/journals/filler")), 0);
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, id))->status, 1);
	task = world_show(&world, id);
	ck_doc(task, "error.exit_code", "3");
	ck_says(doc_text(task, "error.tail"), "xxxx");
	world_shutdown(&world);
	unmount(&world, "state/journals");
	world_close(&world);
}
END_TEST

START_TEST(a_log_that_has_no_room_costs_lines_and_not_the_task)
{
	struct world world;
	json_t *task;

	world_open(&world, __func__);
	ck_assert_int_eq(mkdir(world.state, 0711), 0);
	mount_small(&world, "state/attempts", 2);
	ck_assert_int_eq(chmod(world_path(&world, "state/attempts"), 0700), 0);
	world_start(&world);
	task = REEVE_JSON(&world, 0, "run", "--json", "--", "sh", "-c",
	    "head -c 4000000 /dev/zero | tr '\\0' x | fold; rm -f gone");
	ck_assert(strncmp(doc_text(task, "status"), "completed", 9) == 0);
	world_shutdown(&world);
	unmount(&world, "state/attempts");
	world_close(&world);
}
END_TEST

START_TEST(a_commit_that_fails_costs_at_most_what_was_new)
{
	struct world world;
	const struct said *said;

	world_open(&world, __func__);
	world_start(&world);
	/* No room: what is new is refused, and that is said; then there is room. */
	world_point(&world, "store.commit.before", "errno:ENOSPC*1");
	said = REEVE(&world, "run", "--", "true");
	ck_assert_int_eq(said->status, 1);
	ck_says(said->err, "full");
	await_room(&world);
	/* A store that cannot be trusted is opened anew; the client asks again. */
	world_point(&world, "store.commit.before", "errno:EIO*1");
	ck_assert_int_eq(REEVE(&world, "run", "--", "true")->status, 0);
	ck_says(world_read(&world, "log"), "status 75");
	world_close(&world);
}
END_TEST

START_TEST(a_damaged_store_is_refused_with_its_name_and_without_a_crash_loop)
{
	struct world world;
	struct stat info;
	int fd, status;

	world_open(&world, __func__);
	world_start(&world);
	for (int i = 0; i < 20; i++)
		SUBMIT(&world, "--", "true");
	world_until(&world, 20, "status", "completed");
	world_stop(&world);
	fd = open(world_path(&world, "state/store/data.mdb"), O_WRONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fstat(fd, &info), 0);
	for (off_t at = 8192 + 100; at < info.st_size; at += 4096)
		ck_assert_int_eq((int)pwrite(fd, "damage!!", 8, at), 8);
	fd_close(&fd);
	world_spawn(&world);
	status = world_wait_keeper(&world);
	ck_assert_int_ne(status, 0);
	ck_says(world_read(&world, "log"), "data.mdb");
	world_close(&world);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("disk");
	TCase *tcase = world_tcase(suite, "disk");

	tcase_add_test(tcase, while_the_disk_takes_five_seconds_questions_are_answered_at_once);
	tcase_add_test(tcase, a_commit_that_fails_costs_at_most_what_was_new);
	tcase_add_test(tcase, a_damaged_store_is_refused_with_its_name_and_without_a_crash_loop);
	if (geteuid() == 0) { /* who else may mount */
		tcase_add_test(
		    tcase, on_a_full_disk_what_runs_is_finished_and_nothing_new_is_taken);
		tcase_add_test(tcase, a_journal_that_has_no_room_waits_for_some);
		tcase_add_test(tcase, a_log_that_has_no_room_costs_lines_and_not_the_task);
	}
	return world_main(suite);
}
