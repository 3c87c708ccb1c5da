#include "tests/integ/world.h"

#include "ipc/clock.h"
#include "ipc/fd.h"
#include "ipc/proc.h"
#include "ipc/tree.h"
#include "store/dump.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	FILE_MAX = 1024 * 1024,
	LOG_SHOWN = 16 * 1024
};

/* One for the whole program; each world is a directory in it. */
static char all_worlds[WORLD_PATH];
static char build[WORLD_PATH];
static char programs[WORLD_PATH];

static void
path_join(char path[static WORLD_PATH], const char *dir, const char *name)
{
	int n = snprintf(path, WORLD_PATH, "%s/%s", dir, name);

	ck_assert_msg(n > 0 && n < WORLD_PATH, "path too long: %s/%s", dir, name);
}

/* ---- one story -------------------------------------------------------------------- */

static void
make_dir(const char *path, mode_t mode)
{
	ck_assert(mkdir(path, mode) == 0 || errno == EEXIST);
	ck_assert_int_eq(chmod(path, mode), 0); /* whatever the umask is */
}

void
world_make_rundir(struct world *world)
{
	/* There before the service, so that its socket can be waited for. */
	make_dir(world->rundir, 0755);
}

void
world_open(struct world *world, const char *name)
{
	char own[WORLD_PATH];

	*world = (struct world){ .service_uid = geteuid(), .client_uid = geteuid() };
	/* The pid too: a looped test keeps its name. */
	snprintf(own, sizeof own, "%s-%d", name, (int)getpid());
	path_join(world->root, all_worlds, own);
	make_dir(world->root, 0711);
	path_join(world->bin, programs, "bin");
	path_join(world->fake, programs, "tests/fake");
	path_join(world->state, world->root, "state");
	path_join(world->rundir, world->root, "run");
	path_join(world->socket, world->rundir, "control.sock");
	path_join(world->log, world->root, "log");
	path_join(world->points, world->root, "points");
	make_dir(world->points, 0755);
	world_make_rundir(world);
	world->docs = json_array();
	world_env(world, "REEVE_FAILPOINT_DIR", world->points);
	world_env(world, "REEVE_SOCKET", world->socket);
	path_join(own, world->root, "config"); /* not that of whoever runs the tests */
	world_env(world, "XDG_CONFIG_HOME", own);
}

/* Reaps what has ended and waits for what ends soon. */
static void
insist_on_peace(void)
{
	uint64_t deadline_ms = clock_boot_ms() + 5000;
	size_t n = 1;

	while (n > 0 && clock_boot_ms() < deadline_ms) {
		pid_t *pids = NULL;

		while (waitpid(-1, NULL, WNOHANG | __WALL) > 0)
			;
		ck_assert_int_eq(proc_children(getpid(), &pids, &n), 0);
		if (n > 0)
			world_wait_gone(pids[0]);
		free(pids);
	}
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG | __WALL), -1);
	ck_assert_int_eq(errno, ECHILD);
}

void
world_shutdown(struct world *world)
{
	uid_t asker = world->client_uid;
	const struct said *said;

	world->client_uid = world->service_uid;
	said = REEVE(world, "shutdown", "--tasks");
	ck_assert_msg(said->status == 0, "shutdown: %s", said->err);
	ck_assert_int_eq(world_wait_keeper(world), 0);
	world->client_uid = asker;
	insist_on_peace();
}

void
world_close(struct world *world)
{
	if (world->keeper)
		world_shutdown(world);
	insist_on_peace();
	ck_assert_int_eq(fd_remove_tree(AT_FDCWD, world->root), 0);
	while (world->said) {
		struct said *next = world->said->next;

		free(world->said->out);
		free(world->said->err);
		free(world->said);
		world->said = next;
	}
	json_decref(world->docs);
	strs_free(&world->env);
}

void
world_env(struct world *world, const char *name, const char *value)
{
	char *assignment;

	ck_assert_int_gt(asprintf(&assignment, "%s=%s", name, value), 0);
	ck_assert_int_eq(strs_add(&world->env, assignment), 0);
	free(assignment);
}

const char *
world_path(struct world *world, const char *name)
{
	json_t *path = json_sprintf("%s/%s", world->root, name);

	json_array_append_new(world->docs, path);
	return json_string_value(path);
}

const char *
world_word(struct world *world, uint64_t number)
{
	json_t *word = json_sprintf("%llu", (unsigned long long)number);

	json_array_append_new(world->docs, word);
	return json_string_value(word);
}

const char *
world_file(struct world *world, const char *name, const char *text)
{
	const char *path = world_path(world, name);

	/* By rename, so that nobody reads half of it. */
	ck_assert_int_eq(fd_write_file(AT_FDCWD, path, text, strlen(text), 0644, false), 0);
	return path;
}

