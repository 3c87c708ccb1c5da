#include "supervisor/config/config.h"

#include "ipc/clock.h"
#include "ipc/fd.h"
#include "ipc/log.h"
#include "supervisor/cgroup.h"
#include "supervisor/config/file.h"
#include "supervisor/config/page.h"
#include "supervisor/settings.h"
#include "tests/unit/scratch.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct config config;
static struct recipe_error error;
static struct config_layers layers;

static void
set_up(void)
{
	scratch_make();
	for (size_t i = 0; i < CONFIG_KEYS; i++)
		unsetenv(config_keys[i].env);
	layers = (struct config_layers){ .file = scratch_file("reeve.yaml") };
	config = (struct config){ .slots = 0 };
}

static void
tear_down(void)
{
	config_fini(&config);
	scratch_remove();
}

static void
write_file(const char *text)
{
	ck_assert_int_eq(fd_write_file(AT_FDCWD, layers.file, text, strlen(text), 0644, false), 0);
}

static int
load(void)
{
	config_fini(&config);
	config_layers_take_env(&layers);
	return config_load(&config, &layers, NULL, &error);
}

static void
is_sound(const char *text)
{
	write_file(text);
	ck_assert_msg(load() == 0, "%s", error.message);
}

static void
is_wrong(const char *text, const char *said)
{
	write_file(text);
	ck_assert_int_eq(load(), -EINVAL);
	ck_assert_msg(strstr(error.message, said), "no \"%s\" in %s", said, error.message);
}

static const struct config_key *
key_at(int i)
{
	return &config_keys[i];
}

START_TEST(what_is_not_said_has_a_default)
{
	ck_assert_int_eq(load(), 0); /* there is no file */
	ck_assert_uint_eq(config.slots, CONFIG_AUTO);
	ck_assert_uint_ge(settings_slots(&config), 4);
	ck_assert_uint_eq(config.log_level, LOG_LEVEL_INFO);
	ck_assert_uint_eq(config.grace_ms, 10000);
	ck_assert_uint_eq(config.max_processes, CGROUP_PIDS_MAX);
	ck_assert_uint_eq(config.user_tasks, 1000);
	ck_assert_uint_eq(config.keep_ms.completed, 3600000);
	ck_assert_uint_eq(config.keep_ms.failed, 604800000);
	ck_assert_uint_eq(config.keep_bytes, CONFIG_UNLIMITED);
	ck_assert_str_eq(config.admin_group, "reeve-admin");
	ck_assert_uint_eq(config.recipes.n, 0);
	for (size_t i = 0; i < CONFIG_KEYS; i++) {
		ck_assert_int_eq(config.origins[i].source, CONFIG_FROM_DEFAULT);
		ck_assert_str_eq(config.origins[i].text, config_keys[i].fallback);
	}
}
END_TEST

START_TEST(a_file_with_nothing_in_it_is_sound)
{
	is_sound("");
	is_sound("# grace: 1s\n");
	ck_assert_uint_eq(config.grace_ms, 10000);
}
END_TEST

START_TEST(a_flag_beats_the_environment_and_that_the_file)
{
	size_t slots = config_key_index("slots");

	is_sound("# mine\nslots: 3\nrecipes: [/a, /b]\nkeep_bytes: 2GiB\nlog_level: debug\n");
	ck_assert_uint_eq(config.slots, 3);
	ck_assert_uint_eq(config.keep_bytes, UINT64_C(2) << 30);
	ck_assert_uint_eq(config.log_level, LOG_LEVEL_DEBUG);
	ck_assert_uint_eq(config.recipes.n, 2);
	ck_assert_str_eq(config.recipes.v[1], "/b");
	ck_assert_int_eq(config.origins[slots].source, CONFIG_FROM_FILE);
	ck_assert_uint_eq(config.origins[slots].line, 2);
	setenv("REEVE_SLOTS", "5", 1);
	setenv("REEVE_RECIPES", "/c", 1);
	ck_assert_int_eq(load(), 0);
	ck_assert_uint_eq(config.slots, 5);
	ck_assert_uint_eq(config.recipes.n, 1);
	ck_assert_str_eq(config.recipes.v[0], "/c");
	ck_assert_int_eq(config.origins[slots].source, CONFIG_FROM_ENV);
	layers.flags[slots] = "0";
	ck_assert_int_eq(load(), 0);
	ck_assert_uint_eq(config.slots, 0);
	ck_assert_int_eq(config.origins[slots].source, CONFIG_FROM_FLAG);
	unsetenv("REEVE_SLOTS");
	layers.flags[slots] = NULL;
	ck_assert_int_eq(load(), 0);
	ck_assert_uint_eq(config.slots, 3);
}
END_TEST

