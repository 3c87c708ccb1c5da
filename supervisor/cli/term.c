#include "supervisor/cli/term.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
	DEFAULT_COLUMNS = 80,
	DEFAULT_ROWS = 24,
	MIN_COLUMNS = 20,
	MIN_ROWS = 4,
	VTE_TASKBAR = 7900 /* the first VTE_VERSION that has it */
};

static bool
is_set(const char *name)
{
	const char *value = getenv(name);

	return value && *value;
}

static bool
is_dumb(void)
{
	const char *kind = getenv("TERM");

	return !kind || !*kind || strcmp(kind, "dumb") == 0;
}

static bool
is_one(const char *name, const char *wanted)
{
	const char *value = getenv(name);

	return value && strcmp(value, wanted) == 0;
}

/* Those that are known to: others may take the sequence for a notification. A multiplexer between
 * us and the terminal leaves the terminal's variables to be seen and keeps the sequence. */
static bool
understands_taskbar(void)
{
	const char *vte = getenv("VTE_VERSION"), *features = getenv("TERM_FEATURES");

	if (is_set("TMUX") || is_set("STY"))
		return false;
	if (is_set("WT_SESSION") || is_one("ConEmuANSI", "ON") ||
	    is_one("TERM_PROGRAM", "WezTerm") || is_one("TERM_PROGRAM", "ghostty"))
		return true;
	if (is_one("TERM_PROGRAM", "iTerm.app"))
		return features && strchr(features, 'P');
	return vte && strtoul(vte, NULL, 10) >= VTE_TASKBAR;
}

void
term_measure(struct term *term)
{
	struct winsize size = { 0 };

	if (!term->is_tty)
		return;
	if (ioctl(term->fd, TIOCGWINSZ, &size) != 0)
		memset(&size, 0, sizeof size);
	term->columns = size.ws_col > 0 ? size.ws_col : DEFAULT_COLUMNS;
	term->rows = size.ws_row > 0 ? size.ws_row : DEFAULT_ROWS;
	if (term->columns < MIN_COLUMNS)
		term->columns = MIN_COLUMNS;
	if (term->rows < MIN_ROWS)
		term->rows = MIN_ROWS;
}

void
term_init(struct term *term, int fd)
{
	*term = (struct term){ .fd = fd, .is_tty = isatty(fd) };
	term->is_live = term->is_tty && !is_dumb();
	term->has_taskbar = term->is_live && understands_taskbar();
	term->has_colour = term->is_live && !is_set("NO_COLOR");
	term->has_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	term_measure(term);
}

const char *
term_style(const struct term *term, enum style style)
{
	static const char *const sequences[STYLE_COUNT] = { [STYLE_PLAIN] = "",
		[STYLE_BOLD] = "\033[1m",
		[STYLE_DIM] = "\033[2m",
		[STYLE_RED] = "\033[31m",
		[STYLE_GREEN] = "\033[32m",
		[STYLE_YELLOW] = "\033[33m",
		[STYLE_CYAN] = "\033[36m" };

	return term->has_colour ? sequences[style] : "";
}

const char *
term_plain(const struct term *term)
{
	return term->has_colour ? "\033[0m" : "";
}
