#include "supervisor/launch.h"

#include "ipc/inherit.h"
#include "ipc/spawn.h"
#include "supervisor/link.h"
#include "tests/unit/scratch.h"
#include "tests/unit/store_world.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum {
	ID = 7,
	ATTEMPT = 3,
	BERTH = 5,
	WORKER_STATUS = 21
};

/* ---- this program as a worker: writes what it finds into `seen`, then waits for a byte ------ */

static void
tell_brief(FILE *seen)
{
	char *data = NULL;
	size_t len = 0;
	struct brief brief;

	if (fd_read_whole(WORKER_FD_BRIEF, LIMIT_SPEC, &data, &len) < 0 ||
	    codec_decode(&brief_codec, data, len, &brief, NULL) < 0)
		_exit(1);
	fprintf(seen, "brief %d.%d mode %d keeper %s boot %s grace %d rev %d steps %zu\n",
	    (int)brief.task, (int)brief.attempt, (int)brief.mode, brief.keeper_instance,
	    brief.boot_id, (int)brief.grace_ms, (int)brief.order_rev, brief.steps.n);
	fprintf(seen, "news %s\norders %s\nworkdir %s\n", brief.news_path, brief.orders_path,
	    brief.workdir ? brief.workdir : "-");
	codec_free(&brief_codec, &brief);
	free(data);
}

static _Noreturn void
play_worker(char **argv, char **envp)
{
	int fd = openat(WORKER_FD_ATTEMPTS, "seen", O_WRONLY | O_CREAT | O_CLOEXEC, 0600), seals;
	FILE *seen = fdopen(fd, "w");
	char byte;

	if (!seen)
		_exit(1);
	fprintf(seen, "name %s\nleader %d\nfds", argv[1], getsid(0) == getpid());
	for (int i = 0; i < 64; i++)
		if (i != fd && fcntl(i, F_GETFD) >= 0)
			fprintf(seen, " %d", i);
	fprintf(seen, ".\n");
	seals = fcntl(WORKER_FD_BRIEF, F_GET_SEALS);
	fprintf(seen, "sealed %d\n", (seals & F_SEAL_WRITE) != 0);
	for (; *envp; envp++)
		fprintf(seen, "env %s\n", *envp);
	tell_brief(seen);
	fclose(seen);
	alarm(60);
	(void)!write(WORKER_FD_JOURNAL, "fact", 4);
	(void)!write(WORKER_FD_NEWS, "n", 1);
	while (read(WORKER_FD_ORDERS, &byte, 1) != 1)
		poll(&(struct pollfd){ WORKER_FD_ORDERS, POLLIN, 0 }, 1, -1);
	_exit(WORKER_STATUS);
}

/* ---- launching it ------------------------------------------------------------------------------
 */

static struct ev_loop *loop;
static struct jobs jobs;
static struct census census;
static struct cgroups *cgroups;
static struct launch *launch; /* done */
static int worker_program = -1;

static void
put_spec(bool own_workdir)
{
	struct store_batch *batch = world_batch();
	struct brief brief;
	struct buf out;

	codec_init(&brief_codec, &brief);
	brief.own_workdir = own_workdir;
	brief.uid = getuid();
	brief.gid = getgid();
	ck_assert_int_eq(str_set(&brief.spec.type, "command"), 0);
	buf_init(&out, LIMIT_SPEC);
	ck_assert_int_eq(codec_encode(&brief_codec, &brief, &out), 0);
	ck_assert_int_eq(store_batch_put_spec(batch, ID, out.data, out.len), 0);
	world_apply(batch);
	buf_fini(&out);
	codec_free(&brief_codec, &brief);
}

static void
set_up(void)
{
	setenv("REEVE_CGROUPS", "off", 1);
	unsetenv("REEVE_SPAWN");
	setenv("OTHER", "secret", 1);
	world_begin();
	scratch_make();
	ck_assert_int_eq(mkdirat(scratch_fd, "work", 0711), 0);
	loop = ev_loop_new(EVFLAG_AUTO);
	census_init(&census);
	ck_assert_int_eq(cgroups_open("unittest", &cgroups), 0);
	ck_assert_int_eq(jobs_start(&jobs, loop, "files"), 0);
	worker_program = open("/proc/self/exe", O_PATH | O_CLOEXEC);
}

static void
tear_down(void)
{
	if (launch)
		launch_free(launch);
	jobs_stop(&jobs);
	cgroups_close(cgroups);
	census_fini(&census);
	ev_loop_destroy(loop);
	fd_close(&worker_program);
	scratch_remove();
	world_close();
}

static void
on_done(struct job *job)
{
	launch = (struct launch *)job;
}

