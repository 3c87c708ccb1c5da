#include "supervisor/cli/cli.h"

#include "supervisor/recipe/suggest.h"

#include <stdio.h>
#include <string.h>

enum {
	HELP_MAX = 64 * 1024,
	MESSAGE_MAX = 2048,
	PAGE_COLUMNS = 80,
	NAME_COLUMN = 14,
	OPTION_COLUMN = 28
};

const struct verb *const verbs[] = { &verb_run, &verb_ls, &verb_show, &verb_watch, &verb_logs,
	&verb_events, &verb_wait, &verb_cancel, &verb_answer, &verb_retry, &verb_keep,
	&verb_recipes, &verb_new, &verb_check, &verb_config, &verb_doctor, &verb_drain,
	&verb_shutdown, &verb_version, NULL };

const struct verb *
verb_find(const char *name)
{
	for (const struct verb *const *verb = verbs; *verb; verb++)
		if (strcmp((*verb)->name, name) == 0)
			return *verb;
	return NULL;
}

/* LINES, each behind PREFIX. */
static void
put_lines(struct buf *out, const char *prefix, const char *lines)
{
	while (*lines) {
		size_t len = strcspn(lines, "\n");

		text_add(out, "%s%.*s\n", prefix, (int)len, lines);
		lines += len;
		if (*lines == '\n')
			lines++;
	}
}

/* Help is read in a terminal, also where it goes through a pager. */
static struct term
page_of(const struct term *term)
{
	struct term page = *term;

	if (page.columns == 0 || page.columns > PAGE_COLUMNS)
		page.columns = PAGE_COLUMNS;
	return page;
}

static bool
is_prose(const char *line)
{
	return *line && *line != ' ' && *line != '\n';
}

/* LINES: paragraphs, and lines that are indented or empty and stay as they are. */
static void
put_prose(struct buf *out, const struct term *page, const char *lines)
{
	struct buf paragraph;
	struct line line;

	buf_init(&paragraph, HELP_MAX);
	line_begin(&line, out, page);
	while (*lines) {
		bool is_flowing = is_prose(lines);
		size_t len = strcspn(lines, "\n");

		if (is_flowing)
			text_add(
			    &paragraph, "%s%.*s", paragraph.len > 0 ? " " : "", (int)len, lines);
		else
			text_add(out, "%.*s\n", (int)len, lines);
		lines += len + (lines[len] == '\n');
		if (!is_flowing || is_prose(lines))
			continue;
		line_wrap(&line, STYLE_PLAIN, 0,
		    (struct span){ (const char *)paragraph.data, paragraph.len });
		buf_clear(&paragraph);
	}
	buf_fini(&paragraph);
}

/* NAME and what it is about, behind COLUMN. */
static void
put_entry(
    struct buf *out, const struct term *page, const char *name, size_t column, const char *about)
{
	struct line line;

	line_begin(&line, out, page);
	line_add(&line, STYLE_PLAIN, "  %s  ", name);
	line_wrap(&line, STYLE_PLAIN, column, span_of(about));
}

static void
put_option(struct buf *out, const struct term *page, const struct option_def *option)
{
	char left[64];

	snprintf(left, sizeof left, "%s%c%s--%s%s%s", option->key < 256 ? "-" : " ",
	    option->key < 256 ? option->key : ' ', option->key < 256 ? ", " : "  ", option->name,
	    option->arg ? " " : "", option->arg ? option->arg : "");
	put_entry(out, page, left, OPTION_COLUMN, option->help);
}

int
verb_help(const struct cli *cli, const struct verb *verb)
{
	static const struct option_def help = { 'h', "help", NULL, "show this" };
	struct term page = page_of(&cli->out);
	char prefix[64];
	struct line line;
	struct buf out;
	int status;

	buf_init(&out, HELP_MAX);
	snprintf(prefix, sizeof prefix, "reeve %s ", verb->name);
	line_begin(&line, &out, &page);
	line_add(&line, STYLE_PLAIN, "reeve %s: ", verb->name);
	line_wrap(&line, STYLE_PLAIN, 2, span_of(verb->summary));
	text_add(&out, "\n");
	if (*verb->synopsis)
		put_lines(&out, prefix, verb->synopsis);
	else
		text_add(&out, "reeve %s\n", verb->name);
	if (verb->help) {
		text_add(&out, "\n");
		put_prose(&out, &page, verb->help);
	}
	if (verb->put_help)
		verb->put_help(&out, &page);
	text_add(&out, "\nOptions:\n");
	for (const struct option_def *option = verb->options; option && option->key; option++)
		put_option(&out, &page, option);
	put_option(&out, &page, &help);
	text_add(&out, "\nExamples:\n");
	put_lines(&out, "  ", verb->examples);
	status = emit(&cli->out, &out, EXIT_OK);
	buf_fini(&out);
	return status;
}

int
verbs_help(const struct cli *cli, bool is_asked)
{
	struct term page = page_of(&cli->out);
	struct buf out;
	int status;

	buf_init(&out, HELP_MAX);
	text_add(&out, "reeve - background tasks that outlive everything around them\n\n"
		       "reeve VERB [options] ...\n\n");
	for (const struct verb *const *verb = verbs; *verb; verb++)
		put_entry(&out, &page, (*verb)->name, NAME_COLUMN, (*verb)->summary);
	put_entry(&out, &page, "help", NAME_COLUMN, "this list, or the help of one verb");
	text_add(&out, "\n`reeve VERB --help` explains one, with examples. To begin with:\n"
		       "  reeve run -- sleep 10\n  reeve ls\n");
	if (is_asked)
		put_prose(&out, &page,
		    "\nREEVE_SOCKET names another service's control socket.\n\n"
		    "Exit status: 0 done, 1 failed, 2 usage, 3 cancelled, 4 interrupted, "
		    "5 timed out,\n6 no supervisor, 7 not found or not allowed, "
		    "8 warnings (--strict).\n");
	status = emit(&cli->out, &out, is_asked ? EXIT_OK : EXIT_USAGE);
	buf_fini(&out);
	return status;
}

int
verb_unknown(const char *name)
{
	char near[SUGGEST_TEXT];
	struct suggest suggest;

	suggest_init(&suggest, name);
	for (const struct verb *const *verb = verbs; *verb; verb++)
		suggest_offer(&suggest, (*verb)->name);
	complain("`reeve --help` lists the verbs.", "there is no verb \"%s\"%s", name,
	    suggest_text(&suggest, near));
	return EXIT_USAGE;
}
