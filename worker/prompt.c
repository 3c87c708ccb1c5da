#include "worker/prompt.h"

#include "ipc/clock.h"
#include "ipc/fd.h"
#include "ipc/proc.h"
#include "worker/kin.h"
#include "worker/ttywait.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

enum {
	ROWS = 24,
	COLUMNS = 80
};
enum {
	QUIET_MS = 500, /* a line without an end, and a read */
	QUIET_UNSURE_MS =
	    2000, /* the terminal is one thing of several it waits for; or it is hidden */
	QUIET_SILENT_MS = 3000, /* a read that nothing was said before */
	LOOK_MS = 500,
	SELDOM_MS = 5000
};

void
prompt_init(struct prompt *prompt)
{
	*prompt = (struct prompt){ .ours = -1, .theirs = -1 };
}

void
prompt_fini(struct prompt *prompt)
{
	fd_close(&prompt->theirs);
	prompt->ours = -1;
}

int
prompt_open(struct prompt *prompt, const struct attempt *attempt, size_t step, int *ret_ours,
    int *ret_theirs)
{
	const struct winsize size = { .ws_row = ROWS, .ws_col = COLUMNS };
	const struct brief *brief = &attempt->brief;
	int theirs = -1;

	*ret_ours = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (*ret_ours < 0 || ioctl(*ret_ours, TIOCSPTLCK, &(int){ 0 }) < 0)
		return -errno;
	theirs = ioctl(*ret_ours, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (theirs < 0)
		return -errno;
	*ret_theirs = theirs;
	if (ioctl(theirs, TIOCSWINSZ, &size) < 0 || fchmod(theirs, 0600) < 0)
		return -errno;
	if (brief->change_user && fchown(theirs, (uid_t)brief->uid, (gid_t)brief->gid) < 0)
		return -errno;
	prompt->theirs = fcntl(theirs, F_DUPFD_CLOEXEC, 0);
	if (prompt->theirs < 0)
		return -errno;
	prompt->ours = *ret_ours;
	prompt->step = step;
	return 0;
}

/* ---- what is written to it -------------------------------------------------------------- */

size_t
prompt_take(struct prompt *prompt, char *data, size_t len, uint64_t now_ms)
{
	size_t n = escape_clean(&prompt->escape, data, len);

	prompt->spoke_ms = now_ms;
	prompt->look_ms = 0;
	for (size_t i = 0; i < n; i++) {
		if (data[i] == '\n' || data[i] == '\r')
			prompt->len = 0;
		else if (prompt->len < sizeof prompt->line)
			prompt->line[prompt->len++] = data[i];
	}
	return n;
}

/* ---- who waits --------------------------------------------------------------------------- */

/* Nothing of what is typed is shown. A program that draws its line itself has no echo either. */
static bool
is_secret(const struct prompt *prompt, const char *line)
{
	static const char *const words[] = { "passw", "passphrase", "secret", "token", "pin:" };
	struct termios mode;

	if (tcgetattr(prompt->theirs, &mode) < 0 || (mode.c_lflag & ECHO))
		return false;
	if (mode.c_lflag & ICANON)
		return true;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcasestr(line, words[i]))
			return true;
	return false;
}

/* The one of the foreground group that waits the most surely; NULL: nobody. */
static const struct kin_one *
who_waits(const struct prompt *prompt, const struct kin *kin, enum tty_wait *ret_wait)
{
	const struct kin_one *found = NULL;
	pid_t foreground = tcgetpgrp(prompt->ours);
	struct proc_stat stat;
	struct stat tty;

	*ret_wait = TTY_WAIT_NONE;
	if (foreground <= 0 || fstat(prompt->theirs, &tty) < 0)
		return NULL;
	for (size_t i = 0; i < kin->n; i++) {
		enum tty_wait wait;

		if (kin->v[i].state != 'S' || proc_stat(kin->v[i].pid, &stat) < 0 ||
		    stat.pgid != foreground)
			continue;
		wait = tty_wait_of(kin->v[i].pid, tty.st_rdev);
		if (wait == TTY_WAIT_NONE || (found && wait > *ret_wait))
			continue;
		*ret_wait = wait;
		found = &kin->v[i];
	}
	return found;
}

static uint64_t
quiet_ms(enum tty_wait wait, bool has_line, bool secret)
{
	if (wait == TTY_WAIT_READS)
		return has_line ? QUIET_MS : QUIET_SILENT_MS;
	if (!has_line || (wait == TTY_WAIT_HIDDEN && !secret))
		return UINT64_MAX;
	return QUIET_UNSURE_MS;
}

/* ---- the question ------------------------------------------------------------------------ */

static void
trim(const struct prompt *prompt, char text[static PROMPT_LINE + 1])
{
	size_t len = prompt->len, begin = 0;

	while (len > 0 && (prompt->line[len - 1] == ' ' || prompt->line[len - 1] == '\t'))
		len--;
	while (begin < len && (prompt->line[begin] == ' ' || prompt->line[begin] == '\t'))
		begin++;
	memcpy(text, prompt->line + begin, len - begin);
	text[len - begin] = '\0';
}

static enum prompt_way
way_of(const char *text)
{
	static const struct {
		const char *mark;
		enum prompt_way way;
	} marks[] = { { "[y/n]", PROMPT_LETTER }, { "(y/n)", PROMPT_LETTER },
		{ "[yes/no]", PROMPT_WORD }, { "(yes/no)", PROMPT_WORD } };

	for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
		if (strcasestr(text, marks[i].mark))
			return marks[i].way;
	return PROMPT_TEXT;
}

