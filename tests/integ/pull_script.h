/*
 * tests/integ/pull_script.h - a server on loopback that says exactly what a test tells it to:
 * one connection after the other, one canned answer each.
 */
#ifndef TESTS_INTEG_PULL_SCRIPT_H
#define TESTS_INTEG_PULL_SCRIPT_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

enum {
	SCRIPT_MAX = 16,
	SCRIPT_REQUEST = 4096
};

struct script_line {
	const char *reply; /* head and body as they go out */
	bool holds;        /* then says nothing more until the client hangs up */
};

struct script {
	struct script_line lines[SCRIPT_MAX]; /* ends with a NULL reply */
	int port;
	/* Filled in while it plays; read after script_stop. */
	char requests[SCRIPT_MAX][SCRIPT_REQUEST];
	size_t played;
	int fd;
	pthread_t thread;
};

/* LINES is set by the caller before. */
void script_start(struct script *script);

/* Ends it, whether it was played to its end or not. */
void script_stop(struct script *script);

#endif
