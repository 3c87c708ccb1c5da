#include "supervisor/cli/candidates.h"

#include "supervisor/cli/doc.h"
#include "supervisor/cli/query.h"
#include "supervisor/cli/recipes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	LIST_MAX = 4 * 1024 * 1024,
	TASKS_MAX = 200 /* more than a person picks from */
};

/* ---- lines ------------------------------------------------------------------------ */

void
candidates_add(const struct candidates *candidates, struct span text, struct span help)
{
	const char *word = candidates->word, *prefix = candidates->prefix;
	size_t typed = strlen(word), kept = strlen(prefix);

	if (text.len == 0 || strncmp(word, prefix, typed < kept ? typed : kept) != 0)
		return;
	typed = typed > kept ? typed - kept : 0; /* of TEXT */
	if (text.len < typed || (typed > 0 && strncmp(text.text, word + kept, typed) != 0))
		return;
	text_add(candidates->out, "%s", prefix);
	text_clean(candidates->out, text, TEXT_FIELD);
	text_add(candidates->out, "\t");
	text_clean(candidates->out, help, TEXT_FIELD);
	text_add(candidates->out, "\n");
}

void
candidates_ask(const struct candidates *candidates, const char *directive)
{
	text_add(candidates->out, ":%s\n", directive);
}

/* ---- tasks ------------------------------------------------------------------------ */

/* Which tasks a verb that is not listed takes: all. */
enum choice {
	CHOICE_ALL,
	CHOICE_ACTIVE,
	CHOICE_ENDED,
	CHOICE_CAN /* can[VERB] says so */
};
static const struct {
	const char *verb;
	enum choice choice;
} choices[] = { { "cancel", CHOICE_ACTIVE }, { "wait", CHOICE_ACTIVE }, { "watch", CHOICE_ACTIVE },
	{ "keep", CHOICE_ENDED }, { "retry", CHOICE_CAN }, { "answer", CHOICE_CAN } };

static enum choice
choice_of(const char *verb)
{
	for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++)
		if (strcmp(choices[i].verb, verb) == 0)
			return choices[i].choice;
	return CHOICE_ALL;
}

struct picking {
	const struct candidates *candidates;
	const char *verb;
	enum choice choice;
	char *const *words;
	size_t n;
};

static bool
is_given(const struct picking *picking, const char *text)
{
	for (size_t i = 0; i < picking->n; i++)
		if (strcmp(picking->words[i], text) == 0)
			return true;
	return false;
}

static int
pick_id(const msgpack_object *task, void *arg)
{
	const struct picking *picking = arg;
	struct span state = doc_span(task, "status"), title = doc_span(task, "title");
	char id[24];
	struct buf help;

	if (picking->choice == CHOICE_ENDED && !doc_is_ended(task))
		return 0;
	if (picking->choice == CHOICE_CAN &&
	    !mp_bool(mp_get(mp_get(task, "can"), picking->verb), false))
		return 0;
	snprintf(id, sizeof id, "%llu", (unsigned long long)doc_uint(task, "id"));
	if (is_given(picking, id))
		return 0;
	buf_init(&help, LIST_MAX);
	buf_add(&help, state.text, state.len);
	text_add(&help, ": ");
	buf_add(&help, title.text, title.len);
	if (!buf_error(&help))
		candidates_add(picking->candidates, span_of(id),
		    (struct span){ .text = (const char *)help.data, .len = help.len });
	buf_fini(&help);
	return 0;
}

/* Whoever presses a key does not want to wait for a service that is being restarted. */
static int
open_session(struct session *session)
{
	int status = session_open(session, false);

	session->patience_ms = 0;
	return status;
}

void
candidates_ids(const struct candidates *candidates, const char *verb, char *const *words, size_t n)
{
	struct picking picking = { .candidates = candidates,
		.verb = verb,
		.choice = choice_of(verb),
		.words = words,
		.n = n };
	struct query query = { .active = picking.choice == CHOICE_ACTIVE, .limit = TASKS_MAX };
	struct session session;

	if (open_session(&session) != 0)
		return;
	query_run(&query, &session, pick_id, &picking);
	session_close(&session);
}

struct values {
	const struct candidates *candidates;
	const char *key;
	struct strs seen;
};

static int
pick_value(const msgpack_object *task, void *arg)
{
	struct values *values = arg;
	char *text = mp_str_dup(mp_get(task, values->key));
	bool is_new = text != NULL;

	for (size_t i = 0; is_new && i < values->seen.n; i++)
		is_new = strcmp(values->seen.v[i], text) != 0;
	if (is_new && strs_add(&values->seen, text) == 0)
		candidates_add(values->candidates, span_of(text), span_of(NULL));
	free(text);
	return 0;
}

