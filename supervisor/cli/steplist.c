#include "supervisor/cli/steplist.h"

#include <string.h>

enum {
	COMMAND_COLUMN = 4,
	SHELL_COLUMN = 6
};

/* Shell text as it was written, a line each. */
static void
put_shell(struct buf *out, const struct term *term, const char *text)
{
	while (*text) {
		struct line line;
		size_t len = strcspn(text, "\n");

		line_begin(&line, out, term);
		line_pad(&line, SHELL_COLUMN);
		line_put(&line, STYLE_PLAIN, (struct span){ .text = text, .len = len });
		line_end(&line);
		text += len + (text[len] == '\n');
	}
}

static void
put_command(struct buf *out, const struct term *term, const char *what, const struct spec_cmd *cmd)
{
	struct line line;

	if (cmd->argv.n == 0 && !cmd->sh)
		return;
	line_begin(&line, out, term);
	line_pad(&line, COMMAND_COLUMN);
	line_add(&line, STYLE_DIM, "%s", what);
	if (cmd->sh)
		line_add(&line, STYLE_DIM, "sh:");
	for (size_t i = 0; i < cmd->argv.n; i++) {
		line_add(&line, STYLE_PLAIN, "%s", i > 0 ? " " : "");
		line_put(&line, STYLE_PLAIN, span_of(cmd->argv.v[i]));
	}
	line_end(&line);
	if (cmd->sh)
		put_shell(out, term, cmd->sh);
}

static void
put_pull(struct buf *out, const struct term *term, const struct spec_pull *pull)
{
	struct line line;

	line_begin(&line, out, term);
	line_pad(&line, COMMAND_COLUMN);
	line_add(&line, STYLE_DIM, "pull ");
	line_put(&line, STYLE_PLAIN, span_of(pull->url));
	if (pull->to) {
		line_add(&line, STYLE_DIM, " to ");
		line_put(&line, STYLE_PLAIN, span_of(pull->to));
	}
	if (!pull->sha256)
		line_add(&line, STYLE_YELLOW, "  (no sha256: what comes is not proved)");
	line_end(&line);
}

static void
put_question(struct buf *out, const struct term *term, const struct question *question)
{
	struct line line;

	line_begin(&line, out, term);
	line_pad(&line, COMMAND_COLUMN);
	line_add(&line, STYLE_DIM, "ask ");
	line_put(&line, STYLE_PLAIN, span_of(question->text));
	line_end(&line);
}

static void
put_head(struct buf *out, const struct term *term, const struct spec_step *step, size_t number,
    const struct steplist_note *note)
{
	struct line line;

	line_begin(&line, out, term);
	line_add(&line, STYLE_BOLD, "%2zu  ", number);
	line_put(&line, STYLE_BOLD, span_of(step->name));
	if (note) {
		line_add(&line, STYLE_PLAIN, "  ");
		line_put(&line, note->style, span_of(note->text));
	}
	if (step->cancel != 0 && step->cancel != CANCEL_NOW)
		line_add(&line, STYLE_DIM, "  cancel: %s", cancel_mode_name(step->cancel));
	if (step->timeout_ms > 0)
		line_add(&line, STYLE_DIM, "  timeout: %llu s",
		    (unsigned long long)step->timeout_ms / 1000);
	if (step->retry_attempts > 0)
		line_add(&line, STYLE_DIM, "  runs up to %llu times",
		    (unsigned long long)step->retry_attempts + 1);
	line_end(&line);
}

void
steplist_put(struct buf *out, const struct term *term, const struct spec_step *step, size_t number,
    const struct steplist_note *note)
{
	put_head(out, term, step, number, note);
	if (note && note->is_done)
		return;
	put_command(out, term, "unless ", &step->check);
	if (step->kind == STEP_KIND_PULL)
		put_pull(out, term, &step->pull);
	else if (step->kind == STEP_KIND_CONFIRM)
		put_question(out, term, &step->confirm);
	else
		put_command(out, term, "", &step->cmd);
	put_command(out, term, "works if ", &step->verify);
	put_command(out, term, "undo by ", &step->undo);
}