/* The same prompt at the same place of a later try is the same question. */
static int
set_name(struct question *question, uint64_t answered, const char *text)
{
	char name[64];
	uint32_t hash = 2166136261U;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619U;
	snprintf(name, sizeof name, "prompt-%llu-%08x", (unsigned long long)answered + 1, hash);
	return str_set(&question->name, name);
}

static int
set_field(struct question *question, bool secret)
{
	struct question_field *field =
	    list_add((struct list *)&question->fields, &question_field_codec);

	if (!field || str_set(&field->name, "text") < 0 ||
	    str_set(&field->label, secret ? "What is typed (not shown)" : "What is typed") < 0 ||
	    str_set(&question->yes, "Type it") < 0 || str_set(&question->no, "End of input") < 0)
		return -ENOMEM;
	field->optional = true;
	return str_set(&field->type, secret ? "secret" : "text");
}

static void
ask(struct prompt *prompt, struct attempt *attempt, const char *text, bool secret)
{
	struct question question;
	char problem[QUESTION_PROBLEM];
	int r;

	codec_init(&question_codec, &question);
	prompt->way = secret ? PROMPT_TEXT : way_of(text);
	r = set_name(&question, prompt->answered, text);
	if (r == 0)
		r = str_set(&question.text, text);
	if (r == 0 && prompt->way == PROMPT_TEXT)
		r = set_field(&question, secret);
	if (r == 0 && !question_problem(&question, problem))
		r = asking_begin(attempt, prompt->step, &question);
	codec_free(&question_codec, &question);
	prompt->is_asking = r == 0 && asking_is_open(attempt);
	prompt->asked_ms = prompt->spoke_ms;
	if (prompt->is_asking)
		(void)journal_sync(&attempt->journal);
	prompt_answer(prompt, attempt); /* it may be known from an earlier try */
}

static void
look(struct prompt *prompt, struct attempt *attempt, const struct spared *spared, uint64_t now_ms)
{
	char text[PROMPT_LINE + 64];
	const struct kin_one *who;
	enum tty_wait wait;
	struct kin kin;
	bool secret;
	uint64_t quiet;

	kin_look(spared, &kin);
	who = who_waits(prompt, &kin, &wait);
	if (!who)
		return;
	trim(prompt, text);
	secret = is_secret(prompt, text);
	quiet = quiet_ms(wait, *text != '\0', secret);
	if (now_ms - prompt->spoke_ms < quiet)
		return;
	if (*text == '\0')
		snprintf(text, sizeof text, "%s waits for a line to be typed", who->name);
	ask(prompt, attempt, text, secret);
}

int
prompt_turn(
    struct prompt *prompt, struct attempt *attempt, const struct spared *spared, uint64_t now_ms)
{
	if (prompt->theirs < 0)
		return -1;
	if (prompt->is_asking && prompt->spoke_ms != prompt->asked_ms) {
		/* It went on by itself. */
		prompt->is_asking = false;
		asking_end(attempt);
	}
	if (prompt->is_asking || asking_is_open(attempt))
		return -1;
	if (prompt->look_ms == 0)
		prompt->look_ms = now_ms + QUIET_MS;
	if (now_ms >= prompt->look_ms) {
		look(prompt, attempt, spared, now_ms);
		prompt->look_ms =
		    now_ms + (now_ms - prompt->spoke_ms > SELDOM_MS ? SELDOM_MS / 2 : LOOK_MS);
	}
	return prompt->look_ms > now_ms ? (int)(prompt->look_ms - now_ms) : 0;
}

/* ---- the answer -------------------------------------------------------------------------- */

/* One line, and no key that means something else: the end of input is a no, and what interrupts is
 * a cancel. */
static size_t
write_line(const char *text, char *line, size_t room)
{
	size_t n = 0;

	for (; text && *text && *text != '\n' && *text != '\r' && n + 1 < room; text++)
		if ((unsigned char)*text >= ' ' && *text != 0x7f)
			line[n++] = *text;
	line[n++] = '\r'; /* what the Enter key sends */
	return n;
}

static size_t
keys_of(const struct prompt *prompt, const struct answer *answer, char *keys, size_t room)
{
	struct termios mode;

	switch (prompt->way) {
	case PROMPT_LETTER:
		return write_line(answer->yes ? "y" : "n", keys, room);
	case PROMPT_WORD:
		return write_line(answer->yes ? "yes" : "no", keys, room);
	case PROMPT_TEXT:
		break;
	}
	if (answer->yes)
		return write_line(pairs_get(&answer->fields, "text"), keys, room);
	keys[0] = 4; /* ^D, unless the terminal was told another */
	if (tcgetattr(prompt->theirs, &mode) == 0 && mode.c_cc[VEOF])
		keys[0] = (char)mode.c_cc[VEOF];
	return 1;
}

void
prompt_answer(struct prompt *prompt, struct attempt *attempt)
{
	const struct answer *answer = prompt->is_asking ? asking_answer(attempt) : NULL;
	char keys[LIMIT_ANSWER + 2];
	size_t len;

	if (!answer)
		return;
	len = keys_of(prompt, answer, keys, sizeof keys);
	if (write(prompt->ours, keys, len) != (ssize_t)len)
		attempt_warn(attempt, prompt->step + 1, "an answer could not be typed whole");
	explicit_bzero(keys, sizeof keys);
	prompt->is_asking = false;
	prompt->answered++;
	prompt->len = 0;
	prompt->spoke_ms = clock_boot_ms();
	prompt->look_ms = 0;
	asking_end(attempt);
}

void
prompt_end(struct prompt *prompt, struct attempt *attempt)
{
	if (prompt->is_asking)
		asking_end(attempt);
	prompt->is_asking = false;
	prompt_fini(prompt);
}
