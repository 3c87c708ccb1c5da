/* check: reads a recipe as the service would, and says what it would do. No service is needed. */
#include "ipc/json.h"
#include "supervisor/cli/args.h"
#include "supervisor/cli/steplist.h"
#include "supervisor/cli/submit.h"
#include "supervisor/recipe/recipe.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	OUT_MAX = 4 * 1024 * 1024
};
enum {
	KEY_JSON = 'j'
};

static const struct option_def options[] = {
	{ KEY_JSON, "json", NULL, "print {valid, error, name, steps, warnings}" },
	{ 0, NULL, NULL, NULL },
};

struct check {
	struct submission file; /* its text, and the parameters given */
	const char *path;
	struct recipe *recipe; /* NULL when it is wrong */
	struct spec spec;
	bool has_spec;                  /* every required parameter was given */
	char warning[LIMIT_NAME + 128]; /* what the recipe is sound for all the same; "" */
	struct recipe_error error;
};

/* ---- for people ------------------------------------------------------------------- */

static void
put_params(struct buf *out, const struct term *term, const struct recipe *recipe)
{
	for (size_t i = 0; i < recipe_param_count(recipe); i++) {
		struct recipe_param param = recipe_param_at(recipe, i);
		struct line line;

		line_begin(&line, out, term);
		line_add(&line, STYLE_PLAIN, "  ");
		line_put(&line, STYLE_PLAIN, span_of(param.name));
		line_add(&line, STYLE_DIM, " (%s%s%s)", param.type ? param.type : "string",
		    param.required ? ", required" : "", param.secret ? ", secret" : "");
		if (param.default_value && !param.secret) {
			line_add(&line, STYLE_DIM, " = ");
			line_put(&line, STYLE_PLAIN, span_of(param.default_value));
		}
		if (param.description) {
			line_add(&line, STYLE_DIM, "  ");
			line_put(&line, STYLE_DIM, span_of(param.description));
		}
		line_end(&line);
	}
}

static void
put_text(const struct check *check, struct buf *out, const struct term *term)
{
	struct line line;

	line_begin(&line, out, term);
	line_put(&line, STYLE_PLAIN, span_of(check->path));
	line_add(&line, STYLE_GREEN, " is a sound recipe");
	line_end(&line);
	if (*check->warning) {
		line_begin(&line, out, term);
		line_add(&line, STYLE_YELLOW, "  warning: ");
		line_put(&line, STYLE_PLAIN, span_of(check->warning));
		line_end(&line);
	}
	if (recipe_param_count(check->recipe) > 0) {
		text_add(out, "\nparameters:\n");
		put_params(out, term, check->recipe);
	}
	if (!check->has_spec) {
		text_add(out, "\nWith its parameters it tells its steps: reeve check FILE %s=...\n",
		    check->error.field[0] ? check->error.field : "name");
		return;
	}
	text_add(out, "\n");
	line_begin(&line, out, term);
	line_add(&line, STYLE_PLAIN, "It would, as ");
	line_put(
	    &line, STYLE_BOLD, span_of(check->spec.title ? check->spec.title : check->spec.type));
	line_add(&line, STYLE_PLAIN, ":");
	line_end(&line);
	for (size_t i = 0; i < check->spec.steps.n; i++)
		steplist_put(out, term, &check->spec.steps.v[i], i + 1, NULL);
}

/* ---- for scripts ------------------------------------------------------------------ */

static void
put_json_text(struct buf *out, const char *key, const char *value)
{
	text_add(out, "\"%s\":", key);
	if (value)
		json_write_string(out, value, strlen(value));
	else
		text_add(out, "null");
}

