#include "worker/mask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	LINE_MIN = 4, /* bytes: shorter lines of a secret say nothing, and are everywhere */
	HELD_MAX = 256 * 1024,
	KEPT_ROOM = 4096
};

static const char stars[] = "***";

/* ---- what is looked for --------------------------------------------------------------- */

static int
add(struct mask *mask, const char *text, size_t len)
{
	struct mask_secret *v = reallocarray(mask->v, mask->n + 1, sizeof *v);

	if (!v)
		return -ENOMEM;
	mask->v = v;
	v[mask->n].text = strndup(text, len);
	if (!v[mask->n].text)
		return -ENOMEM;
	v[mask->n++].len = len;
	mask->begins[(unsigned char)*text] = true;
	return 0;
}

static int
add_lines(struct mask *mask, const char *text)
{
	int r = 0;

	while (r == 0 && *text) {
		size_t len = strcspn(text, "\r\n");

		if (len >= LINE_MIN)
			r = add(mask, text, len);
		text += len;
		text += strspn(text, "\r\n");
	}
	return r;
}

static int
longer_first(const void *a, const void *b)
{
	const struct mask_secret *left = a, *right = b;

	return (left->len < right->len) - (left->len > right->len);
}

int
mask_add(struct mask *mask, const char *value)
{
	int r;

	if (*value == '\0')
		return 0;
	r = add(mask, value, strlen(value));
	if (r == 0 && strpbrk(value, "\r\n"))
		r = add_lines(mask, value);
	if (mask->n > 0)
		qsort(mask->v, mask->n, sizeof *mask->v, longer_first);
	return r;
}

int
mask_init(struct mask *mask, const struct pairs *secrets)
{
	int r = 0;

	*mask = (struct mask){ .n = 0 };
	for (size_t i = 0; r == 0 && i < secrets->n; i++)
		r = mask_add(mask, secrets->v[i].value);
	return r;
}

void
mask_fini(struct mask *mask)
{
	for (size_t i = 0; i < mask->n; i++) {
		explicit_bzero(mask->v[i].text, mask->v[i].len);
		free(mask->v[i].text);
	}
	free(mask->v);
	*mask = (struct mask){ .n = 0 };
}

/* ---- where it stands -------------------------------------------------------------------- */

enum hit {
	HIT_NONE,
	HIT_WHOLE,
	HIT_BEGUN /* all that there is of it, and more of it may come */
};

/* At the beginning of DATA. The longest one decides, or nobody would know where it ends. */
static enum hit
look(const struct mask *mask, const uint8_t *data, size_t len, bool may_grow, size_t *ret_len)
{
	if (!mask->begins[*data])
		return HIT_NONE;
	for (size_t i = 0; i < mask->n; i++) {
		const struct mask_secret *secret = &mask->v[i];
		bool fits = secret->len <= len;

		if ((!fits && !may_grow) ||
		    memcmp(data, secret->text, fits ? secret->len : len) != 0)
			continue;
		*ret_len = secret->len;
		return fits ? HIT_WHOLE : HIT_BEGUN;
	}
	return HIT_NONE;
}

bool
mask_finds(const struct mask *mask, const void *data, size_t len)
{
	const uint8_t *bytes = data;
	size_t hit_len;

	for (size_t i = 0; mask->n > 0 && i < len; i++)
		if (look(mask, bytes + i, len - i, false, &hit_len) == HIT_WHOLE)
			return true;
	return false;
}

/* Emits what is decided of LEN bytes, and returns how many that are. */
static size_t
sift(const struct mask *mask, const uint8_t *data, size_t len, bool may_grow, mask_fn emit,
    void *arg)
{
	size_t plain = 0, at = 0, hit_len = 0;

	while (at < len) {
		enum hit hit = look(mask, data + at, len - at, may_grow, &hit_len);

		if (hit == HIT_BEGUN)
			break;
		if (hit == HIT_NONE) {
			at++;
			continue;
		}
		if (at > plain)
			emit(data + plain, at - plain, arg);
		emit(stars, hit_len < strlen(stars) ? hit_len : strlen(stars), arg);
		at += hit_len;
		plain = at;
	}
	if (at > plain)
		emit(data + plain, at - plain, arg);
	return at;
}

static void
append(const void *data, size_t len, void *arg)
{
	buf_add(arg, data, len);
}

char *
mask_text(const struct mask *mask, const char *text, int *ret_error)
{
	size_t len = strlen(text);
	uint8_t *bytes = NULL;
	struct buf out;

	*ret_error = 0;
	if (!mask_finds(mask, text, len))
		return NULL;
	buf_init(&out, len + 1);
	sift(mask, (const uint8_t *)text, len, false, append, &out);
	if (buf_add(&out, "", 1) == 0)
		buf_take(&out, &bytes, &len);
	else
		*ret_error = -ENOMEM;
	buf_fini(&out);
	return (char *)bytes;
}

/* ---- in pieces ---------------------------------------------------------------------------- */

void
mask_stream_init(struct mask_stream *stream)
{
	buf_init(&stream->held, HELD_MAX);
}

void
mask_stream_fini(struct mask_stream *stream)
{
	if (stream->held.data)
		explicit_bzero(stream->held.data, stream->held.len);
	buf_fini(&stream->held);
}

static void
release(const struct mask *mask, struct mask_stream *stream, bool may_grow, mask_fn emit, void *arg)
{
	struct buf *held = &stream->held;

	buf_consume(held, sift(mask, held->data, held->len, may_grow, emit, arg));
	if (held->len == 0 && held->room > KEPT_ROOM)
		mask_stream_fini(stream);
}

void
mask_stream_feed(const struct mask *mask, struct mask_stream *stream, const void *data, size_t len,
    mask_fn emit, void *arg)
{
	if (mask->n == 0) {
		emit(data, len, arg);
		return;
	}
	if (buf_add(&stream->held, data, len) < 0) {
		mask_stream_fini(stream);
		return;
	}
	release(mask, stream, true, emit, arg);
}

void
mask_stream_end(const struct mask *mask, struct mask_stream *stream, mask_fn emit, void *arg)
{
	if (stream->held.len > 0)
		release(mask, stream, false, emit, arg);
}