static struct launch *
order(void)
{
	struct launch *ordered = calloc(1, sizeof *ordered);

	ck_assert_ptr_nonnull(ordered);
	ordered->job.done = on_done;
	ordered->store = store;
	ordered->cgroups = cgroups;
	ordered->census = &census;
	ordered->state_dir = scratch_path;
	ordered->attempts_fd = ordered->journals_fd = scratch_fd;
	ordered->worker_fd = worker_program;
	ordered->id = ID;
	ordered->attempt = ATTEMPT;
	ordered->berth = BERTH;
	ordered->mode = ATTEMPT_RUN;
	ordered->keeper_instance = strdup("keeper");
	ordered->boot_id = strdup("boot");
	ordered->news_path = strdup(scratch_file("5.news"));
	ordered->orders_path = strdup(scratch_file("5.orders"));
	ordered->grace_ms = 250;
	ordered->order_rev = 5;
	ordered->steps.v = calloc(2, sizeof *ordered->steps.v);
	ordered->steps.n = 2;
	ordered->steps.v[0].state = STEP_DONE;
	ordered->steps.v[1].state = STEP_PENDING;
	return ordered;
}

static void
carry_out(struct launch *ordered)
{
	launch_start(ordered, &jobs);
	while (!launch) /* the test's timeout */
		ev_run(loop, EVRUN_ONCE);
}

static void
wait_for(int fd)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };

	ck_assert_int_eq(poll(&pollfd, 1, -1), 1);
}

static void
close_fds(void)
{
	fd_close(&launch->pidfd);
	fd_close(&launch->journal_fd);
	fd_close(&launch->news_fd);
	fd_close(&launch->orders_fd);
}

static void
end_worker(void)
{
	ck_assert_int_eq(write(launch->orders_fd, "e", 1), 1);
	wait_for(launch->pidfd);
	close_fds();
}

static const char *
seen(void)
{
	static char *text;
	size_t len;

	free(text);
	ck_assert_int_eq(fd_read_file(scratch_fd, "seen", 65536, &text, &len), 0);
	return text;
}

__attribute__((format(printf, 1, 2))) static void
expect_seen(const char *format, ...)
{
	char want[512];
	va_list args;

	va_start(args, format);
	vsnprintf(want, sizeof want, format, args);
	va_end(args);
	ck_assert_msg(strstr(seen(), want) != NULL, "no \"%s\" in:\n%s", want, seen());
}

START_TEST(a_worker_gets_what_the_contract_says_and_nothing_else)
{
	put_spec(false);
	carry_out(order());
	ck_assert_msg(launch->result == 0, "%s", launch->message);
	wait_for(launch->news_fd);
	expect_seen("name 7.3\nleader 1\nfds 0 1 2 3 4 5 6 8.\nsealed 1\n");
	expect_seen("brief 7.3 mode 1 keeper keeper boot boot grace 250 rev 5 steps 2\n");
	expect_seen("news %s/5.news\norders %s/5.orders\n", scratch_path, scratch_path);
	expect_seen("env REEVE_CGROUPS=off\n");
	ck_assert_ptr_null(strstr(seen(), "OTHER"));
	end_worker();
}
END_TEST

