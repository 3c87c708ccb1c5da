/* Requests and recipes that are wrong are told what is wrong with them, and change nothing. */
#include "tests/integ/world.h"

#include "ipc/clock.h"

#include <string.h>
#include <unistd.h>

enum {
	SOON_MS = 2000 /* what takes milliseconds, on a busy machine */
};

/* ---- requests that are wrong ---------------------------------------------------------- */

/* clang-format off */
#define TOKEN "\"token\": \"token of 16 byte\""
static const struct wrong {
	const char *method, *params, *code, *field;
} wrongs[] = {
	{ "frobnicate", "{}", "unknown_method", NULL },
	{ "show", "{}", "not_found", "id" },
	{ "show", "{\"id\": 4711}", "not_found", "id" },
	{ "show", "{\"id\": \"one\"}", "invalid", "id" },
	{ "show", "{\"id\": -1}", "invalid", "id" },
	{ "show", "{\"id\": 1.5}", "invalid", "id" },
	{ "show", "{\"id\": [1]}", "invalid", "id" },
	{ "show", "{\"id\": 1, \"tiemout\": 7}", "invalid", "tiemout" },
	{ "show", "{\"id\": {\"a\": {\"b\": {\"c\": {}}}}}", "invalid", "id" },
	{ "events", "{\"id\": 1, \"limit\": 1000000000}", "invalid", "limit" },
	{ "list", "{\"limit\": 1000000000}", "invalid", "limit" },
	{ "list", "{\"states\": [1, 2]}", "invalid", "states[0]" },
	{ "list", "{\"labels\": {\"a\": 7}}", "invalid", "labels.a" },
	{ "list", "{\"active\": \"yes\"}", "invalid", "active" },
	{ "log", "{\"id\": 1, \"step\": 1000}", "invalid", "step" },
	{ "watch", "{\"ids\": \"all\"}", "invalid", "ids" },
	{ "watch", "{\"ids\": [0]}", "invalid", "ids" },
	{ "watch", "{\"ids\": [-7]}", "invalid", "ids" },
	{ "cancel", "{\"id\": 4711}", "not_found", "id" },
	{ "cancel", "{\"id\": true}", "invalid", "id" },
	{ "keep", "{\"id\": 4711}", "not_found", "id" },
	{ "submit", "{}", "invalid", "token" },
	{ "submit", "{\"token\": \"short\", \"command\": [\"true\"]}", "invalid", "token" },
	{ "submit", "{\"token\": \"seventeen bytes!!\", \"command\": [\"true\"]}", "invalid", "token" },
	{ "submit", "{" TOKEN "}", "invalid", "recipe" },
	{ "submit", "{" TOKEN ", \"command\": []}", "invalid", "recipe" },
	{ "submit", "{" TOKEN ", \"command\": [\"\"]}", "invalid", "command" },
	{ "submit", "{" TOKEN ", \"command\": \"true\"}", "invalid", "command" },
	{ "submit", "{" TOKEN ", \"command\": [\"true\"]}", "invalid", "cwd" },
	{ "submit", "{" TOKEN ", \"command\": [\"true\"], \"recipe\": \"try-it\"}", "invalid", "recipe" },
	{ "submit", "{" TOKEN ", \"recipe\": \"no-such-recipe\"}", "not_found", "recipe" },
	{ "submit", "{" TOKEN ", \"recipe\": \"../../../etc/passwd\"}", "invalid", "recipe" },
	{ "submit", "{" TOKEN ", \"recipe\": \"Not a name\"}", "invalid", "recipe" },
	{ "submit", "{" TOKEN ", \"text\": \"\"}", "invalid", "recipe" },
	{ "submit", "{" TOKEN ", \"command\": [\"true\"], \"env\": {\"A=B\": \"\"}}", "invalid", "env" },
	{ "submit", "{" TOKEN ", \"command\": [\"true\"], \"umask\": 4096}", "invalid", "umask" },
	{ "submit", "{" TOKEN ", \"command\": [\"true\"], \"uid\": 0}", "invalid", "uid" },
	{ "submit", "{" TOKEN ", \"command\": [\"true\"], \"run_as\": \"root\"}", "invalid", "run_as" },
};
/* clang-format on */

