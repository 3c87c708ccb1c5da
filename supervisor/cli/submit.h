/*
 * supervisor/cli/submit.h - what `run` sends: a recipe by name or text, or a command.
 */
#ifndef SUPERVISOR_CLI_SUBMIT_H
#define SUPERVISOR_CLI_SUBMIT_H

#include "ipc/codec.h"
#include "supervisor/cli/session.h"

enum {
	SUBMIT_TOKEN = 16
};

struct submission {
	const char *recipe; /* a name; or */
	char *text;         /* a recipe's text (owned) with */
	const char *name;   /* its file's name; or */
	char **command;     /* words, borrowed */
	size_t ncommand;
	int fd; /* borrowed, beside the request: where a command starts, for no path of ours is
		   opened by the service; or a recipe's secrets. -1 */
	struct pairs params, labels, env; /* owned */
	const char *title, *scope, *key;
	uint8_t token[SUBMIT_TOKEN]; /* the same one, the same task: it is sent again after a lost
					answer */
};

void submission_fini(struct submission *submission);

/* NAME=VALUE into PAIRS: 0, -EINVAL (no '=' or no name), -EEXIST (named twice), -ENOMEM. */
int submission_pair(struct pairs *pairs, const char *word);

/* NAME=VALUE, or NAME with the caller's own value; an unset one is left out. A later one replaces.
 */
int submission_env(struct pairs *env, const char *word);

/* The caller's PATH, LANG, LC_* and TZ, which commands are given. 0 or -ENOMEM. */
int submission_surroundings(struct pairs *env);

/*
 * A file's text: 0; -EFBIG over LIMIT_RECIPE; -errno. Sets name too, which points into PATH.
 */
int submission_read(struct submission *submission, const char *path);

/* The same for NAME among the user's own recipes ($XDG_CONFIG_HOME/reeve/recipes). Owned path. */
char *submission_own_recipe(const char *name);

/* Sends it: as session_call. The reply may be an error. */
int submission_send(
    struct submission *submission, struct session *session, struct client_reply *ret_reply);

#endif
