/*
 * worker/words.h - the words of a command: its arguments, its environment and the places where
 * its program may be, expanded and ready for exec.
 */
#ifndef WORKER_WORDS_H
#define WORKER_WORDS_H

#include "worker/sandbox.h"

struct words {
	struct strs argv;
	struct pairs env;
	char **envp;       /* made of env */
	struct strs paths; /* candidates for the program */
	char *cwd;         /* NULL: the task's directory */
	char *growing;     /* the file whose size is its progress; NULL: none */
	uint64_t grows_to;
	char *missing; /* the reference that has no value, after -ENOENT */
};

/* 0; -ENOENT; -EINVAL: a reference without an end; -EMSGSIZE; -ENOMEM. words_free it whatever
 * happened. */
int words_make(struct words *words, struct attempt *attempt, const struct sandbox *sandbox);
void words_free(struct words *words);

#endif