START_TEST(a_wrong_request_is_told_what_is_wrong_with_it)
{
	struct world world;
	struct client client;
	bool is_error;

	world_open(&world, __func__);
	world_start(&world);
	world_connect(&world, &client);
	for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
		const struct wrong *wrong = &wrongs[i];
		json_t *params = json_loads(wrong->params, 0, NULL), *error;

		ck_assert_ptr_nonnull(params);
		error = world_call(&world, &client, wrong->method, params, &is_error);
		ck_assert_msg(is_error && strcmp(doc_text(error, "code"), wrong->code) == 0,
		    "%s %s: %s", wrong->method, wrong->params, doc_text(error, ""));
		ck_assert_msg(
		    strcmp(doc_text(error, "field"), wrong->field ? wrong->field : "null") == 0,
		    "%s %s: %s", wrong->method, wrong->params, doc_text(error, ""));
		if (wrong->field && strcmp(wrong->code, "invalid") == 0)
			ck_says(doc_text(error, "message"), wrong->field);
		ck_has(error, "message");
	}
	/* The connection it came over is still good. */
	world_call(&world, &client, "version", json_object(), &is_error);
	ck_assert(!is_error);
	client_fini(&client);
	world_close(&world);
}
END_TEST

/* ---- recipes that are wrong ------------------------------------------------------------- */

/* Submits TEXT; the error. */
static json_t *
refuse_recipe(struct world *world, const char *text, json_t *params)
{
	struct client client;
	uint64_t begin_ms = clock_boot_ms();
	bool is_error;
	json_t *error;

	world_connect(world, &client);
	error = world_call(world, &client, "submit",
	    json_pack("{sssssssO}", "token", "token of 16 byte", "text", text, "name", "r.yaml",
		"params", params),
	    &is_error);
	client_fini(&client);
	json_decref(params);
	ck_assert_msg(is_error, "it was taken: %.100s", text);
	ck_assert_int_lt((int)(clock_boot_ms() - begin_ms), SOON_MS);
	return error;
}

/* BEFORE, then COUNT times PART. */
static const char *
repeat(struct world *world, const char *before, const char *part, size_t count)
{
	struct buf text;
	json_t *doc;

	buf_init(&text, 4 * 1024 * 1024);
	buf_add(&text, before, strlen(before));
	for (size_t i = 0; i < count; i++)
		buf_add(&text, part, strlen(part));
	doc = json_stringn((const char *)text.data, text.len);
	ck_assert_ptr_nonnull(doc);
	buf_fini(&text);
	json_array_append_new(world->docs, doc);
	return json_string_value(doc);
}

START_TEST(a_recipe_that_grows_without_end_is_refused_with_its_line)
{
	struct world world;
	json_t *error;

	world_open(&world, __func__);
	world_start(&world);
	error =
	    refuse_recipe(&world, repeat(&world, "name: a\nsteps: ", "[", 100000), json_object());
	ck_doc(error, "code", "invalid");
	ck_says(doc_text(error, "message"), "r.yaml:2:");
	error =
	    refuse_recipe(&world, repeat(&world, "name: a\nsteps: ", "{a: ", 50000), json_object());
	ck_says(doc_text(error, "message"), "r.yaml:2:");
	error =
	    refuse_recipe(&world, repeat(&world, "name: a\nsteps:\n", "- ", 100000), json_object());
	ck_says(doc_text(error, "message"), "r.yaml:3:");
	error = refuse_recipe(&world, repeat(&world, "name: ", "a", 300 * 1024), json_object());
	ck_doc(error, "code", "invalid");
	ck_doc(error, "field", "text");
	error = refuse_recipe(
	    &world, "name: a\nx: &x [1, 1]\ny: &y [*x, *x]\nsteps: [*y, *y]\n", json_object());
	ck_doc(error, "code", "invalid");
	ck_says(doc_text(error, "message"), "r.yaml:2:");
	ck_assert_int_eq(REEVE(&world, "version")->status, 0);
	world_close(&world);
}
END_TEST

static const char picky[] = "name: picky\n"
			    "params:\n"
			    "  size: {type: int, required: true}\n"
			    "  kind: {choices: [small, large], default: small}\n"
			    "  path: {type: string, pattern: '[a-z]+'}\n"
			    "steps:\n"
			    "  - {name: only, run: [echo, '${size}']}\n";