START_TEST(every_good_example_is_accepted_everywhere)
{
	const struct config_key *key = key_at(_i);
	char text[256];

	snprintf(text, sizeof text, "%s: %s\n", key->name, key->good);
	is_sound(text);
	if (key->type != CONFIG_PATHS) {
		setenv(key->env, key->good, 1);
		ck_assert_int_eq(load(), 0);
		ck_assert_int_eq(config.origins[_i].source, CONFIG_FROM_ENV);
	}
}
END_TEST

START_TEST(every_bad_example_is_refused_where_it_stands)
{
	const struct config_key *key = key_at(_i);
	char text[256], place[256];

	snprintf(text, sizeof text, "# a comment\n%s: %s\n", key->name, key->bad);
	snprintf(
	    place, sizeof place, "reeve.yaml:2:%zu: %s takes ", strlen(key->name) + 3, key->name);
	is_wrong(text, place);
	ck_assert_str_eq(error.field, key->name);
	ck_assert_uint_eq(error.line, 2);
}
END_TEST

START_TEST(every_key_is_described_whole)
{
	const struct config_key *key = key_at(_i);
	char range[CONFIG_RANGE_TEXT];

	ck_assert_str_ne(config_type_name(key->type), "invalid");
	ck_assert_uint_gt(strlen(key->help), 10);
	ck_assert(strchr(".?!", key->help[strlen(key->help) - 1]));
	ck_assert_str_ne(config_range(key, range), "");
	ck_assert_int_eq(key->type == CONFIG_CHOICE, key->choices != NULL);
	ck_assert_uint_eq(config_key_index(key->name), (size_t)_i);
	ck_assert_int_eq(strncmp(key->env, "REEVE_", 6), 0);
}
END_TEST

START_TEST(what_is_wrong_is_said_with_its_place)
{
	is_wrong("slotz: 3\n", "reeve.yaml:1:1: unknown key \"slotz\" (did you mean \"slots\"?)");
	is_wrong("slots: 3\nslots: 4\n", ":2:1: duplicate key");
	is_wrong("slots: {a: b}\n", ":1:8: slots takes a whole number; 0 to 10000, or auto");
	is_wrong("recipes: [/a, [/b]]\n", "recipes takes a list of absolute paths");
	is_wrong("recipes: []\n", "recipes takes a list of absolute paths");
	is_wrong("recipes: ['/a:/b']\n", "recipes takes a list of absolute paths");
	is_wrong("keep_bytes: 99999999999TiB\n", "keep_bytes takes bytes");
	is_wrong("slots: 18446744073709551616\n", "slots takes");
	is_wrong("grace: [10s]\n", "grace takes a duration");
	is_wrong("- slots\n", "a configuration is a map of keys");
	is_wrong("slots: &a 3\n", "anchors (&) are not allowed");
	write_file("");
	setenv("REEVE_GRACE", "soon", 1);
	ck_assert_int_eq(load(), -EINVAL);
	ck_assert_str_eq(error.message,
	    "REEVE_GRACE takes a duration: 500ms, 30s, 10m, 2h, 7d; 0ms to 1d, not \"soon\"");
	unsetenv("REEVE_GRACE");
	layers.flags[config_key_index("slots")] = "4x";
	ck_assert_int_eq(load(), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error.message, "--slots takes a whole number"));
}
END_TEST

