#include "worker/pull/source.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
translate(CURLUcode code)
{
	switch ((int)code) {
	case CURLUE_OK:
		return 0;
	case CURLUE_OUT_OF_MEMORY:
		return -ENOMEM;
	case CURLUE_UNSUPPORTED_SCHEME:
		return -EPROTONOSUPPORT;
	default:
		return -EINVAL;
	}
}

/* An owned copy in our own heap, or NULL where the URL has no such part. */
static int
get_part(CURLU *parsed, CURLUPart what, unsigned flags, char **ret_text)
{
	char *text = NULL;
	CURLUcode code = curl_url_get(parsed, what, &text, flags);

	if (code == CURLUE_NO_USER || code == CURLUE_NO_PASSWORD)
		return 0;
	if (code != CURLUE_OK)
		return translate(code);
	*ret_text = strdup(text);
	curl_free(text);
	return *ret_text ? 0 : -ENOMEM;
}

static int
get_origin(CURLU *parsed, struct source *source)
{
	char *scheme = NULL, *host = NULL, *port = NULL;
	int r;

	r = get_part(parsed, CURLUPART_SCHEME, 0, &scheme);
	if (r == 0 && scheme) {
		source->is_secure = strcmp(scheme, "https") == 0;
		if (!source->is_secure && strcmp(scheme, "http") != 0)
			r = -EPROTONOSUPPORT;
	}
	if (r == 0)
		r = get_part(parsed, CURLUPART_HOST, 0, &host);
	if (r == 0)
		r = get_part(parsed, CURLUPART_PORT, CURLU_DEFAULT_PORT, &port);
	if (r == 0 && (!scheme || !host || !port))
		r = -EINVAL;
	if (r == 0 && asprintf(&source->origin, "%s://%s:%s", scheme, host, port) < 0) {
		source->origin = NULL;
		r = -ENOMEM;
	}
	free(scheme);
	free(host);
	free(port);
	return r;
}

static int
read_parts(CURLU *parsed, struct source *source)
{
	int r;

	r = get_origin(parsed, source);
	if (r == 0)
		r = get_part(parsed, CURLUPART_USER, CURLU_URLDECODE, &source->user);
	if (r == 0)
		r = get_part(parsed, CURLUPART_PASSWORD, CURLU_URLDECODE, &source->password);
	if (r != 0)
		return r;
	curl_url_set(parsed, CURLUPART_USER, NULL, 0);
	curl_url_set(parsed, CURLUPART_PASSWORD, NULL, 0);
	curl_url_set(parsed, CURLUPART_FRAGMENT, NULL, 0);
	return get_part(parsed, CURLUPART_URL, 0, &source->url);
}

/* TEXT, absolute or relative to BASE (NULL: none), taken apart. */
static int
parse(const char *base, const char *text, struct source *ret_source)
{
	struct source source = { 0 };
	CURLU *parsed = curl_url();
	int r;

	if (!parsed)
		return -ENOMEM;
	r = base ? translate(curl_url_set(parsed, CURLUPART_URL, base, 0)) : 0;
	if (r == 0)
		r = translate(curl_url_set(parsed, CURLUPART_URL, text, 0));
	if (r == 0)
		r = read_parts(parsed, &source);
	curl_url_cleanup(parsed);
	if (r == 0)
		*ret_source = source;
	else
		source_free(&source);
	return r;
}

int
source_parse(const char *url, struct source *ret_source)
{
	return parse(NULL, url, ret_source);
}

void
source_free(struct source *source)
{
	free(source->url);
	free(source->origin);
	free(source->user);
	free(source->password);
	*source = (struct source){ 0 };
}

static int
copy_text(const char *text, char **ret_text)
{
	if (!text)
		return 0;
	*ret_text = strdup(text);
	return *ret_text ? 0 : -ENOMEM;
}

int
source_follow(const struct source *from, const char *location, struct source *ret_source)
{
	struct source source = { 0 };
	int r;

	r = parse(from->url, location, &source);
	if (r != 0)
		return r;
	free(source.user);
	free(source.password);
	source.user = source.password = NULL;
	if (from->is_secure && !source.is_secure)
		r = -EPERM;
	if (r == 0 && strcmp(from->origin, source.origin) == 0) {
		r = copy_text(from->user, &source.user);
		if (r == 0)
			r = copy_text(from->password, &source.password);
	}
	if (r == 0)
		*ret_source = source;
	else
		source_free(&source);
	return r;
}
