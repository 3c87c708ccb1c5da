#include "tests/chaos/chaos.h"

#include "ipc/fd.h"
#include "ipc/tree.h"

#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	CREW_MIN = 20,
	CREW_MAX = 40,
	DRAIN_S = 90,
	LOG_TAIL = 8 * 1024
};

double
chaos_now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* xorshift64: the same seed gives the same run, as far as the machine allows. */
uint64_t
chaos_draw(struct chaos *chaos, uint64_t below)
{
	chaos->rng ^= chaos->rng << 13;
	chaos->rng ^= chaos->rng >> 7;
	chaos->rng ^= chaos->rng << 17;
	return chaos->rng % below;
}

static void
show_log(const struct chaos *chaos)
{
	char path[96], text[LOG_TAIL];
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "%s/log", chaos->root);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	lseek(fd, -(off_t)sizeof text, SEEK_END);
	n = fd_read_all(fd, text, sizeof text);
	if (n > 0)
		fwrite(text, 1, (size_t)n, stderr);
	fd_close(&fd);
}

void
chaos_die(struct chaos *chaos, const char *what)
{
	show_log(chaos);
	fprintf(stderr, "VIOLATION: %s\neverything is kept in %s\n", what, chaos->root);
	exit(EXIT_FAILURE);
}

static void
find_programs(struct chaos *chaos)
{
	char self[400] = "";
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	char *at = n > 0 ? strstr(self, "/tests/chaos/") : NULL;

	if (!at)
		chaos_die(chaos, "where am I?");
	*at = '\0';
	snprintf(chaos->bin, sizeof chaos->bin, "%s/bin", self);
	snprintf(chaos->actor, sizeof chaos->actor, "%s/tests/fake/actor", self);
}

/* Mostly the supervisor; now and then somebody else, or everybody. */
static void
strike(struct chaos *chaos, bool only_supervisor)
{
	uint64_t lot = only_supervisor ? UINT64_MAX : chaos_draw(chaos, 200);

	if (lot == 0)
		crew_kill_all(chaos);
	else if (lot < 3)
		crew_kill_keeper(chaos);
	else if (lot < 10)
		crew_kill_worker(chaos);
	else
		crew_kill_supervisor(chaos);
}

static void
rage(struct chaos *chaos, double seconds, bool only_supervisor)
{
	double until = chaos_now_s() + seconds;

	while (chaos_now_s() < until) {
		unsigned wanted = CREW_MIN + (unsigned)chaos_draw(chaos, CREW_MAX - CREW_MIN);

		for (unsigned i = 0; i < 4 && chaos->active < wanted; i++)
			desk_submit(chaos);
		/* now and then right behind a submission, before anything can have settled */
		desk_follow(chaos, chaos_draw(chaos, 5) ? 20 + (int)chaos_draw(chaos, 180) : 0);
		strike(chaos, only_supervisor);
	}
}

static void
drain(struct chaos *chaos)
{
	double until = chaos_now_s() + DRAIN_S;

	while (chaos->active > 0 && chaos_now_s() < until)
		desk_follow(chaos, 100);
	if (chaos->active == 0)
		return;
	for (uint64_t id = 1; id <= chaos->last_id; id++)
		if (chaos->plans[id].is_known && !chaos->plans[id].ended)
			fprintf(stderr, "task %llu has not ended\n", (unsigned long long)id);
	chaos_die(chaos, "some tasks never ended");
}

/* Everything that was ever started descends from us: after the service, nothing must be left. */
static unsigned
count_left(void)
{
	int left;

	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	left = tree_count(getpid(), NULL, NULL);
	if (left > 0)
		fprintf(stderr, "VIOLATION: %d processes are left\n", left);
	return left > 0 ? 1 : 0;
}

struct wish {
	double seconds;
	uint64_t seed;
	bool only_supervisor;
};

static bool
parse(int argc, char **argv, struct wish *wish)
{
	static const struct option options[] = { { "seconds", required_argument, NULL, 's' },
		{ "seed", required_argument, NULL, 'r' },
		{ "only-supervisor", no_argument, NULL, 'o' }, { NULL, 0, NULL, 0 } };
	int flag;

	*wish = (struct wish){ .seconds = 120, .seed = 1 };
	while ((flag = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (flag == 's')
			wish->seconds = strtod(optarg, NULL);
		else if (flag == 'r')
			wish->seed = strtoull(optarg, NULL, 10);
		else if (flag == 'o')
			wish->only_supervisor = true;
		else
			return false;
	}
	return optind == argc;
}

int
main(int argc, char **argv)
{
	static struct chaos chaos;
	struct wish wish;
	unsigned violations;

	if (!parse(argc, argv, &wish)) {
		fputs("usage: chaos [--seconds S] [--seed N] [--only-supervisor]\n", stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	chaos.rng = wish.seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	chaos.plans = calloc(MAX_TASKS, sizeof *chaos.plans);
	if (!chaos.plans)
		return EXIT_FAILURE;
	printf("chaos: seed %llu, %.0f s\n", (unsigned long long)wish.seed, wish.seconds);
	find_programs(&chaos);
	crew_start(&chaos);
	rage(&chaos, wish.seconds, wish.only_supervisor);
	drain(&chaos);
	violations = judge(&chaos);
	crew_stop(&chaos);
	violations += count_left();
	printf(
	    "killed: %u supervisors, %u keepers, %u workers, %u times everybody; %u violations\n",
	    chaos.supervisor_kills, chaos.keeper_kills, chaos.worker_kills, chaos.massacres,
	    violations);
	if (violations > 0) {
		show_log(&chaos);
		fprintf(stderr, "everything is kept in %s\n", chaos.root);
		return EXIT_FAILURE;
	}
	fd_remove_tree(AT_FDCWD, chaos.root);
	fd_remove_tree(AT_FDCWD, chaos.run);
	free(chaos.plans);
	return EXIT_SUCCESS;
}
