#include "tests/integ/world.h"

#include "ipc/clock.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* tests/fake/escape.c knows them all; `forks` takes a number. */
static const struct artist {
	const char *kind, *number;
	bool needs_root;
	unsigned with_cgroup_ms, without_ms; /* from the cancel to nothing left, beyond the grace */
} artists[] = {
	{ "setsid", NULL, false, 2000, 3000 }, { "setpgid", NULL, false, 2000, 3000 },
	{ "double-fork", NULL, false, 2000, 3000 }, { "daemon", NULL, false, 2000, 3000 },
	{ "clearenv", NULL, false, 2000, 3000 }, { "ignore", NULL, false, 2000, 3000 },
	{ "stopped", NULL, false, 2000, 3000 }, { "subreaper", NULL, false, 2000, 3000 },
	{ "restart", NULL, false, 2000, 3000 }, { "user", NULL, true, 2000, 3000 },
	{ "cgroup", NULL, true, 2000, 3000 }, { "forks", "200", false, 1000, 1000 },
	{ "forks", "1000", true, 1000, 10000 }, /* apart, and last */
};
enum {
	ALL = sizeof artists / sizeof artists[0],
	ARTISTS = ALL - 1,
	GRACE_MS = 100
};

static uid_t artist_uid, service_uid;

/* Of the escape artist, owned by root; its path. */
static const char *
set_user_id_copy(struct world *world)
{
	const char *copy = world_path(world, "escape");
	const char *const words[] = { "-c", "cp \"$0\"/escape \"$1\" && chmod 4755 \"$1\"",
		world->fake, copy, NULL };
	uid_t client = world->client_uid;

	world->client_uid = geteuid();
	ck_assert_int_eq(world_exec(world, "sh", words, NULL)->status, 0);
	world->client_uid = client;
	return copy;
}

/* Who asks gets through a crowd, if he may: the service, which was started before, does not. */
static void
ask_ahead(void)
{
	const struct sched_param first = { .sched_priority = 1 };

	(void)sched_setscheduler(0, SCHED_FIFO, &first);
}

/* Whoever it is and however it runs away: after the cancel nothing is alive. */
START_TEST(nobody_escapes)
{
	const struct artist *artist = &artists[_i];
	struct world world;
	char program[2 * WORLD_PATH];
	uint64_t id, begin_ms, took_ms;
	json_t *task;
	pid_t worker;
	int status;

	if (artist->needs_root && artist_uid != 0)
		return; /* he has no way to do it */
	world_open(&world, __func__);
	world_env(&world, "REEVE_GRACE", "100ms");
	world.service_uid = service_uid;
	world_start(&world);
	ask_ahead();
	world.client_uid = artist_uid;
	snprintf(program, sizeof program, "%s/escape", world.fake);
	id = SUBMIT(&world, "--env", "ESCAPE_SECONDS=20", "--", program, artist->kind,
	    artist->number ? artist->number : "0");
	world_until_said(&world, id, "ready\n");
	worker = world_worker(&world, id);
	begin_ms = clock_boot_ms();
	status = REEVE(&world, "cancel", world_word(&world, id))->status;
	took_ms = clock_boot_ms() - begin_ms;
	task = world_show(&world, id);
	ck_assert_msg(status == 0, "%s: exit %d, %s, receipt %s", artist->kind, status,
	    doc_text(task, "status"), doc_text(task, "receipt"));
	ck_doc(task, "status", "cancelled");
	ck_doc(task, "receipt.survivors", "[]");
	/* a figure, not a verdict: machines are slow at times */
	printf("%s: %llu ms, aim %u\n", artist->kind, (unsigned long long)took_ms,
	    GRACE_MS + (getenv("REEVE_CGROUPS") || service_uid != 0 ? artist->without_ms
								    : artist->with_cgroup_ms));
	world_wait_gone(worker);
	ck_assert_int_eq(world_alive(&world), 2);
	world_close(&world);
}
END_TEST

