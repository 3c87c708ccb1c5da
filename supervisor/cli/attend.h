/*
 * supervisor/cli/attend.h - stays with one task until it has ended, as a picture on a
 * terminal and as lines elsewhere, and tells the end.
 */
#ifndef SUPERVISOR_CLI_ATTEND_H
#define SUPERVISOR_CLI_ATTEND_H

#include "supervisor/cli/cli.h"
#include "supervisor/cli/session.h"

enum attend_as {
	ATTEND_NORMALLY, /* what it asks can be answered right there, at a terminal */
	ATTEND_STRICTLY, /* the same; warnings are an exit status */
	ATTEND_WATCHING  /* nothing is answered from there */
};

/* The task's exit status; EXIT_SIGNALLED + n after a farewell; or that of a complaint. */
int attend(struct cli *cli, struct session *session, uint64_t id, enum attend_as as);

/* The same in silence; then the document as JSON. */
int attend_json(struct cli *cli, struct session *session, uint64_t id, bool is_strict);

#endif
