/*
 * What a command line may go on with, told from the tables that --help is made from: the verbs,
 * their options, and the words of their synopsis.
 */
#include "supervisor/cli/candidates.h"

#include "ipc/codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	OUT_MAX = 1024 * 1024,
	WORD_MAX = 64,
	PATIENCE_S = 3 /* a shell waits: better nothing than late */
};

/* A verb's line so far, without the word being typed. */
struct typed {
	const struct verb *verb;
	char **words; /* that are no options and stand before `--`: a subset of what was given */
	size_t n;
	const struct option_def *open; /* the option whose value is being typed; NULL */
	bool is_behind;                /* `--` was given */
	size_t nbehind;                /* words behind it */
};

static const struct option_def *
find_option(const struct verb *verb, const char *name, size_t len)
{
	for (const struct option_def *def = verb->options; def && def->key; def++)
		if (strlen(def->name) == len && strncmp(def->name, name, len) == 0)
			return def;
	return NULL;
}

/* The option that WORD leaves open, so that the next word is its value: --name or the last of -xyz.
 */
static const struct option_def *
opened_by(const struct verb *verb, const char *word)
{
	const struct option_def *found = NULL;
	size_t len = strlen(word);

	if (strncmp(word, "--", 2) == 0)
		found = strchr(word, '=') ? NULL : find_option(verb, word + 2, len - 2);
	for (const struct option_def *def = verb->options; !found && def && def->key; def++)
		if (word[0] == '-' && word[1] != '-' && word[len - 1] == def->key)
			found = def;
	return found && found->arg ? found : NULL;
}

static void
read_words(struct typed *typed, char **words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (typed->is_behind)
			typed->nbehind++;
		else if (typed->open)
			typed->open = NULL;
		else if (strcmp(words[i], "--") == 0)
			typed->is_behind = true;
		else if (words[i][0] == '-' && words[i][1] != '\0')
			typed->open = opened_by(typed->verb, words[i]);
		else
			typed->words[typed->n++] = words[i];
	}
}

/* ---- options ---------------------------------------------------------------------- */

/* What options take that can be told; by the option's name. */
static void
add_value(const struct candidates *candidates, const struct option_def *option)
{
	static const char *const of_tasks[] = { "type", "scope", "owner" };
	struct candidates last = *candidates;
	char prefix[1024];
	const char *comma;

	if (strcmp(option->arg, "FILE") == 0 || strcmp(option->arg, "DIR") == 0)
		candidates_ask(candidates, option->arg[0] == 'D' ? "dirs" : "files");
	for (size_t i = 0; i < sizeof of_tasks / sizeof of_tasks[0]; i++)
		if (strcmp(option->name, of_tasks[i]) == 0)
			candidates_values(candidates, option->name);
	if (strcmp(option->name, "status") != 0)
		return;
	comma = strrchr(candidates->word, ','); /* a list: the last one is being typed */
	if (comma) {
		snprintf(prefix, sizeof prefix, "%.*s", (int)(comma + 1 - candidates->word),
		    candidates->word);
		last.prefix = prefix;
	}
	candidates_states(&last);
}

static void
add_options(const struct candidates *candidates, const struct verb *verb)
{
	struct candidates words = *candidates;

	words.prefix = "--";
	for (const struct option_def *def = verb->options; def && def->key; def++)
		candidates_add(&words, span_of(def->name), span_of(def->help));
	candidates_add(&words, span_of("help"), span_of("show this verb's help"));
}

static void
add_option_or_value(const struct candidates *candidates, const struct verb *verb)
{
	const char *word = candidates->word, *equals = strchr(word, '=');
	const struct option_def *option;
	struct candidates value = *candidates;
	char prefix[WORD_MAX];

	if (!equals || strncmp(word, "--", 2) != 0) {
		add_options(candidates, verb);
		return;
	}
	option = find_option(verb, word + 2, (size_t)(equals - word) - 2);
	if (!option || !option->arg)
		return;
	snprintf(prefix, sizeof prefix, "--%s=", option->name);
	value.prefix = prefix;
	add_value(&value, option);
}

/* ---- words, by the verb's synopsis ------------------------------------------------- */

static void
add_placeholder(
    const struct candidates *candidates, const struct typed *typed, const char *placeholder)
{
	const char *word = candidates->word;

	if (strcmp(placeholder, "ID") == 0) {
		candidates_ids(candidates, typed->verb->name, typed->words, typed->n);
	} else if (strcmp(placeholder, "FILE") == 0 || strcmp(placeholder, "DIR") == 0) {
		candidates_ask(candidates, placeholder[0] == 'D' ? "dirs" : "files");
	} else if (strcmp(placeholder, "RECIPE") == 0) {
		if (strchr(word, '/') || word[0] == '.' || word[0] == '~')
			candidates_ask(candidates, "files");
		else
			candidates_recipes(candidates);
	} else if (strcmp(placeholder, "name=value") == 0 && typed->n > 0) {
		candidates_params(candidates, typed->words[0], typed->words, typed->n);
	}
}