START_TEST(a_file_that_others_can_write_is_not_read)
{
	write_file("slots: 3\n");
	ck_assert_int_eq(chmod(layers.file, 0664), 0);
	ck_assert_int_eq(load(), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error.message, "writable by nobody else"));
	layers.file_is_trusted = true;
	ck_assert_int_eq(load(), 0);
}
END_TEST

START_TEST(a_file_that_cannot_be_read_is_told)
{
	layers.file_is_named = true;
	ck_assert_int_eq(load(), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error.message, "No such file"));
	ck_assert_int_eq(mkfifo(layers.file, 0644), 0);
	ck_assert_int_eq(load(), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error.message, "it is no file"));
}
END_TEST

START_TEST(a_configuration_that_fails_leaves_the_other_alone)
{
	is_sound("slots: 3\n");
	write_file("slots: 4\nnothing: 1\n");
	ck_assert_int_eq(config_load(&config, &layers, NULL, &error), -EINVAL);
	ck_assert_uint_eq(config.slots, 3);
}
END_TEST

START_TEST(bytes_have_units)
{
	uint64_t bytes;

	ck_assert_int_eq(config_parse_bytes("17", &bytes), 0);
	ck_assert_uint_eq(bytes, 17);
	ck_assert_int_eq(config_parse_bytes("3kB", &bytes), 0);
	ck_assert_uint_eq(bytes, 3000);
	ck_assert_int_eq(config_parse_bytes("3KiB", &bytes), 0);
	ck_assert_uint_eq(bytes, 3072);
	ck_assert_int_eq(config_parse_bytes("1.5GB", &bytes), -EINVAL);
	ck_assert_int_eq(config_parse_bytes("-1", &bytes), -EINVAL);
	ck_assert_int_eq(config_parse_bytes("20000000TiB", &bytes), -EINVAL);
	ck_assert_int_eq(config_parse_bytes("", &bytes), -EINVAL);
}
END_TEST

/* ---- taken up while it runs ------------------------------------------------------------ */

static struct settings settings;

static void
begin_settings(const char *text)
{
	struct flags flags = { .state_dir = scratch_path, .run_dir = scratch_path };

	setenv("REEVE_CONFIG_FILE", layers.file, 1);
	write_file(text);
	ck_assert_int_eq(settings_load(&settings, &flags), 0);
}

static int
read_again(const char *text, uint64_t *ret_changed)
{
	struct settings_found found;
	int r;

	write_file(text);
	r = settings_read(&settings, &found);
	if (r < 0)
		return r;
	*ret_changed = settings_take(&settings, &found);
	recipe_library_fini(&found.library);
	return 0;
}

#define BIT(name) (UINT64_C(1) << config_key_index(name))

START_TEST(what_takes_a_restart_waits_for_it)
{
	uint64_t changed;

	begin_settings("slots: 3\n");
	ck_assert_int_eq(read_again("slots: 4\nspawn: fork\ngrace: 1s\n", &changed), 0);
	ck_assert_uint_eq(changed, BIT("slots") | BIT("grace"));
	ck_assert_uint_eq(settings.config.slots, 4);
	ck_assert_str_eq(settings.config.origins[config_key_index("spawn")].text, "auto");
	ck_assert_str_eq(settings.waiting[config_key_index("spawn")], "fork");
	ck_assert_int_eq(read_again("slots: 4\n", &changed), 0);
	ck_assert_uint_eq(changed, BIT("grace"));
	ck_assert_ptr_null(settings.waiting[config_key_index("spawn")]);
	ck_assert_int_eq(read_again("slotz: 4\n", &changed), -EINVAL);
	ck_assert_uint_eq(settings.config.slots, 4);
	settings_fini(&settings);
}
END_TEST

