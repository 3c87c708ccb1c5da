/*
 * worker/pull/source.h - where a file comes from: a URL taken apart, so that a password never
 * reaches a log, a sidecar or another host, and a redirect never leaves https.
 */
#ifndef WORKER_PULL_SOURCE_H
#define WORKER_PULL_SOURCE_H

#include <stdbool.h>

struct source {
	char *url;      /* without user, password and fragment: fit to be shown */
	char *origin;   /* scheme://host:port */
	char *user;     /* decoded, or NULL */
	char *password; /* decoded, or NULL */
	bool is_secure; /* https */
};

/* 0; -EINVAL: no URL; -EPROTONOSUPPORT: neither http nor https; -ENOMEM. */
int source_parse(const char *url, struct source *ret_source);
void source_free(struct source *source); /* and leaves it empty */

/*
 * Where LOCATION, absolute or relative, leads from FROM. User and password go along to the same
 * origin only, and never come from LOCATION. As source_parse; -EPERM: from https to http.
 */
int source_follow(const struct source *from, const char *location, struct source *ret_source);

#endif
