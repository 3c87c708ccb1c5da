/*
 * supervisor/cli/secret.h - secret parameters on their way to the service: --secret, --secret-fd.
 *
 * They come from stdin, a terminal without echo, or an fd, and go on in a sealed file in memory:
 * never as an argument, never in the environment.
 */
#ifndef SUPERVISOR_CLI_SECRET_H
#define SUPERVISOR_CLI_SECRET_H

#include "ipc/codec.h"
#include "supervisor/cli/args.h"

enum {
	KEY_SECRET = 300,
	KEY_SECRET_FD = 301
};
#define SECRET_OPTIONS                                                                  \
 { KEY_SECRET, "secret", "NAME", "a secret parameter: asked for, or read from stdin" }, \
 {                                                                                      \
  KEY_SECRET_FD, "secret-fd", "NAME=FD",                                                \
      "a secret parameter, read from an fd that is open already"                        \
 }

struct secret_args {
	struct strs asked;   /* names, to be read by secret_gather */
	struct pairs values; /* of those that came by an fd */
};

/* One of the two options, ARGS->value: 0, or an exit status after a complaint. */
int secret_take(const struct args *args, int key, struct secret_args *secrets);

/* Reads what is asked for into the values. 0, or an exit status after a complaint. */
int secret_read(struct secret_args *secrets);

/* Reads what is asked for. 0 with *ret_fd (owned; -1: there are none), or an exit status after a
 * complaint. */
int secret_gather(struct secret_args *secrets, int *ret_fd);

void secret_fini(struct secret_args *secrets);

#endif