const char *
world_read(struct world *world, const char *name)
{
	char *text = NULL;
	json_t *content;
	size_t len;

	if (fd_read_file(AT_FDCWD, world_path(world, name), FILE_MAX, &text, &len) < 0)
		return "";
	content = json_string(text);
	free(text);
	ck_assert_ptr_nonnull(content);
	json_array_append_new(world->docs, content);
	return json_string_value(content);
}

const char *
world_source(struct world *world, const char *name)
{
	char *top = getcwd(NULL, 0);
	json_t *path = json_sprintf("%s/%s", top, name);

	free(top);
	json_array_append_new(world->docs, path);
	return json_string_value(path);
}

void
world_point(struct world *world, const char *name, const char *action)
{
	char path[WORLD_PATH];

	path_join(path, world->points, name);
	if (action)
		ck_assert_int_eq(
		    fd_write_file(AT_FDCWD, path, action, strlen(action), 0644, false), 0);
	else
		ck_assert_int_eq(unlink(path), 0);
}

/* ---- all of them ------------------------------------------------------------------- */

TCase *
world_tcase(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	return tcase;
}

static bool
is_open_to_all(const char *path)
{
	char part[WORLD_PATH];
	struct stat st;

	snprintf(part, sizeof part, "%s", path);
	for (char *slash = strrchr(part, '/'); slash && slash != part; slash = strrchr(part, '/')) {
		if (stat(part, &st) < 0 || !(st.st_mode & S_IXOTH))
			return false;
		*slash = '\0';
	}
	return true;
}

/* .../tests/integ/test_X -> the build; and a copy of its programs when others could not start them.
 */
static void
find_programs(void)
{
	ssize_t len = readlink("/proc/self/exe", build, sizeof build - 1);
	char command[6 * WORLD_PATH];

	for (int i = 0; i < 3 && len > 0; i++)
		*strrchr(build, '/') = '\0';
	memcpy(programs, build, sizeof programs);
	if (geteuid() != 0 || is_open_to_all(build))
		return;
	path_join(programs, all_worlds, ".programs");
	snprintf(command, sizeof command,
	    "mkdir -p %s/tests && cp -a %s/bin %s && cp -a %s/tests/fake %s/tests", programs, build,
	    programs, build, programs);
	if (system(command) != 0) /* NOLINT(cert-env33-c): our own words */
		fprintf(stderr, "the programs cannot be copied for other users\n");
}

static void
tell_file(const char *path)
{
	char text[LOG_SHOWN + 1];
	FILE *file = fopen(path, "re");
	size_t n;

	if (!file)
		return;
	if (fseek(file, -LOG_SHOWN, SEEK_END) < 0)
		rewind(file);
	n = fread(text, 1, LOG_SHOWN, file);
	fwrite(text, 1, n, stderr);
	fclose(file);
}

static void
tell_store(const char *world)
{
	char dir[4 * WORLD_PATH];
	struct store_options options = { .dir = dir, .read_only = true };
	struct store_error error;
	struct store *store;

	snprintf(dir, sizeof dir, "%s/state/store", world);
	if (store_open(&options, &store, &error) < 0) {
		fprintf(stderr, "(no store: %s)\n", error.text);
		return;
	}
	store_dump(stderr, store);
	store_close(store);
}

/* Only worlds whose test failed are still there. */
static void
tell_about_the_rest(void)
{
	DIR *dir = opendir(all_worlds);
	struct dirent *entry;
	char world[3 * WORLD_PATH], log[4 * WORLD_PATH];

	while (dir && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(world, sizeof world, "%s/%s", all_worlds, entry->d_name);
		snprintf(log, sizeof log, "%s/log", world);
		fprintf(stderr, "---- %s: its service said\n", entry->d_name);
		tell_file(log);
		fprintf(stderr, "---- %s: its store holds\n", entry->d_name);
		tell_store(world);
	}
	if (dir)
		closedir(dir);
}

static void
reap(void *arg)
{
	(void)arg;
	while (waitpid(-1, NULL, WNOHANG | __WALL) > 0)
		;
}

static void
kill_the_rest(void)
{
	struct tree_kill spec = {
		.root = getpid(), .on_round = reap, .deadline_ms = clock_boot_ms() + 10000
	};
	struct tree_result result;

	if (tree_kill(&spec, &result) < 0)
		fprintf(stderr, "%zu processes could not be killed\n", result.survived);
	tree_result_free(&result);
	reap(NULL);
}

int
world_main(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	snprintf(all_worlds, sizeof all_worlds, "/tmp/reeve-test.XXXXXX");
	if (!mkdtemp(all_worlds) || chmod(all_worlds, 0711) < 0) {
		perror(all_worlds);
		srunner_free(runner);
		return EXIT_FAILURE;
	}
	find_programs();
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); /* orphans of a failed test come here */
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	kill_the_rest();
	if (failed)
		tell_about_the_rest();
	fd_remove_tree(AT_FDCWD, all_worlds);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
