/*
 * worker/pull/report.h - tells how a download goes: to the worker when there is one, to a person
 * at a terminal otherwise. Remarks go to stderr in either case.
 */
#ifndef WORKER_PULL_REPORT_H
#define WORKER_PULL_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	REPORT_BYTES_TEXT = 16,
	REPORT_LABEL_TEXT = 256
};

struct report {
	bool draws; /* a progress line on stderr */
	bool line_is_open;
	char label[REPORT_LABEL_TEXT];
	uint64_t done, total;            /* of what the label names; total 0: unknown */
	char waiting[REPORT_LABEL_TEXT]; /* what it was last said to wait for; "": it moves */
	bool is_transfer;                /* has a rate, and its bytes are the step's */
	double rate;                     /* bytes per second, smoothed */
	bool has_rate;
	uint64_t sampled_ns, sampled_done;
	uint64_t drawn_ms;
};

/* After step_open. */
void report_init(struct report *report);
void report_fini(struct report *report); /* ends the progress line */

/* Something new begins: its label, where it stands, of how many bytes. */
void report_begin(struct report *report, bool is_transfer, uint64_t done, uint64_t total,
    const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Cheap: call it for every piece, and once a second when there is none. */
void report_bytes(struct report *report, uint64_t done);

/* A remark: a line on stderr, and the label until the next thing begins. */
void report_note(struct report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* It does not move because of ON, as step_waiting has it, until more bytes are told or
 * report_move. Said once, however often it is called. */
void report_wait(struct report *report, const char *on, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void report_move(struct report *report);

/* What the worker gives back when the step runs again; for people, the sidecar is what is gone by.
 */
void report_checkpoint(const char *validator, uint64_t bytes);

struct report_result {
	const char *path, *sha256;
	uint64_t bytes;
	uint64_t resumed_at; /* bytes that were here before */
	bool was_there;      /* nothing had to be done */
};
void report_result(struct report *report, const struct report_result *result);

/* Pure: the rate after WINDOW_S seconds in which BYTES came, BEFORE being the one until then. */
double report_smooth(double before, double bytes, double window_s);

/* "12.3 MB", for people. Returns TEXT. */
char *report_format_bytes(uint64_t bytes, char text[static REPORT_BYTES_TEXT]);

#endif
