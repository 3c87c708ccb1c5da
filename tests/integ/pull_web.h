/*
 * tests/integ/pull_web.h - a real nginx on loopback, private to one test, serving ROOT/www.
 *
 * Its sockets are made here and inherited by it, so their ports are free for certain and
 * connections wait for it from the first moment. It dies with the test.
 *
 *   /X            ROOT/www/X; a few MB a second for requests that begin while ROOT/slow exists
 *   /whole/X      the same, never in ranges       /forbidden    403
 *   /busy/X       the same, but 503 with Retry-After: 1 while ROOT/busy exists
 *   https: /X     ROOT/www/X     /down/X  redirects to http, /away/X to /X
 */
#ifndef TESTS_INTEG_PULL_WEB_H
#define TESTS_INTEG_PULL_WEB_H

#include <stddef.h>
#include <sys/types.h>

struct web {
	const char *root; /* absolute; borrowed */
	pid_t pid;
	int port, tls_port;
};

/* All of these fail the test rather than return an error. */
void web_start(struct web *web, const char *root);
void web_stop(struct web *web);

/* Makes ROOT/certificate.pem for 127.0.0.1 and its key: before web_start. */
void web_make_certificate(const char *root);

/* How many requests had URI and got STATUS (0: any). */
unsigned web_count(const struct web *web, const char *uri, int status);

/* A listening socket on a free port of loopback. */
int web_listen(int *ret_port);

#endif