START_TEST(the_lock_on_the_journal_is_the_workers_life)
{
	int other;

	put_spec(false);
	carry_out(order());
	ck_assert_msg(launch->result == 0, "%s", launch->message);
	wait_for(launch->news_fd);
	other = openat(scratch_fd, "5", O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(fd_is_locked(other), 1);
	ck_assert_int_eq(fd_is_locked(launch->journal_fd), 1);
	ck_assert(census_has(&census, launch->pid, launch->start_ticks));
	ck_assert_uint_gt(launch->start_ticks, 0);
	ck_assert_int_eq(write(launch->orders_fd, "e", 1), 1);
	wait_for(launch->pidfd);
	ck_assert_int_eq(fd_is_locked(other), 0);
	fd_close(&other);
	close_fds();
}
END_TEST

START_TEST(a_journal_is_begun_afresh)
{
	char head[6];

	put_spec(false);
	ck_assert_int_eq(fd_write_file(scratch_fd, "5", "older", 5, 0600, false), 0);
	carry_out(order());
	ck_assert_msg(launch->result == 0, "%s", launch->message);
	wait_for(launch->news_fd);
	ck_assert_int_eq(pread(launch->journal_fd, head, sizeof head, 0), sizeof head);
	ck_assert_mem_eq(head, "fact\0\0", sizeof head);
	end_worker();
}
END_TEST

/* The letters would end it. */
START_TEST(what_the_last_worker_did_not_read_does_not_reach_the_next)
{
	struct launch *ordered = order();
	struct pollfd end = { .events = POLLIN };
	bool made;
	int news = link_open_fifo(ordered->news_path, &made);
	int orders = link_open_fifo(ordered->orders_path, &made);
	char byte;

	put_spec(false);
	ck_assert_int_eq(write(news, "old", 3), 3);
	ck_assert_int_eq(write(orders, "eee", 3), 3);
	carry_out(ordered);
	ck_assert_msg(launch->result == 0, "%s", launch->message);
	wait_for(launch->news_fd);
	ck_assert_int_eq(read(launch->news_fd, &byte, 1), 1);
	ck_assert_int_eq(byte, 'n');
	ck_assert_int_eq(read(orders, &byte, 1), -1);
	end.fd = launch->pidfd;
	ck_assert_int_eq(poll(&end, 1, 0), 0);
	fd_close(&news);
	fd_close(&orders);
	end_worker();
}
END_TEST

static void
expect_failure(struct launch *ordered, int error, bool is_transient)
{
	carry_out(ordered);
	ck_assert_msg(launch->result == -error, "%d: %s", launch->result, launch->message);
	ck_assert(launch->is_transient == is_transient);
	ck_assert_str_ne(launch->message, "");
	ck_assert_int_eq(launch->pidfd, -1);
	ck_assert_int_eq(launch->journal_fd, -1);
	ck_assert_int_eq(launch->news_fd, -1);
	ck_assert_int_eq(launch->orders_fd, -1);
	ck_assert_uint_eq(census.n, 0);
}

START_TEST(a_berth_in_which_somebody_lives_is_not_used)
{
	int other = openat(scratch_fd, "5", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	put_spec(false);
	ck_assert_int_eq(fd_lock(other), 0);
	ck_assert_int_eq(write(other, "alive", 5), 5);
	expect_failure(order(), EBUSY, true);
	ck_assert(launch->is_occupied);
	ck_assert_int_eq(lseek(other, 0, SEEK_END), 5);
	fd_close(&other);
}
END_TEST

START_TEST(a_task_may_have_a_directory_of_its_own)
{
	struct stat st;

	put_spec(true);
	carry_out(order());
	ck_assert_msg(launch->result == 0, "%s", launch->message);
	wait_for(launch->news_fd);
	expect_seen("workdir %s/work/7\n", scratch_path);
	ck_assert_int_eq(fstatat(scratch_fd, "work/7", &st, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert_int_eq(st.st_mode, S_IFDIR | 0700);
	end_worker();
}
END_TEST

START_TEST(a_task_without_a_spec_is_not_started)
{
	expect_failure(order(), ENOENT, false);
}
END_TEST

START_TEST(a_worker_that_is_no_program_is_not_tried_again)
{
	struct launch *ordered = order();

	put_spec(false);
	ordered->worker_fd = scratch_fd;
	expect_failure(ordered, EACCES, false);
	ck_assert_ptr_nonnull(strstr(launch->message, "execute"));
}
END_TEST

START_TEST(a_pipe_that_cannot_be_made_is_named)
{
	struct launch *ordered = order();

	put_spec(false);
	ck_assert_int_eq(mkdir(ordered->orders_path, 0700), 0);
	expect_failure(ordered, EISDIR, false);
	ck_assert_ptr_nonnull(strstr(launch->message, "5.orders"));
}
END_TEST

START_TEST(a_shortage_passes)
{
	put_spec(false);
	world_arm("spawn.before", "errno:EAGAIN");
	expect_failure(order(), EAGAIN, true);
}
END_TEST

START_TEST(names_are_as_long_as_they_may_be)
{
	char name[ATTEMPT_NAME];

	ck_assert_str_eq(launch_attempt_name(41, 2, name), "41.2");
	ck_assert_str_eq(launch_attempt_name(UINT64_MAX, UINT64_MAX, name),
	    "18446744073709551615.18446744073709551615");
}
END_TEST

int
main(int argc, char **argv, char **envp)
{
	TCase *tests = tcase_create("launch");
	TCase *cases[] = { tests };

	if (argc > 1 && strcmp(argv[0], "reeve-worker") == 0)
		play_worker(argv, envp);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_set_timeout(tests, 20);
	tcase_add_test(tests, a_worker_gets_what_the_contract_says_and_nothing_else);
	tcase_add_test(tests, the_lock_on_the_journal_is_the_workers_life);
	tcase_add_test(tests, a_journal_is_begun_afresh);
	tcase_add_test(tests, what_the_last_worker_did_not_read_does_not_reach_the_next);
	tcase_add_test(tests, a_berth_in_which_somebody_lives_is_not_used);
	tcase_add_test(tests, a_task_may_have_a_directory_of_its_own);
	tcase_add_test(tests, a_task_without_a_spec_is_not_started);
	tcase_add_test(tests, a_worker_that_is_no_program_is_not_tried_again);
	tcase_add_test(tests, a_pipe_that_cannot_be_made_is_named);
	tcase_add_test(tests, a_shortage_passes);
	tcase_add_test(tests, names_are_as_long_as_they_may_be);
	return world_run(suite_create("launch"), cases, sizeof cases / sizeof cases[0]);
}