/*
 * By a set-user-id program a step becomes somebody whom the service may not signal. The cancel does
 * not pretend: it names who lives and gives up the slot. _i: 0: he dies in the end; 1: an
 * administrator gives him up.
 */
START_TEST(who_cannot_be_killed_is_named_and_holds_no_slot)
{
	struct world world;
	const char *program, *word;
	json_t *task;
	uint64_t id;
	pid_t escaped;

	if (geteuid() != 0)
		return; /* only root makes such a program */
	world_open(&world, __func__);
	world_env(&world, "REEVE_GRACE", "100ms");
	world.slots = "1";
	world.service_uid = world.client_uid = WORLD_NOBODY;
	world_start(&world);
	program = set_user_id_copy(&world);
	id = SUBMIT(&world, "--env", "ESCAPE_SECONDS=60", "--", program, "user", "12345");
	word = world_word(&world, id);
	world_until_said(&world, id, "ready\n");
	ck_assert_int_eq(REEVE(&world, "cancel", "--timeout", "1s", word)->status, 5);
	task = world_until(&world, id, "blocked_on.kind", "unkillable");
	ck_doc(task, "status", "cancelling");
	escaped = (pid_t)json_integer_value(doc_at(task, "receipt.survivors.0.pid"));
	ck_assert_int_gt(escaped, 1);
	ck_assert_int_eq(kill(escaped, 0), 0);
	ck_assert_int_eq(REEVE(&world, "run", "--", "true")->status, 0);
	if (_i == 1) {
		REEVE(&world, "cancel", "--abandon", word);
		ck_says(doc_text(world_until(&world, id, "status", "cancelled"), "outcome"),
		    "could not be killed");
	}
	ck_assert_int_eq(kill(escaped, SIGKILL), 0);
	world_until(&world, id, "status", "cancelled");
	world_close(&world);
}
END_TEST

static void
as_root(void)
{
	artist_uid = service_uid = geteuid();
}

static void
as_user(void)
{
	artist_uid = geteuid() == 0 ? WORLD_NOBODY : geteuid();
	service_uid = geteuid();
}

/* The whole service is an ordinary user's, who may make no cgroups. */
static void
service_of_user(void)
{
	as_user();
	service_uid = artist_uid;
}

static void
root_without_cgroup(void)
{
	as_root();
	setenv("REEVE_CGROUPS", "off", 1);
}

static void
user_without_cgroup(void)
{
	as_user();
	setenv("REEVE_CGROUPS", "off", 1);
}

static void
done(void)
{
	unsetenv("REEVE_CGROUPS");
}

int
main(void)
{
	static const struct {
		const char *name;
		void (*setup)(void);
	} kinds[] = { { "of the service's own user, cgroups", as_root },
		{ "of an ordinary user, cgroups", as_user },
		{ "of the service's own user, no cgroup", root_without_cgroup },
		{ "of an ordinary user, no cgroup", user_without_cgroup },
		{ "of an ordinary user's own service", service_of_user } };
	Suite *suite = suite_create("escape");

	(void)world_apart(); /* where it can be had, the storms have process numbers of their own */
	tcase_add_loop_test(world_tcase(suite, "another user"),
	    who_cannot_be_killed_is_named_and_holds_no_slot, 0, 2);
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		TCase *tcase = world_tcase(suite, kinds[i].name);

		tcase_add_unchecked_fixture(tcase, kinds[i].setup, done);
		tcase_add_loop_test(tcase, nobody_escapes, 0, ARTISTS);
	}
	/* On request: it leaves nobody else a share of the processors for seconds. */
	if (geteuid() == 0 && getenv("REEVE_STORM")) {
		TCase *tcase = world_tcase(suite, "a thousand, no cgroup");

		tcase_add_unchecked_fixture(tcase, root_without_cgroup, done);
		tcase_add_loop_test(tcase, nobody_escapes, ARTISTS, ALL);
	}
	return world_main(suite);
}
