#include "worker/progress.h"

#include "tests/unit/suite.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	ROUNDS = 50,
	MAX_RECORDING = 64 * 1024
};

/* What real programs printed, tests/recorded/README.md. The fraction after half of the bytes and
 * after all of them; -1: it is unknown. */
static const struct recording {
	const char *name;
	enum progress_kind kind;
	double half, end;
	const char
	    *all; /* how it says that all is done, or all but the last thing; NULL: it never does */
} recordings[] = {
	{ "curl", PROGRESS_CURL, -1, 0.99, "100 2929k" },
	{ "curl-bar", PROGRESS_PERCENT, 0.533, 0.99, "100.0%" },
	{ "curl-broken", PROGRESS_CURL, -1, 0.33, NULL },
	{ "curl-unknown", PROGRESS_CURL, -1, -1, NULL },
	{ "curl-parallel", PROGRESS_CURL, -1, 0.99, "100 --" },
	{ "wget", PROGRESS_WGET, 0.47, 0.99, "100%" },
	{ "wget-bar", PROGRESS_WGET, 0.4, 0.99, "100%" },
	{ "wget-tty", PROGRESS_WGET, 0.4, 0.99, "100%" },
	{ "git-clone", PROGRESS_GIT, 0.036, 0.9, NULL },
	{ "git-clone-tty", PROGRESS_GIT, 0.038, 0.9, NULL },
	{ "rsync", PROGRESS_RSYNC, 0.5, 0.99, "290,000 100%" },
	{ "rsync-one", PROGRESS_RSYNC, -1, 0.99, "to-chk=0/" },
	{ "rsync-whole", PROGRESS_RSYNC, 0.48, 0.99, "(xfr#11, to-chk=1/14)" },
	{ "pip", PROGRESS_PIP, 0, 0.95, NULL },
	{ "pip-raw", PROGRESS_PIP, 0.166, 0.95, NULL },
	{ "pip-tty", PROGRESS_PIP, 0.274, 0.95, NULL },
	{ "pip-blind-tty", PROGRESS_PIP, -1, 0.95, NULL },
	{ "npm", PROGRESS_NPM, -1, -1, NULL },
	{ "npm-tty", PROGRESS_NPM, -1, -1, NULL },
	{ "npm9-tty", PROGRESS_NPM, 0, 0.99, "##################" },
	{ "docker", PROGRESS_DOCKER, 0.35, 0.99, "9c2b5d1f6e77: Pull complete" },
	{ "docker-tty", PROGRESS_DOCKER, 0.524, 0.99, "0ba1cd5fa4bc: Extracting" },
	{ "docker-build", PROGRESS_DOCKER, 0.4, 0.8, NULL },
	{ "docker-buildkit", PROGRESS_DOCKER, 0, 0.75, NULL },
	{ "ffmpeg", PROGRESS_FFMPEG, -1, 0.99, "time=00:00:40" },
	{ "ffmpeg-machine", PROGRESS_FFMPEG, 0.144, 0.99, "time=00:00:40" },
	{ "osc", PROGRESS_OSC, 0.5, 0.99, "9;4;1;100" },
};

static size_t
load(const char *name, char *data)
{
	char path[128];
	size_t len;
	FILE *file;

	snprintf(path, sizeof path, "tests/recorded/%s", name);
	file = fopen(path, "r");
	ck_assert_msg(file, "no %s", path);
	len = fread(data, 1, MAX_RECORDING, file);
	ck_assert_uint_lt(len, MAX_RECORDING);
	fclose(file);
	return len;
}

static void
ck_fraction(const char *name, double fraction, double expected)
{
	if (expected < 0)
		ck_assert_msg(isnan(fraction), "%s: %f, though it is unknown", name, fraction);
	else
		ck_assert_msg(fabs(fraction - expected) < 0.0015, "%s: %f is not %f", name,
		    fraction, expected);
}

