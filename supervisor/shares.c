#include "supervisor/shares.h"

#include <string.h>

enum {
	PAIR_BYTES = 16, /* of a pair beside its texts, at most */
	ITEM_BYTES = 200 /* of a warning, a sub-step or an interruption */
};

#define KIB(n) ((size_t)(n)*1024)

/* clang-format off */
static const struct {
	const char *name;
	size_t bytes;
} parts[SHARES] = {
	[SHARE_LABELS]        = { "labels",         KIB(32) },
	[SHARE_OUTPUTS]       = { "outputs",       KIB(192) },
	[SHARE_WARNINGS]      = { "warnings",       KIB(96) },
	[SHARE_SUBS]          = { "sub_steps",     KIB(256) },
	[SHARE_INTERRUPTIONS] = { "interruptions",  KIB(32) },
};
/* clang-format on */

struct shares
shares_whole(void)
{
	struct shares shares = { 0 };

	for (int i = 0; i < SHARES; i++)
		shares.of[i].bytes = parts[i].bytes;
	return shares;
}

const char *
share_name(int share)
{
	return parts[share].name;
}

bool
shares_left_out(const struct shares *shares)
{
	for (int i = 0; i < SHARES; i++)
		if (shares->of[i].left_out > 0)
			return true;
	return false;
}

static size_t
length(const char *text)
{
	return text ? strlen(text) : 0;
}

static bool
takes(struct shares *shares, enum share_of share, size_t bytes)
{
	if (bytes > shares->of[share].bytes)
		return false;
	shares->of[share].bytes -= bytes;
	return true;
}

static size_t
take_pairs(struct shares *shares, enum share_of share, const struct pairs *pairs)
{
	size_t n = 0;

	while (
	    n < pairs->n &&
	    takes(shares, share, length(pairs->v[n].name) + length(pairs->v[n].value) + PAIR_BYTES))
		n++;
	shares->of[share].left_out += pairs->n - n;
	return n;
}

size_t
shares_labels(struct shares *shares, const struct pairs *labels)
{
	return take_pairs(shares, SHARE_LABELS, labels);
}

size_t
shares_outputs(struct shares *shares, const struct pairs *outputs)
{
	return take_pairs(shares, SHARE_OUTPUTS, outputs);
}

size_t
shares_warnings(struct shares *shares, const struct record *record)
{
	const struct record_warnings *warnings = &record->warnings;
	size_t n = 0;

	while (n < warnings->n &&
	       takes(shares, SHARE_WARNINGS, length(warnings->v[n].text) + ITEM_BYTES))
		n++;
	shares->of[SHARE_WARNINGS].left_out += warnings->n - n + record->warnings_dropped;
	return n;
}

size_t
shares_subs(struct shares *shares, const struct record_step *step)
{
	const struct record_subs *subs = &step->subs;
	size_t n = 0;

	while (n < subs->n && takes(shares, SHARE_SUBS,
				  length(subs->v[n].name) + length(subs->v[n].detail) + ITEM_BYTES))
		n++;
	shares->of[SHARE_SUBS].left_out += subs->n - n + step->subs_dropped;
	return n;
}

size_t
shares_interruptions(struct shares *shares, const struct record_interruptions *interruptions)
{
	size_t n = 0;

	while (n < interruptions->n &&
	       takes(shares, SHARE_INTERRUPTIONS, length(interruptions->v[n].message) + ITEM_BYTES))
		n++;
	shares->of[SHARE_INTERRUPTIONS].left_out += interruptions->n - n;
	return n;
}
