#include "worker/vigil.h"

#include "ipc/clock.h"
#include "worker/lockwait.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

enum {
	PULL_STALL_MS = 30 * 1000,
	STALL_MS = 10 * 60 * 1000
};
enum {
	SOONEST_MS = 2000,
	LATEST_MS = 30 * 1000,
	BUSY_PER_MILLE = 5 /* of one CPU: less is a program that looks at its watch */
};

static uint64_t
stall_after_ms(const struct spec *spec, const struct spec_step *step)
{
	if (step->stall_after_ms)
		return step->stall_after_ms;
	if (spec->stall_after_ms)
		return spec->stall_after_ms;
	return step->kind == STEP_KIND_PULL ? PULL_STALL_MS : STALL_MS;
}

/* The longer it is silent the less often, but in time to say so. */
static void
set_look(struct vigil *vigil, uint64_t now_ms)
{
	uint64_t silent_ms = now_ms - vigil->sign_ms,
		 still_ms = vigil->sign_ms + vigil->stall_after_ms;
	uint64_t wait_ms = silent_ms / 2;

	if (wait_ms > LATEST_MS)
		wait_ms = LATEST_MS;
	if (wait_ms < SOONEST_MS)
		wait_ms = SOONEST_MS;
	vigil->look_ms = now_ms + wait_ms;
	if (now_ms < still_ms && still_ms < vigil->look_ms)
		vigil->look_ms = still_ms;
}

/* What is told as it happens. True when there is something new. */
static bool
has_spoken(struct vigil *vigil, const struct attempt *attempt)
{
	const struct news *news = &attempt->bulletin.news;
	uint64_t facts = (uint64_t)attempt->journal.end + journal_waiting(&attempt->journal);
	bool is_same = news->bytes_done == vigil->bytes_done &&
		       (news->fraction == vigil->fraction ||
			   (isnan(news->fraction) && isnan(vigil->fraction))) &&
		       attempt->output.taken == vigil->output_bytes && facts == vigil->facts_end;

	vigil->bytes_done = news->bytes_done;
	vigil->fraction = news->fraction;
	vigil->output_bytes = attempt->output.taken;
	vigil->facts_end = facts;
	return !is_same;
}

/* What the processes did since the last look. */
static bool
has_worked(struct vigil *vigil, const struct kin *kin, uint64_t now_ms)
{
	uint64_t elapsed_ms = now_ms - vigil->looked_ms;
	uint64_t ticks = kin->cpu_ticks - vigil->cpu_ticks; /* less than before: very many */
	uint64_t busy_ms =
	    ticks > UINT32_MAX ? UINT32_MAX : ticks * 1000 / (uint64_t)sysconf(_SC_CLK_TCK);
	bool has = busy_ms * 1000 > elapsed_ms * BUSY_PER_MILLE ||
		   kin->io_bytes != vigil->io_bytes || (vigil->ids && kin->ids != vigil->ids);

	vigil->looked_ms = now_ms;
	vigil->cpu_ticks = kin->cpu_ticks;
	vigil->io_bytes = kin->io_bytes;
	vigil->ids = kin->ids;
	return has;
}

static const char *
state_words(char state)
{
	switch (state) {
	case 'D':
		return "waits for a disk or a network file system";
	case 'T':
	case 't':
		return "was stopped by a signal";
	default:
		return "sleeps";
	}
}

/* The youngest of those that wait for nobody of their own: it is what the others wait for. */
static void
describe(const struct kin *kin, char *text, size_t room)
{
	char name[KIN_TEXT];

	text[0] = '\0';
	for (size_t i = kin->n; i-- > 0;) {
		if (kin->v[i].is_parent)
			continue;
		snprintf(
		    text, room, "%s %s", kin_text(&kin->v[i], name), state_words(kin->v[i].state));
		return;
	}
}

static void
tell_still(struct vigil *vigil, struct attempt *attempt, const char *who, uint64_t now_ms)
{
	char text[512], silent[CLOCK_TEXT];
	struct fact fact;

	vigil->is_still = true;
	snprintf(text, sizeof text,
	    "nothing has changed for %s: no progress, output, CPU time or I/O%s%s",
	    clock_format_duration(now_ms - vigil->sign_ms, silent), *who ? "; " : "", who);
	codec_init(&fact_codec, &fact);
	fact.kind = FACT_NOTIFICATION;
	fact.step = attempt->bulletin.news.step;
	fact.text = text;
	attempt_fact(attempt, &fact);
	(void)has_spoken(vigil, attempt); /* these were our words */
}

static void
look(struct vigil *vigil, struct attempt *attempt, uint64_t now_ms)
{
	uint64_t since_ms = clock_wall_ms() - (now_ms - vigil->sign_ms);
	char holder[LOCKWAIT_TEXT], who[LOCKWAIT_TEXT];
	struct kin kin;

	kin_look(vigil->spared, &kin);
	if (has_worked(vigil, &kin, now_ms)) {
		vigil->sign_ms = now_ms;
		vigil->is_still = false;
		bulletin_blocked(&attempt->bulletin, 0, NULL, 0);
	} else if (lockwait_find(&kin, holder)) {
		bulletin_blocked(&attempt->bulletin, BLOCK_LOCK, holder, since_ms);
	} else if (now_ms - vigil->sign_ms >= vigil->stall_after_ms) {
		describe(&kin, who, sizeof who);
		bulletin_blocked(&attempt->bulletin, BLOCK_STALL, *who ? who : NULL, since_ms);
		if (!vigil->is_still && attempt->bulletin.news.blocked == BLOCK_STALL)
			tell_still(vigil, attempt, who, now_ms);
	} else {
		bulletin_blocked(&attempt->bulletin, 0, NULL, 0);
	}
}

void
vigil_begin(struct vigil *vigil, struct attempt *attempt, size_t step, const struct spared *spared)
{
	const struct spec *spec = &attempt->brief.spec;
	uint64_t now_ms = clock_boot_ms();

	*vigil = (struct vigil){ .stall_after_ms = stall_after_ms(spec, &spec->steps.v[step]),
		.spared = spared,
		.sign_ms = now_ms,
		.looked_ms = now_ms };
	(void)has_spoken(vigil, attempt);
	set_look(vigil, now_ms);
}

void
vigil_end(struct vigil *vigil, struct attempt *attempt)
{
	if (vigil->stall_after_ms)
		bulletin_blocked(&attempt->bulletin, 0, NULL, 0);
	vigil->stall_after_ms = 0;
}

int
vigil_turn(struct vigil *vigil, struct attempt *attempt, uint64_t now_ms)
{
	if (vigil->stall_after_ms == 0)
		return -1;
	if (asking_is_open(attempt)) { /* it waits for people, which is told otherwise */
		vigil->sign_ms = vigil->look_ms = now_ms;
		return -1;
	}
	if (has_spoken(vigil, attempt)) {
		vigil->sign_ms = now_ms;
		vigil->is_still = false;
		bulletin_blocked(&attempt->bulletin, 0, NULL, 0);
		if (vigil->look_ms > now_ms + SOONEST_MS)
			set_look(vigil, now_ms);
	}
	if (now_ms >= vigil->look_ms) {
		look(vigil, attempt, now_ms);
		set_look(vigil, now_ms);
	}
	return (int)(vigil->look_ms - now_ms);
}