void
candidates_values(const struct candidates *candidates, const char *key)
{
	struct values values = { .candidates = candidates, .key = key };
	struct query query = { .limit = TASKS_MAX };
	struct session session;

	if (open_session(&session) != 0)
		return;
	query_run(&query, &session, pick_value, &values);
	session_close(&session);
	strs_free(&values.seen);
}

void
candidates_states(const struct candidates *candidates)
{
	static const char *const names[] = {
#define X(sym, num, name, end, worker, slot) name,
		TASK_STATES(X)
#undef X
	};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		candidates_add(candidates, span_of(names[i]), span_of(NULL));
}

/* ---- recipes ---------------------------------------------------------------------- */

/* The list as msgpack in LIST, which DOC points into. False: there is none. */
static bool
read_recipes(struct buf *list, struct mp_doc *doc)
{
	struct session session;
	bool is_read;

	if (open_session(&session) != 0)
		return false;
	is_read = recipes_collect(&session, list) == 0 && !buf_error(list) &&
		  mp_parse(doc, list->data, list->len, &client_limits) == 0;
	session_close(&session);
	return is_read;
}

void
candidates_recipes(const struct candidates *candidates)
{
	struct mp_doc doc;
	struct buf list;

	buf_init(&list, LIST_MAX);
	if (read_recipes(&list, &doc)) {
		for (size_t i = 0; i < doc_count(&doc.root); i++) {
			const msgpack_object *recipe = doc_at(&doc.root, i);
			struct span title = doc_span(recipe, "title");

			candidates_add(candidates, doc_span(recipe, "name"),
			    title.len ? title : doc_span(recipe, "description"));
		}
		mp_free(&doc);
	}
	buf_fini(&list);
}

static void
add_values(const struct candidates *candidates, const msgpack_object *param)
{
	const msgpack_object *values = mp_get(param, "choices"), *type = mp_get(param, "type");

	for (size_t i = 0; i < doc_count(values); i++) {
		const msgpack_object *value = doc_at(values, i);

		if (value->type == MSGPACK_OBJECT_STR)
			candidates_add(candidates,
			    (struct span){ value->via.str.ptr, value->via.str.size },
			    span_of(NULL));
	}
	if (mp_str_is(type, "bool")) {
		candidates_add(candidates, span_of("true"), span_of(NULL));
		candidates_add(candidates, span_of("false"), span_of(NULL));
	} else if (mp_str_is(type, "path")) {
		candidates_ask(candidates, "files");
	} else if (doc_count(values) == 0) {
		candidates_add(
		    candidates, doc_span(param, "default"), span_of("as it is left out"));
	}
}

static bool
begins_with(const char *word, const char *start, size_t len)
{
	return strncmp(word, start, len) == 0;
}

/* NAME is "name=". */
static bool
is_param_given(const char *name, char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (begins_with(words[i], name, strlen(name)))
			return true;
	return false;
}

static void
add_param(
    const struct candidates *candidates, const msgpack_object *param, char *const *words, size_t n)
{
	struct span name = doc_span(param, "name");
	struct candidates behind = *candidates;
	char prefix[LIMIT_NAME + 2];

	snprintf(prefix, sizeof prefix, "%.*s=", (int)name.len, name.text ? name.text : "");
	if (is_param_given(prefix, words, n))
		return;
	if (begins_with(candidates->word, prefix, strlen(prefix))) {
		behind.prefix = prefix;
		add_values(&behind, param);
	} else {
		candidates_add(candidates, span_of(prefix), doc_span(param, "description"));
	}
}

static const msgpack_object *
find(const msgpack_object *recipes, const char *name)
{
	for (size_t i = 0; i < doc_count(recipes); i++)
		if (mp_str_is(mp_get(doc_at(recipes, i), "name"), name))
			return mp_get(doc_at(recipes, i), "params");
	return NULL;
}

void
candidates_params(
    const struct candidates *candidates, const char *recipe, char *const *words, size_t n)
{
	const msgpack_object *params;
	struct mp_doc doc;
	struct buf list;
	bool is_file = strchr(recipe, '/') != NULL, is_read;

	buf_init(&list, LIST_MAX);
	is_read = is_file ? recipes_read_file(recipe, &list) == 0 && !buf_error(&list) &&
				mp_parse(&doc, list.data, list.len, &client_limits) == 0
			  : read_recipes(&list, &doc);
	if (is_read) {
		params = is_file ? mp_get(&doc.root, "params") : find(&doc.root, recipe);
		for (size_t i = 0; i < doc_count(params); i++)
			add_param(candidates, doc_at(params, i), words, n);
		mp_free(&doc);
	}
	buf_fini(&list);
}
