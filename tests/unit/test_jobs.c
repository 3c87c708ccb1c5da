#include "supervisor/jobs.h"

#include "tests/unit/suite.h"

#include <check.h>
#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum {
	MANY = 5000
};

struct errand {
	struct job job;
	unsigned number;
	bool worked;
};

static struct ev_loop *loop;
static struct jobs jobs;
static pthread_t loop_thread;
static unsigned worked, done;
static sem_t gate;

static void
set_up(void)
{
	loop = ev_loop_new(EVFLAG_AUTO);
	loop_thread = pthread_self();
	worked = done = 0;
	sem_init(&gate, 0, 0);
	ck_assert_int_eq(jobs_start(&jobs, loop, "a name"), 0);
}

static void
tear_down(void)
{
	ev_loop_destroy(loop);
	sem_destroy(&gate);
}

static void
work(struct job *job)
{
	struct errand *errand = (struct errand *)job;

	ck_assert(!pthread_equal(pthread_self(), loop_thread));
	ck_assert_uint_eq(errand->number, worked);
	worked++;
	errand->worked = true;
}

static void
finish(struct job *job)
{
	struct errand *errand = (struct errand *)job;

	ck_assert(pthread_equal(pthread_self(), loop_thread));
	ck_assert_uint_eq(errand->number, done);
	ck_assert(errand->worked);
	done++;
	free(errand);
}

static struct errand *
errand(unsigned number)
{
	struct errand *errand = calloc(1, sizeof *errand);

	ck_assert_ptr_nonnull(errand);
	errand->job = (struct job){ .work = work, .done = finish };
	errand->number = number;
	return errand;
}

START_TEST(jobs_are_done_in_order_each_on_its_thread)
{
	for (unsigned i = 0; i < MANY; i++)
		jobs_add(&jobs, &errand(i)->job);
	while (done < MANY) /* the test's timeout */
		ev_run(loop, EVRUN_ONCE);
	jobs_stop(&jobs);
	ck_assert_uint_eq(done, MANY);
}
END_TEST

START_TEST(stopping_finishes_what_was_added)
{
	for (unsigned i = 0; i < 100; i++)
		jobs_add(&jobs, &errand(i)->job);
	jobs_stop(&jobs);
	ck_assert_uint_eq(worked, 100);
	ck_assert_uint_eq(done, 100);
}
END_TEST

START_TEST(a_thread_without_jobs_stops_at_once)
{
	jobs_stop(&jobs);
	ck_assert_uint_eq(done, 0);
}
END_TEST

static void
finish_and_go_on(struct job *job)
{
	unsigned next = ((struct errand *)job)->number + 1;
	struct errand *following = errand(next);

	finish(job);
	following->job.done = next < 9 ? finish_and_go_on : finish;
	jobs_add(&jobs, &following->job);
}

START_TEST(a_finished_job_may_add_the_next)
{
	struct errand *first = errand(0);

	first->job.done = finish_and_go_on;
	jobs_add(&jobs, &first->job);
	while (done < 10)
		ev_run(loop, EVRUN_ONCE);
	jobs_stop(&jobs);
}
END_TEST

static void
work_slowly(struct job *job)
{
	sem_wait(&gate);
	work(job);
}

START_TEST(the_loop_goes_on_while_a_job_blocks)
{
	struct errand *slow = errand(0);

	slow->job.work = work_slowly;
	jobs_add(&jobs, &slow->job);
	for (int i = 0; i < 100; i++)
		ev_run(loop, EVRUN_NOWAIT);
	ck_assert_uint_eq(done, 0);
	sem_post(&gate);
	while (done < 1)
		ev_run(loop, EVRUN_ONCE);
	jobs_stop(&jobs);
}
END_TEST

static void
look_at_the_thread(struct job *job)
{
	char name[16];
	sigset_t mask;

	ck_assert_int_eq(pthread_getname_np(pthread_self(), name, sizeof name), 0);
	ck_assert_str_eq(name, "a name");
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	ck_assert_int_eq(sigismember(&mask, SIGTERM), 1);
	ck_assert_int_eq(sigismember(&mask, SIGCHLD), 1);
	work(job);
}

START_TEST(the_thread_has_its_name_and_takes_no_signals)
{
	struct errand *one = errand(0);
	sigset_t mask;

	one->job.work = look_at_the_thread;
	jobs_add(&jobs, &one->job);
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	ck_assert_int_eq(sigismember(&mask, SIGTERM), 0);
	jobs_stop(&jobs);
	ck_assert_uint_eq(done, 1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("jobs");
	TCase *tests = tcase_create("jobs");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_set_timeout(tests, 20);
	tcase_add_test(tests, jobs_are_done_in_order_each_on_its_thread);
	tcase_add_test(tests, stopping_finishes_what_was_added);
	tcase_add_test(tests, a_thread_without_jobs_stops_at_once);
	tcase_add_test(tests, a_finished_job_may_add_the_next);
	tcase_add_test(tests, the_loop_goes_on_while_a_job_blocks);
	tcase_add_test(tests, the_thread_has_its_name_and_takes_no_signals);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
