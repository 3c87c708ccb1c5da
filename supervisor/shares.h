/*
 * supervisor/shares.h - how much of what a task can make long goes into its document. Pure.
 *
 * A document goes out with every event. So each of its long parts has a share of the bytes: the
 * first items that fit are shown, the others counted. With what is short anyhow and an event of
 * LIMIT_FRAME beside it, a document stays below LIMIT_RPC.
 */
#ifndef SUPERVISOR_SHARES_H
#define SUPERVISOR_SHARES_H

#include "store/record.h"

enum share_of {
	SHARE_LABELS,
	SHARE_OUTPUTS,
	SHARE_WARNINGS,
	SHARE_SUBS,
	SHARE_INTERRUPTIONS,
	SHARES
};

struct shares {
	struct {
		size_t bytes;      /* still free */
		uint64_t left_out; /* items */
	} of[SHARES];
};

struct shares shares_whole(void);

/* As the document calls it. */
const char *share_name(int share);
bool shares_left_out(const struct shares *shares); /* anything */

/* Each takes the bytes of what is to be shown, counts the rest, and returns how many of the items
 * are shown; of outputs and sub-steps all steps share one share. */
size_t shares_labels(struct shares *shares, const struct pairs *labels);
size_t shares_outputs(struct shares *shares, const struct pairs *outputs);
size_t shares_warnings(struct shares *shares, const struct record *record);
/* A parent stands before its children, so what is shown is a tree. */
size_t shares_subs(struct shares *shares, const struct record_step *step);
size_t shares_interruptions(
    struct shares *shares, const struct record_interruptions *interruptions);

#endif