START_TEST(only_a_successor_takes_what_was_last_good)
{
	struct flags flags = { .state_dir = scratch_path, .run_dir = scratch_path };

	begin_settings("slots: 3\n");
	settings_fini(&settings);
	write_file("slots: many\n");
	ck_assert_int_eq(settings_load(&settings, &flags), -EINVAL);
	flags.again = true;
	ck_assert_int_eq(settings_load(&settings, &flags), 0);
	ck_assert_uint_eq(settings.config.slots, 3);
	ck_assert_ptr_nonnull(strstr(settings.problem, "reeve.yaml:1:8: slots takes"));
	settings_fini(&settings);
}
END_TEST

START_TEST(what_takes_a_restart_is_exported)
{
	begin_settings("spawn: clone\n");
	settings_export(&settings.config);
	ck_assert_str_eq(getenv("REEVE_SPAWN"), "clone");
	ck_assert_str_eq(getenv("REEVE_CGROUPS"), "auto");
	ck_assert_ptr_null(getenv("REEVE_SLOTS"));
	settings_fini(&settings);
}
END_TEST

/* ---- what ships ------------------------------------------------------------------------ */

static void
compare(const char *path, void (*write_page)(struct buf *out))
{
	struct buf page;
	char *text;
	size_t len;

	buf_init(&page, 1024 * 1024);
	write_page(&page);
	ck_assert_int_eq(buf_error(&page), 0);
	ck_assert_int_eq(fd_read_file(AT_FDCWD, path, 1024 * 1024, &text, &len), 0);
	ck_assert_msg(len == page.len && memcmp(text, page.data, len) == 0,
	    "%s is not what the table makes of it", path);
	free(text);
	buf_fini(&page);
}

START_TEST(the_reference_page_is_made_from_the_table)
{
	compare("contrib/CONFIG.md", config_page);
}
END_TEST

START_TEST(the_default_file_is_made_from_the_table)
{
	compare("contrib/reeve.yaml", config_default_file);
}
END_TEST

START_TEST(the_default_file_with_every_key_set_is_sound)
{
	struct buf page;
	char *text;

	buf_init(&page, 1024 * 1024);
	config_default_file(&page);
	text = strndup((const char *)page.data, page.len);
	for (size_t i = 0; i < CONFIG_KEYS; i++) {
		char commented[64], *at;

		snprintf(commented, sizeof commented, "\n#%s: ", config_keys[i].name);
		at = strstr(text, commented);
		ck_assert_ptr_nonnull(at);
		at[1] = ' ';
		memmove(at + 1, at + 2, strlen(at + 1));
	}
	is_sound(text);
	for (size_t i = 0; i < CONFIG_KEYS; i++)
		ck_assert_int_eq(config.origins[i].source, CONFIG_FROM_FILE);
	free(text);
	buf_fini(&page);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("config");
	TCase *tests = tcase_create("config");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, what_is_not_said_has_a_default);
	tcase_add_test(tests, a_file_with_nothing_in_it_is_sound);
	tcase_add_test(tests, a_flag_beats_the_environment_and_that_the_file);
	tcase_add_loop_test(tests, every_good_example_is_accepted_everywhere, 0, CONFIG_KEYS);
	tcase_add_loop_test(tests, every_bad_example_is_refused_where_it_stands, 0, CONFIG_KEYS);
	tcase_add_loop_test(tests, every_key_is_described_whole, 0, CONFIG_KEYS);
	tcase_add_test(tests, what_is_wrong_is_said_with_its_place);
	tcase_add_test(tests, a_file_that_others_can_write_is_not_read);
	tcase_add_test(tests, a_file_that_cannot_be_read_is_told);
	tcase_add_test(tests, a_configuration_that_fails_leaves_the_other_alone);
	tcase_add_test(tests, bytes_have_units);
	tcase_add_test(tests, what_takes_a_restart_waits_for_it);
	tcase_add_test(tests, only_a_successor_takes_what_was_last_good);
	tcase_add_test(tests, what_takes_a_restart_is_exported);
	tcase_add_test(tests, the_reference_page_is_made_from_the_table);
	tcase_add_test(tests, the_default_file_is_made_from_the_table);
	tcase_add_test(tests, the_default_file_with_every_key_set_is_sound);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
