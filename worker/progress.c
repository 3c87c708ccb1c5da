#include "worker/progress.h"

#include <math.h>
#include <string.h>

void
progress_init(struct progress *progress, enum progress_kind kind)
{
	size_t n;

	(void)readers(&n);
	*progress = (struct progress){
		.kind = kind ? kind : PROGRESS_AUTO, .fraction = NAN, .believed = n
	};
}

bool
progress_raise(struct progress *progress, double fraction)
{
	if (isnan(fraction))
		return false;
	fraction = fraction < PROGRESS_MOST ? fraction : PROGRESS_MOST;
	if (!isnan(progress->fraction) && fraction <= progress->fraction)
		return false;
	progress->fraction = fraction;
	return true;
}

/* Of the readers that may be asked, the first one whose line it is; of what is not whole yet only
 * the one that is believed already. */
static bool
read_one(struct progress *progress, const struct read_line *line)
{
	size_t n;
	const struct reader *table = readers(&n);

	for (size_t i = 0; i < n && i <= progress->believed; i++) {
		double fraction = NAN;

		if ((progress->kind != PROGRESS_AUTO && progress->kind != table[i].kind) ||
		    (line->unfinished && i != progress->believed))
			continue;
		if (!table[i].read(&progress->state, line, &fraction))
			continue;
		progress->believed = i;
		return progress_raise(progress, fraction);
	}
	return false;
}

static bool
look_at(struct progress *progress, const struct progress_line *line, bool redrawn, bool unfinished)
{
	struct read_line whole = { line->text, line->len, redrawn, unfinished };

	if (line->len == 0 || line->too_long || memchr(line->text, '\0', line->len))
		return false;
	return read_one(progress, &whole);
}

/* DRAWN_OVER: what comes next stands where this one does. */
static bool
end_line(struct progress *progress, struct progress_line *line, bool drawn_over)
{
	bool risen = look_at(progress, line, drawn_over, false);

	line->len = 0;
	line->too_long = false;
	line->returned = false;
	line->draws_over = drawn_over;
	return risen;
}

static bool
take_command(struct progress *progress, const struct escape *escape)
{
	double fraction = read_osc(escape->string, escape->len);

	if (isnan(fraction) || (progress->kind != PROGRESS_AUTO && progress->kind != PROGRESS_OSC))
		return false;
	progress->kind = PROGRESS_OSC;
	return progress_raise(progress, fraction);
}

/* Whether a carriage return ends a version of a line or, before a line end, the line itself, is
 * known from the next byte. */
static bool
take_text(struct progress *progress, struct progress_line *line, char c)
{
	bool risen = false;

	if (c == '\n')
		return end_line(progress, line, false);
	if (line->returned && c != '\r')
		risen = end_line(progress, line, true);
	if (c == '\r')
		line->returned = true;
	else if (line->len < sizeof line->text)
		line->text[line->len++] = c;
	else
		line->too_long = true;
	return risen;
}

bool
progress_feed(struct progress *progress, int stream, const void *data, size_t len)
{
	struct progress_line *line = &progress->lines[stream];
	const char *text = data;
	bool risen = false;

	for (size_t i = 0; i < len; i++) {
		switch (escape_step(&line->escape, text[i])) {
		case ESCAPE_TEXT:
			risen |= take_text(progress, line, text[i]);
			break;
		case ESCAPE_MOVE:
			risen |= end_line(progress, line, true);
			break;
		case ESCAPE_COMMAND:
			risen |= take_command(progress, &line->escape);
			break;
		case ESCAPE_NOTHING:
			break;
		}
	}
	return risen;
}

bool
progress_settle(struct progress *progress)
{
	bool risen = false;

	for (int i = 0; i < PROGRESS_STREAMS; i++) {
		struct progress_line *line = &progress->lines[i];

		if (line->returned)
			risen |= end_line(progress, line, true);
		else if (line->draws_over)
			risen |= look_at(progress, line, true, true);
	}
	return risen;
}

bool
progress_is_bar(const char *text, size_t len)
{
	const struct read_line line = { .text = text, .len = len, .redrawn = true };
	struct read_state state = { 0 };
	double fraction = NAN;
	bool is_bar = false;
	size_t n;
	const struct reader *table = readers(&n);

	for (size_t i = 0; i < n && !is_bar && len <= READ_LINE; i++)
		is_bar = table[i].read(&state, &line, &fraction);
	return is_bar;
}
