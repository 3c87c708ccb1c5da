#include "supervisor/cli/plan.h"

#include "ipc/fd.h"
#include "ipc/json.h"
#include "ipc/mp.h"
#include "supervisor/cli/checking.h"
#include "supervisor/cli/doc.h"
#include "supervisor/cli/session.h"
#include "supervisor/cli/steplist.h"
#include "supervisor/recipe/recipe.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	OUT_MAX = 4 * 1024 * 1024
};

struct plan {
	const struct spec *spec;
	enum finding findings[LIMIT_STEPS];
	char whys[LIMIT_STEPS][CHECKING_WHY];
};

/* With the rights of others nobody but they can look. */
static bool
may_look(const struct spec *spec, char why[static CHECKING_WHY])
{
	const struct passwd *user = spec->run_as ? getpwnam(spec->run_as) : NULL;

	if (!spec->run_as || (user && user->pw_uid == geteuid()))
		return true;
	snprintf(why, CHECKING_WHY, "it runs as %.64s: only they can tell", spec->run_as);
	return false;
}

static int
look(struct plan *plan, const struct pairs *secrets)
{
	const char *tmp = getenv("TMPDIR");
	struct checking checking = { .spec = plan->spec, .secrets = secrets };
	char *dir;

	if (asprintf(&dir, "%s/reeve-plan-XXXXXX", tmp && *tmp ? tmp : "/tmp") < 0)
		return -ENOMEM;
	if (!mkdtemp(dir)) {
		free(dir);
		return -errno;
	}
	checking.dir = dir;
	for (size_t i = 0; i < plan->spec->steps.n; i++) {
		const struct spec_cmd *check = &plan->spec->steps.v[i].check;
		bool has_check = check->sh || check->argv.n > 0;

		plan->findings[i] = has_check && !may_look(plan->spec, plan->whys[i])
					? FOUND_NOTHING
					: checking_look(&checking, i, plan->whys[i]);
	}
	(void)fd_remove_tree(AT_FDCWD, dir);
	free(dir);
	return 0;
}

/* ---- output --------------------------------------------------------------------------------- */

static void
put_plan(const struct plan *plan, struct buf *out, const struct term *term)
{
	const struct spec *spec = plan->spec;
	struct line line;

	line_begin(&line, out, term);
	line_put(&line, STYLE_BOLD, span_of(spec->title));
	line_add(&line, STYLE_DIM, "  type ");
	line_put(&line, STYLE_DIM, span_of(spec->type));
	if (spec->scope) {
		line_add(&line, STYLE_DIM, "  scope ");
		line_put(&line, STYLE_DIM, span_of(spec->scope));
	}
	line_end(&line);
	for (size_t i = 0; i < spec->steps.n; i++) {
		struct steplist_note note = { .text = "is to be done", .style = STYLE_CYAN };

		if (plan->findings[i] == FOUND_DONE)
			note = (struct steplist_note){ "is there already", STYLE_GREEN, true };
		else if (plan->findings[i] == FOUND_NOTHING)
			note = (struct steplist_note){ plan->whys[i], STYLE_YELLOW, false };
		steplist_put(out, term, &spec->steps.v[i], i + 1, &note);
	}
}

static void
put_member(struct buf *out, const char *key, const char *value)
{
	text_add(out, "\"%s\":", key);
	if (value)
		json_write_string(out, value, strlen(value));
	else
		text_add(out, "null");
}

static void
put_json(const struct plan *plan, struct buf *out)
{
	static const char *const words[] = { "", "already_done", "to_do", "unknown" };
	const struct spec *spec = plan->spec;

	text_add(out, "{");
	put_member(out, "type", spec->type);
	text_add(out, ",");
	put_member(out, "title", spec->title);
	text_add(out, ",");
	put_member(out, "scope", spec->scope);
	text_add(out, ",\"steps\":[");
	for (size_t i = 0; i < spec->steps.n; i++) {
		text_add(out, "%s{", i == 0 ? "" : ",");
		put_member(out, "name", spec->steps.v[i].name);
		text_add(out, ",");
		put_member(out, "plan", words[plan->findings[i]]);
		text_add(out, ",");
		put_member(out, "reason", *plan->whys[i] ? plan->whys[i] : NULL);
		text_add(out, "}");
	}
	text_add(out, "]}\n");
}

/* ---- the recipe -------------------------------------------------------------------------------
 */

/* Its file, if the service has one of that name: owned, or NULL. */
static char *
find_file(const char *name)
{
	struct client_reply reply;
	struct session session;
	struct request request;
	char *path = NULL;

	if (session_open(&session, false) != 0)
		return NULL;
	session_begin(&session, &request, "recipes", 0);
	if (session_call(&session, &request, -1, NULL, &reply) == 0) {
		const msgpack_object *recipes = mp_get(&reply.body, "recipes");

		for (size_t i = 0; !path && i < doc_count(recipes); i++)
			if (mp_str_is(mp_get(doc_at(recipes, i), "name"), name))
				path = mp_str_dup(mp_get(doc_at(recipes, i), "path"));
		client_reply_fini(&reply);
	}
	session_close(&session);
	return path;
}

static int
read_by_name(struct submission *submission)
{
	const char *name = submission->recipe;
	char *path = find_file(name);
	int r = path ? submission_read(submission, path) : -ENOENT;

	if (r == -ENOENT && !path) {
		path = submission_own_recipe(name);
		r = path ? submission_read(submission, path) : -ENOENT;
	}
	if (r == -ENOENT)
		complain("`reeve recipes` lists them; a file needs a slash.",
		    "there is no recipe \"%s\"", name);
	else if (r < 0)
		complain(NULL, "%s: %s", path, strerror(-r));
	submission->name = name;
	free(path);
	return r == 0 ? 0 : r == -ENOENT ? EXIT_NOT_FOUND : EXIT_FAILED;
}

static int
print(const struct cli *cli, const struct spec *spec, const struct pairs *secrets, bool is_json)
{
	struct plan *plan = calloc(1, sizeof *plan);
	struct buf out;
	int status, r = -ENOMEM;

	if (plan) {
		plan->spec = spec;
		r = look(plan, secrets);
	}
	if (r < 0) {
		complain(NULL, "cannot look: %s", strerror(-r));
		status = EXIT_FAILED;
	} else {
		buf_init(&out, OUT_MAX);
		if (is_json)
			put_json(plan, &out);
		else
			put_plan(plan, &out, &cli->out);
		status = emit(&cli->out, &out, EXIT_OK);
		buf_fini(&out);
	}
	free(plan);
	return status;
}

int
plan_print(
    const struct cli *cli, struct submission *submission, const struct pairs *secrets, bool is_json)
{
	struct recipe_error error = { .message = "" };
	struct recipe *recipe = NULL;
	struct spec spec;
	int status, r;

	if (!submission->text && (status = read_by_name(submission)) != 0)
		return status;
	r = recipe_parse(
	    submission->name, submission->text, strlen(submission->text), &recipe, &error);
	if (r == 0)
		r = recipe_freeze(recipe, &submission->params, NULL, &spec, &error);
	if (r == 0) {
		status = print(cli, &spec, secrets, is_json);
		codec_free(&spec_codec, &spec);
	} else {
		complain(NULL, "%s", *error.message ? error.message : strerror(-r));
		status = EXIT_USAGE;
	}
	recipe_free(recipe);
	return status;
}