/* One of "yes|no", or a subcommand such as "check", as it stands in the synopsis. */
static void
add_literals(const struct candidates *candidates, const char *token)
{
	while (*token) {
		size_t len = strcspn(token, "|");

		candidates_add(
		    candidates, (struct span){ .text = token, .len = len }, span_of(NULL));
		token += len + (token[len] == '|');
	}
}

static bool
is_literal(const char *token)
{
	return !strchr(token, '=') && token[strspn(token, "abcdefghijklmnopqrstuvwxyz-|")] == '\0';
}

static bool
is_among(const char *token, const char *word)
{
	size_t n = strlen(word);

	for (; token; token = strchr(token, '|') ? strchr(token, '|') + 1 : NULL)
		if (strncmp(token, word, n) == 0 && (token[n] == '\0' || token[n] == '|'))
			return true;
	return false;
}

/* The next word of a synopsis without brackets; false at the line's end. */
static bool
next_token(const char **at, char token[static WORD_MAX])
{
	size_t len;

	*at += strspn(*at, " []");
	len = strcspn(*at, " []\n");
	if (len == 0)
		return false;
	snprintf(token, WORD_MAX, "%.*s", (int)len, *at);
	*at += len;
	return true;
}

/* What stands at the place of the next word in one LINE of the synopsis; false: nothing does. A
 * literal that was typed otherwise makes it another line. */
static bool
find_place(const char *line, const struct typed *typed, char token[static WORD_MAX])
{
	char next[WORD_MAX], last[WORD_MAX] = "";
	size_t i = 0;

	while (next_token(&line, next)) {
		if (strcmp(next, "--") == 0)
			break;
		if (strncmp(next, "--", 2) == 0) {
			if (*line == ' ') /* not in brackets of its own: its value follows */
				next_token(&line, next);
			continue;
		}
		if (strcmp(next, "options") == 0 || strcmp(next, "|") == 0)
			continue;
		if (strcmp(next, "...") == 0) {
			memcpy(token, last, WORD_MAX);
			return true;
		}
		if (i == typed->n) {
			memcpy(token, next, WORD_MAX);
			return true;
		}
		if (is_literal(next) && !is_among(next, typed->words[i]))
			return false;
		memcpy(last, next, WORD_MAX);
		i++;
	}
	return false;
}

static void
add_words(const struct candidates *candidates, const struct typed *typed)
{
	const char *line = typed->verb->synopsis;
	struct strs told = { .n = 0 };

	while (*line) {
		char token[WORD_MAX];
		bool is_new = find_place(line, typed, token);

		for (size_t i = 0; is_new && i < told.n; i++)
			is_new = strcmp(told.v[i], token) != 0;
		if (is_new && strs_add(&told, token) == 0) {
			if (is_literal(token))
				add_literals(candidates, token);
			else
				add_placeholder(candidates, typed, token);
		}
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	strs_free(&told);
}

/* ---- the whole line ---------------------------------------------------------------- */

static void
add_verbs(const struct candidates *candidates)
{
	for (const struct verb *const *verb = verbs; *verb; verb++)
		candidates_add(candidates, span_of((*verb)->name), span_of((*verb)->summary));
	candidates_add(candidates, span_of("help"), span_of("the help of one verb"));
}

/* Only `run` takes a command; behind `--` other verbs take what they take before it. */
static void
add_behind(const struct candidates *candidates, const struct typed *typed)
{
	if (!strstr(typed->verb->synopsis, "-- COMMAND"))
		add_words(candidates, typed);
	else
		candidates_ask(candidates, typed->nbehind == 0 ? "commands" : "files");
}

static void
add_all(const struct candidates *candidates, char **words, size_t n)
{
	struct typed typed = { .verb = n > 0 ? verb_find(words[0]) : NULL };

	if (n == 0 || (n == 1 && strcmp(words[0], "help") == 0)) {
		add_verbs(candidates);
		return;
	}
	typed.words = calloc(n, sizeof *typed.words);
	if (!typed.verb || !typed.words) {
		free(typed.words);
		return;
	}
	read_words(&typed, words + 1, n - 1);
	if (typed.is_behind)
		add_behind(candidates, &typed);
	else if (typed.open)
		add_value(candidates, typed.open);
	else if (candidates->word[0] == '-')
		add_option_or_value(candidates, typed.verb);
	else
		add_words(candidates, &typed);
	free(typed.words);
}

int
complete(const struct cli *cli, int nwords, char **words)
{
	struct candidates candidates = { .prefix = "" };
	struct buf out;
	int status;

	if (nwords == 0)
		return EXIT_USAGE;
	alarm(PATIENCE_S);
	buf_init(&out, OUT_MAX);
	candidates.out = &out;
	candidates.word = words[nwords - 1];
	add_all(&candidates, words, (size_t)nwords - 1);
	status = emit(&cli->out, &out, EXIT_OK);
	buf_fini(&out);
	return status;
}
