/*
 * worker/readers/readers.h - what is known of how programs show their progress: one reader for
 * each family, in one table, the more particular first.
 *
 * A reader gets a line at a time, free of escape sequences and at most READ_LINE bytes long, and
 * says whether it is one of its own. Pure; what it has to remember is in a struct of fixed size.
 */
#ifndef WORKER_READERS_READERS_H
#define WORKER_READERS_READERS_H

#include "ipc/spec.h"
#include "worker/readers/scan.h"

enum {
	READ_LINE = 512,
	READ_LAYERS = 128
};

struct read_line {
	const char *text;
	size_t len;
	bool redrawn;    /* it did not end in a line end: the next one is drawn over it */
	bool unfinished; /* more of it may come: a number that stands last may not be whole */
};

struct curl_state {
	int table; /* which of its two was begun; 0: none */
};

struct git_state {
	bool has_begun; /* a phase that others follow was seen */
};

struct rsync_state {
	enum rsync_mode {
		RSYNC_UNKNOWN = 0,
		RSYNC_FILES, /* --progress: percentages are of one file */
		RSYNC_WHOLE  /* --info=progress2 */
	} mode;
	bool is_scanning; /* the number of files is not final */
	double done, all; /* files */
};

struct pip_state {
	double known, done; /* packages */
	bool knows_all;     /* it looked at what they need before it downloads them */
	bool is_in_wheel;
};

struct docker_layer {
	uint64_t id;
	double done, all; /* bytes of the present phase */
	double size;      /* to download; 0: unknown */
	int phase;        /* 0: waits */
};

struct docker_state {
	struct docker_layer layers[READ_LAYERS];
	size_t n;
	bool too_many;
	uint64_t stage;       /* the one of a build, hashed */
	bool has_more_stages; /* whose lengths are not known beforehand */
};

struct ffmpeg_state {
	double duration_s; /* of the longest input; 0: unknown */
};

struct read_state {
	struct curl_state curl;
	struct git_state git;
	struct rsync_state rsync;
	struct pip_state pip;
	struct docker_state docker;
	struct ffmpeg_state ffmpeg;
};

/* True: the line is one of its own; RET_FRACTION is how much is done, NaN when it does not say. */
typedef bool read_fn(struct read_state *state, const struct read_line *line, double *ret_fraction);

struct reader {
	enum progress_kind kind;
	read_fn *read;
};

/* The more particular first. */
const struct reader *readers(size_t *ret_n);

read_fn read_git, read_curl, read_wget, read_rsync, read_pip, read_npm, read_docker, read_ffmpeg,
    read_percent, read_count;

/* What an operating system command says (OSC 9;4): 0..1, or NaN. */
double read_osc(const char *text, size_t len);

#endif