/* In pieces of any length, to UPTO. Never falls and is never all. */
static double
replay(enum progress_kind kind, const char *data, size_t upto, bool settle)
{
	double before = -1;
	struct progress progress;

	progress_init(&progress, kind);
	for (size_t at = 0; at < upto;) {
		size_t n = 1 + (size_t)rand() % (rand() % 4 ? 16 : 1024);

		n = n < upto - at ? n : upto - at;
		progress_feed(&progress, 0, data + at, n);
		if (settle)
			progress_settle(&progress);
		at += n;
		ck_assert(isnan(progress.fraction) ||
			  (progress.fraction >= before && progress.fraction <= PROGRESS_MOST));
		before = isnan(progress.fraction) ? -1 : progress.fraction;
	}
	progress_settle(&progress);
	return progress.fraction;
}

START_TEST(recorded_output_says_in_any_pieces_what_its_program_did)
{
	const struct recording *recording = &recordings[_i];
	char *data = malloc(MAX_RECORDING);
	size_t len = load(recording->name, data);
	struct progress progress;

	srand((unsigned)_i + 1);
	progress_init(&progress, PROGRESS_AUTO);
	progress_feed(&progress, 0, data, len / 2);
	ck_fraction(recording->name, progress.fraction, recording->half);
	for (int i = 0; i < ROUNDS; i++) {
		ck_fraction(
		    recording->name, replay(PROGRESS_AUTO, data, len, false), recording->end);
		ck_fraction(
		    recording->name, replay(PROGRESS_AUTO, data, len, true), recording->end);
		ck_fraction(
		    recording->name, replay(recording->kind, data, len, true), recording->end);
	}
	free(data);
}
END_TEST

START_TEST(nothing_is_all_done_before_its_program_says_so)
{
	const struct recording *recording = &recordings[_i];
	char *data = malloc(MAX_RECORDING);
	size_t len = load(recording->name, data);
	const char *said =
	    recording->all ? memmem(data, len, recording->all, strlen(recording->all)) : data + len;
	struct progress progress;

	ck_assert_msg(said, "%s does not say \"%s\"", recording->name, recording->all);
	progress_init(&progress, PROGRESS_AUTO);
	for (const char *at = data; at < said; at++) {
		progress_feed(&progress, 0, at, 1);
		progress_settle(&progress);
		ck_assert_msg(!(progress.fraction >= PROGRESS_MOST),
		    "%s: all is done after %zd of %zu bytes", recording->name, at - data, len);
	}
	free(data);
}
END_TEST

/* Damage anywhere in real output: bounded, never all, never backwards. */
START_TEST(damaged_output_does_no_harm)
{
	const struct recording *recording = &recordings[_i];
	char *data = malloc(MAX_RECORDING);
	size_t len = load(recording->name, data);

	srand((unsigned)_i + 1);
	for (int i = 0; i < ROUNDS; i++) {
		for (int k = 0; k < 5; k++)
			data[(size_t)rand() % len] = (char)rand();
		replay(PROGRESS_AUTO, data, len, i % 2);
	}
	free(data);
}
END_TEST

START_TEST(more_layers_than_are_counted_are_not_believed)
{
	char line[64];
	struct progress progress;

	progress_init(&progress, PROGRESS_AUTO);
	for (int i = 0; i < READ_LAYERS + 1; i++) {
		snprintf(line, sizeof line, "%012x: Pulling fs layer\n", (unsigned)i);
		progress_feed(&progress, 0, line, strlen(line));
	}
	progress_feed(&progress, 0, "000000000001: Pull complete\n", 28);
	ck_assert_double_eq(progress.fraction, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("readers");
	TCase *tests = tcase_create("recordings");
	int n = (int)(sizeof recordings / sizeof recordings[0]);

	tcase_add_loop_test(tests, recorded_output_says_in_any_pieces_what_its_program_did, 0, n);
	tcase_add_loop_test(tests, nothing_is_all_done_before_its_program_says_so, 0, n);
	tcase_add_loop_test(tests, damaged_output_does_no_harm, 0, n);
	tcase_add_test(tests, more_layers_than_are_counted_are_not_believed);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
