/*
 * docker pull: layers, each of which is fetched and then unpacked; and docker build: its steps.
 *
 * On a terminal a layer says how many bytes it has as soon as it is fetched; until then, and in a
 * pipe, it counts as much as the others do in the mean.
 */
#include "worker/readers/readers.h"

#include <math.h>
#include <string.h>

enum phase {
	WAITS = 0,
	IS_FETCHED_NOW,
	IS_FETCHED,
	IS_UNPACKED_NOW,
	IS_DONE
};

enum {
	ID_DIGITS = 12
};

#define FETCH_SHARE 0.7

static const struct {
	const char *text;
	enum phase phase;
} words[] = {
	{ "Pulling fs layer", WAITS },
	{ "Waiting", WAITS },
	{ "Downloading ", IS_FETCHED_NOW },
	{ "Verifying Checksum", IS_FETCHED },
	{ "Download complete", IS_FETCHED },
	{ "Extracting ", IS_UNPACKED_NOW },
	{ "Pull complete", IS_DONE },
};

static bool
take_id(struct scan *scan, uint64_t *ret_id)
{
	uint64_t id = 0;

	for (size_t i = 0; i < ID_DIGITS; i++, scan->at++) {
		char c = scan_peek(scan);

		if (!scan_is_digit(c) && (c < 'a' || c > 'f'))
			return false;
		id = id * 16 + (uint64_t)(scan_is_digit(c) ? c - '0' : c - 'a' + 10);
	}
	*ret_id = id;
	return scan_word(scan, ": ");
}

static struct docker_layer *
layer_of(struct docker_state *docker, uint64_t id)
{
	for (size_t i = 0; i < docker->n; i++)
		if (docker->layers[i].id == id)
			return &docker->layers[i];
	if (docker->n == READ_LAYERS)
		return NULL;
	docker->layers[docker->n] = (struct docker_layer){ .id = id };
	return &docker->layers[docker->n++];
}

static double
done_of(const struct docker_layer *layer)
{
	double part = layer->all > 0 ? layer->done / layer->all : 0;

	switch ((enum phase)layer->phase) {
	case WAITS:
		return 0;
	case IS_FETCHED_NOW:
		return FETCH_SHARE * part;
	case IS_FETCHED:
		return FETCH_SHARE;
	case IS_UNPACKED_NOW:
		return FETCH_SHARE + (1 - FETCH_SHARE) * part;
	case IS_DONE:
		return 1;
	}
	return 0;
}

static double
whole(const struct docker_state *docker)
{
	double sizes = 0, known = 0, done = 0, all = 0;

	for (size_t i = 0; i < docker->n; i++) {
		sizes += docker->layers[i].size;
		known += docker->layers[i].size > 0;
	}
	for (size_t i = 0; i < docker->n; i++) {
		const struct docker_layer *layer = &docker->layers[i];
		double weight = layer->size > 0 ? layer->size : known > 0 ? sizes / known : 1;

		done += weight * done_of(layer);
		all += weight;
	}
	return all > 0 ? done / all : NAN;
}

/* `[===>    ]  1.2MB/3.4MB` */
static void
take_amounts(struct docker_layer *layer, struct scan scan)
{
	double done, all;

	if (!scan_find(&scan, "]"))
		return;
	scan_spaces(&scan);
	done = scan_bytes(&scan);
	if (isnan(done) || !scan_word(&scan, "/"))
		return;
	all = scan_bytes(&scan);
	if (isnan(all) || all <= 0 || done > all)
		return;
	layer->done = done;
	layer->all = all;
	if (layer->phase == IS_FETCHED_NOW)
		layer->size = all;
}

static bool
read_pull(struct docker_state *docker, struct scan scan, double *ret_fraction)
{
	struct docker_layer *layer;
	uint64_t id;

	if (!take_id(&scan, &id))
		return false;
	if (scan_word(&scan, "Already exists"))
		return true;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (!scan_word(&scan, words[i].text))
			continue;
		layer = layer_of(docker, id);
		docker->too_many |= !layer;
		if (layer) {
			layer->phase = (int)words[i].phase;
			layer->done = layer->all = 0;
			take_amounts(layer, scan);
		}
		*ret_fraction = docker->too_many ? NAN : whole(docker);
		return true;
	}
	return false;
}

/* `Step 3/10 : RUN make`: two of them are done. */
static bool
read_build(struct scan scan, double *ret_fraction)
{
	double step, all;

	if (!scan_word(&scan, "Step ") || !scan_digits(&scan, &step) || !scan_word(&scan, "/") ||
	    !scan_digits(&scan, &all) || !scan_word(&scan, " : ") || step < 1 || step > all)
		return false;
	*ret_fraction = (step - 1) / all;
	return true;
}

static uint64_t
hash(const char *text, size_t len)
{
	uint64_t h = 14695981039346656037U;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)text[i]) * 1099511628211U;
	return h ? h : 1;
}

/* BuildKit's `#12 [stage 3/7] RUN make`; how long other stages are is not known beforehand. */
static bool
read_buildkit(struct docker_state *docker, struct scan scan, double *ret_fraction)
{
	double vertex, step, all;
	size_t begin;
	uint64_t stage;

	if (!scan_word(&scan, "#") || !scan_digits(&scan, &vertex) || !scan_word(&scan, " ["))
		return false;
	begin = scan.at;
	for (const char *space; (space = memchr(scan.text + scan.at, ' ', scan.len - scan.at));) {
		const char *end = memchr(scan.text + scan.at, ']', scan.len - scan.at);

		if (end && end < space)
			break;
		scan.at = (size_t)(space - scan.text) + 1;
	}
	stage = hash(scan.text + begin, scan.at - begin);
	scan_spaces(&scan);
	if (!scan_digits(&scan, &step) || !scan_word(&scan, "/") || !scan_digits(&scan, &all) ||
	    !scan_word(&scan, "] ") || step < 1 || step > all)
		return true;
	docker->has_more_stages |= docker->stage && docker->stage != stage;
	docker->stage = stage;
	if (!docker->has_more_stages)
		*ret_fraction = (step - 1) / all;
	return true;
}

bool
read_docker(struct read_state *state, const struct read_line *line, double *ret_fraction)
{
	struct scan scan = { line->text, line->len, 0 };

	return read_pull(&state->docker, scan, ret_fraction) || read_build(scan, ret_fraction) ||
	       read_buildkit(&state->docker, scan, ret_fraction);
}