START_TEST(parameters_are_what_the_recipe_says)
{
	static const struct {
		const char *params, *named;
	} wrong[] = {
		{ "{}", "size" },
		{ "{\"size\": \"large\"}", "size" },
		{ "{\"size\": \"1\", \"kind\": \"medium\"}", "kind" },
		{ "{\"size\": \"1\", \"path\": \"a; rm -rf /\"}", "path" },
		{ "{\"size\": \"1\", \"path\": \"a\\nb\"}", "path" },
		{ "{\"size\": \"1\", \"colour\": \"red\"}", "colour" },
	};
	struct world world;

	world_open(&world, __func__);
	world_start(&world);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		json_t *error = refuse_recipe(&world, picky, json_loads(wrong[i].params, 0, NULL));

		ck_doc(error, "code", "invalid");
		ck_says(doc_text(error, "message"), wrong[i].named);
	}
	ck_assert_int_eq((int)json_array_size(REEVE_JSON(&world, 0, "ls", "--json", "--all")), 0);
	world_close(&world);
}
END_TEST

START_TEST(nobody_becomes_root_by_a_recipe_of_his_own)
{
	static const char recipe[] = "name: root\nrun_as: root\n"
				     "steps: [{name: be, sh: 'id -u >got'}]\n";
	struct world world;
	const struct said *said;

	world_open(&world, __func__);
	world_start(&world);
	world_file(&world, "root.yaml", recipe);
	world.client_uid = geteuid() == 0 ? WORLD_NOBODY : geteuid();
	said = REEVE(&world, "run", "./root.yaml");
	ck_assert_int_ne(said->status, 0);
	ck_says(said->err, "run_as");
	ck_assert_int_eq((int)json_array_size(REEVE_JSON(&world, 0, "ls", "--json", "--all")), 0);
	world_close(&world);
}
END_TEST

static const struct {
	const char *arguments, *says;
} excesses[] = {
	{ "-- $(seq 5000)", "the command has 5000 words; the limit is 1024" },
	{ "-- echo $x$x", "command[1]: too long (20000 bytes; the limit is 16384)" },
	{ "--title $x -- true", "title: too long (10000 bytes; the limit is 512)" },
	{ "--label $x=1 -- true", "labels: a name is too long (10000 bytes; the limit is 512" },
	{ "--scope $x recipe", "scope: too long (10000 bytes; the limit is 512)" },
	/* The service hangs up on what is beyond this, which looks as if there were none. */
	{ "$(for i in $(seq 120); do echo --label l$i=$x; done) -- true", "larger than" },
};

START_TEST(what_is_too_much_is_told_with_its_limit)
{
	struct world world;
	char script[2 * WORLD_PATH];
	const char *words[] = { "-c", script, NULL };
	const struct said *said;

	world_open(&world, __func__);
	world_start(&world);
	for (size_t i = 0; i < sizeof excesses / sizeof excesses[0]; i++) {
		snprintf(script, sizeof script,
		    "x=$(head -c 10000 /dev/zero | tr '\\0' x); exec %s/reeve run %s", world.bin,
		    excesses[i].arguments);
		said = world_exec(&world, "/bin/sh", words, NULL);
		ck_assert_int_eq(said->status, 2);
		ck_says(said->err, excesses[i].says);
	}
	world_close(&world);
}
END_TEST

START_TEST(a_directory_that_is_gone_is_told_before_anything_is_stored)
{
	struct world world;
	char script[2 * WORLD_PATH];
	const char *words[] = { "-c", script, NULL };
	const struct said *said;

	world_open(&world, __func__);
	world_start(&world);
	snprintf(script, sizeof script,
	    "mkdir gone; cd gone; rmdir \"$PWD\"; exec %s/reeve run -- true", world.bin);
	said = world_exec(&world, "/bin/sh", words, NULL);
	ck_assert_int_eq(said->status, 2);
	ck_says(said->err, "the directory that the command would start in has been removed");
	ck_assert_int_eq((int)json_array_size(REEVE_JSON(&world, 0, "ls", "--json")), 0);
	world_close(&world);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("wrong");
	TCase *tcase = world_tcase(suite, "wrong");

	tcase_add_test(tcase, a_wrong_request_is_told_what_is_wrong_with_it);
	tcase_add_test(tcase, a_recipe_that_grows_without_end_is_refused_with_its_line);
	tcase_add_test(tcase, parameters_are_what_the_recipe_says);
	tcase_add_test(tcase, nobody_becomes_root_by_a_recipe_of_his_own);
	tcase_add_test(tcase, what_is_too_much_is_told_with_its_limit);
	tcase_add_test(tcase, a_directory_that_is_gone_is_told_before_anything_is_stored);
	return world_main(suite);
}
