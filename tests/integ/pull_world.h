/*
 * tests/integ/pull_world.h - what every story about reeve-pull stands on: a directory of its own
 * that is the current one, a web server that serves www/f, and questions about how it ended.
 */
#ifndef TESTS_INTEG_PULL_WORLD_H
#define TESTS_INTEG_PULL_WORLD_H

#include "tests/integ/pull_run.h"
#include "tests/integ/pull_web.h"

#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	BIG = 12 * 1000 * 1000,
	SMALL = 1000,
	HEX_TEXT = 65,
	URL_TEXT = 256
};

extern struct web web;
extern struct run run;
extern char sum[HEX_TEXT]; /* SHA-256 of www/f */

/* A case whose tests each have such a world. */
TCase *pull_world_case(const char *name);

/* Runs SUITE: the exit status of the program. */
int pull_world_run(Suite *suite);

/* PATH gets LEN bytes that nobody would take for others: the same for the same SEED. */
void write_bytes(const char *path, size_t len, uint64_t seed);
void serve(size_t len, uint64_t seed); /* as www/f */
void serve_slowly(bool is_slow);       /* the requests that begin from now on */
void hash_file(const char *path, char hex[static HEX_TEXT]);
off_t size_of(const char *path); /* -1: there is none */

char *url(char text[static URL_TEXT], const char *scheme, int port, const char *path);
#define HTTP(path)  url((char[URL_TEXT]){ 0 }, "http", web.port, (path))
#define HTTPS(path) url((char[URL_TEXT]){ 0 }, "https", web.tls_port, (path))

/* f is what has this digest, and nothing else is left. */
void expect_got(const char *expected);
void expect_said(const char *text);

#endif