static void
put_json(const struct check *check, struct buf *out, bool is_valid)
{
	text_add(out, "{\"valid\":%s,\"error\":", is_valid ? "true" : "false");
	if (is_valid) {
		text_add(out, "null");
	} else {
		text_add(
		    out, "{\"line\":%u,\"column\":%u,", check->error.line, check->error.column);
		put_json_text(out, "field", check->error.field);
		text_add(out, ",");
		put_json_text(out, "message", check->error.message);
		text_add(out, "}");
	}
	text_add(out, ",");
	put_json_text(out, "name", check->recipe ? recipe_name(check->recipe) : NULL);
	text_add(out, ",\"steps\":");
	if (!check->has_spec)
		text_add(out, "null");
	for (size_t i = 0; check->has_spec && i < check->spec.steps.n; i++) {
		text_add(out, i == 0 ? "[" : ",");
		json_write_string(
		    out, check->spec.steps.v[i].name, strlen(check->spec.steps.v[i].name));
	}
	text_add(out, "%s,\"warnings\":[", check->has_spec ? "]" : "");
	if (*check->warning)
		json_write_string(out, check->warning, strlen(check->warning));
	text_add(out, "]}\n");
}

/* ---- the check -------------------------------------------------------------------- */

/* It may be written here and meant for another machine. */
static void
look_at_run_as(struct check *check)
{
	const char *user = recipe_run_as(check->recipe);

	if (user && !getpwnam(user))
		snprintf(check->warning, sizeof check->warning,
		    "run_as: there is no user \"%s\" on this machine", user);
}

/* Without parameters a recipe that requires some is sound all the same. */
static bool
examine(struct check *check)
{
	const char *text = check->file.text;
	int r = recipe_parse(check->path, text, strlen(text), &check->recipe, &check->error);

	if (r != 0) {
		check->recipe = NULL;
		return false;
	}
	look_at_run_as(check);
	r = recipe_freeze(check->recipe, &check->file.params, NULL, &check->spec, &check->error);
	check->has_spec = r == 0;
	if (r == 0 || check->file.params.n > 0)
		return r == 0;
	for (size_t i = 0; i < recipe_param_count(check->recipe); i++)
		if (recipe_param_at(check->recipe, i).required)
			return true;
	return false;
}

static int
check_file(struct check *check, const struct cli *cli, bool is_json)
{
	int status = EXIT_OK, r = submission_read(&check->file, check->path);
	struct buf out;
	bool is_valid;

	if (r != 0) {
		complain(NULL, "%s: %s", check->path, strerror(-r));
		return EXIT_USAGE;
	}
	is_valid = examine(check);
	buf_init(&out, OUT_MAX);
	if (is_json)
		put_json(check, &out, is_valid);
	else if (is_valid)
		put_text(check, &out, &cli->out);
	else
		complain(NULL, "%s", check->error.message);
	status = emit(&cli->out, &out, is_valid ? EXIT_OK : EXIT_FAILED);
	buf_fini(&out);
	if (check->has_spec)
		codec_free(&spec_codec, &check->spec);
	recipe_free(check->recipe);
	return status;
}

static int
parse(struct args *args, struct check *check, bool *ret_json)
{
	while (args_next(args) > 0)
		*ret_json = true;
	if (args->is_stopped)
		return args->status;
	if (args->nwords == 0)
		return args_wrong(args, "which file?");
	check->path = args->words[0];
	for (size_t i = 1; i < args->nwords; i++)
		if (submission_pair(&check->file.params, args->words[i]) != 0)
			return args_wrong(
			    args, "parameter \"%s\": expected name=value, once", args->words[i]);
	return 0;
}

static int
run(struct cli *cli, int argc, char **argv)
{
	struct check check = { .file = { .fd = -1 } };
	struct args args;
	bool is_json = false;
	int status = args_init(&args, cli, argc, argv);

	if (status != 0)
		return status;
	status = parse(&args, &check, &is_json);
	if (status == 0 && !args.is_stopped)
		status = check_file(&check, cli, is_json);
	submission_fini(&check.file);
	args_fini(&args);
	return status;
}

const struct verb verb_check = {
	.name = "check",
	.synopsis = "[--json] FILE [name=value ...]",
	.summary = "check a recipe's file, and tell what it would do",
	.help =
	    "Needs no service. Mistakes are told with line and column. With the parameters that a run\n"
	    "would need, the steps are shown as they would run.",
	.options = options,
	.examples = "reeve check install.yaml\nreeve check install.yaml version=1.4",
	.run = run,
};
