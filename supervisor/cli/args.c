#include "supervisor/cli/args.h"

#include "ipc/clock.h"
#include "supervisor/recipe/suggest.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MESSAGE_MAX = 512,
	WORD_KEY = 1,
	HELP_KEY = 'h'
};

int
args_wrong(const struct args *args, const char *format, ...)
{
	char message[MESSAGE_MAX], hint[MESSAGE_MAX];
	va_list list;

	va_start(list, format);
	vsnprintf(message, sizeof message, format, list);
	va_end(list);
	snprintf(hint, sizeof hint, "See `reeve %s --help`.", args->cli->verb->name);
	complain(hint, "%s", message);
	return EXIT_USAGE;
}

static void
add_option(struct args *args, size_t i, const struct option_def *def)
{
	char *end = args->shorts + strlen(args->shorts);

	args->longs[i] = (struct option){ .name = def->name,
		.has_arg = def->arg ? required_argument : no_argument,
		.val = def->key };
	if (def->key > WORD_KEY && def->key < 256) {
		*end++ = (char)def->key;
		if (def->arg)
			*end++ = ':';
		*end = '\0';
	}
}

int
args_init(struct args *args, const struct cli *cli, int argc, char **argv)
{
	static const struct option_def help = { .key = HELP_KEY, .name = "help" };
	size_t n = 0;

	*args = (struct args){ .cli = cli, .argc = argc, .argv = argv };
	args->words = calloc((size_t)argc + 1, sizeof *args->words);
	if (!args->words) {
		complain(NULL, "out of memory");
		return EXIT_FAILED;
	}
	/* '-': words come in order, as option 1, so that `--` is seen; ':': we say what is wrong.
	 */
	strcpy(args->shorts, "-:");
	for (const struct option_def *def = cli->verb->options;
	     def && def->key && n < ARGS_MAX_OPTIONS - 1; def++)
		add_option(args, n++, def);
	add_option(args, n, &help);
	optind = 0;
	opterr = 0;
	return 0;
}

void
args_fini(struct args *args)
{
	free(args->words);
	args->words = NULL;
}

static int
unknown_option(const struct args *args)
{
	const char *word = args->argv[optind - 1];
	char near[SUGGEST_TEXT];
	struct suggest suggest;

	if (optopt > 0 && optopt < 256 && word[0] == '-' && word[1] != '-')
		return args_wrong(args, "unknown option -%c", optopt);
	suggest_init(&suggest, word + 2);
	for (const struct option *option = args->longs; option->name; option++)
		suggest_offer(&suggest, option->name);
	return args_wrong(args, "unknown option %s%s", word, suggest_text(&suggest, near));
}

static int
refuse(struct args *args, int key)
{
	const char *word = args->argv[optind - 1];

	if (key == ':')
		args->status = args_wrong(args, "%s needs a value", word);
	else if (optopt != 0 && strncmp(word, "--", 2) == 0 && strchr(word, '='))
		args->status =
		    args_wrong(args, "%.*s takes no value", (int)strcspn(word, "="), word);
	else
		args->status = unknown_option(args);
	return ARGS_STOP;
}

int
args_next(struct args *args)
{
	int key;

	while ((key = getopt_long(args->argc, args->argv, args->shorts, args->longs, NULL)) ==
	       WORD_KEY)
		args->words[args->nwords++] = optarg;
	if (key == -1) {
		args->has_rest =
		    optind > 1 && optind <= args->argc && strcmp(args->argv[optind - 1], "--") == 0;
		args->rest = args->argv + optind;
		args->nrest = (size_t)(args->argc - optind);
		return 0;
	}
	args->is_stopped = key == HELP_KEY || key == '?' || key == ':';
	if (key == HELP_KEY) {
		args->status = verb_help(args->cli, args->cli->verb);
		return ARGS_STOP;
	}
	if (args->is_stopped)
		return refuse(args, key);
	args->value = optarg;
	return key;
}

/* Words behind `--` are words too, where a verb does not tell them apart. */
static size_t
word_count(const struct args *args)
{
	return args->nwords + args->nrest;
}

static const char *
word_at(const struct args *args, size_t i)
{
	return i < args->nwords ? args->words[i] : args->rest[i - args->nwords];
}

int
args_no_words(const struct args *args)
{
	if (word_count(args) == 0)
		return 0;
	return args_wrong(args, "unexpected \"%s\"", word_at(args, 0));
}

static int
parse_number(const char *text, uint64_t *ret_number)
{
	char *end;
	unsigned long long number;

	if (text[0] < '0' || text[0] > '9')
		return -EINVAL;
	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno != 0 || *end != '\0')
		return -EINVAL;
	*ret_number = number;
	return 0;
}

int
args_id(const struct args *args, const char *word, uint64_t *ret_id)
{
	if (parse_number(word, ret_id) == 0 && *ret_id > 0)
		return 0;
	return args_wrong(
	    args, "\"%s\" is no task's id: ids are numbers, `reeve ls` shows them", word);
}

int
args_ids(const struct args *args, uint64_t **ret_ids, size_t *ret_n)
{
	size_t n = word_count(args);
	uint64_t *ids;

	if (n == 0)
		return args_wrong(args, "which task? Name its id");
	ids = calloc(n, sizeof *ids);
	if (!ids) {
		complain(NULL, "out of memory");
		return EXIT_FAILED;
	}
	for (size_t i = 0; i < n; i++) {
		int status = args_id(args, word_at(args, i), &ids[i]);

		if (status != 0) {
			free(ids);
			return status;
		}
	}
	*ret_ids = ids;
	*ret_n = n;
	return 0;
}

int
args_one_id(const struct args *args, uint64_t *ret_id)
{
	if (word_count(args) == 0)
		return args_wrong(args, "which task? Name its id");
	if (word_count(args) > 1)
		return args_wrong(args, "one task at a time: unexpected \"%s\"", word_at(args, 1));
	return args_id(args, word_at(args, 0), ret_id);
}

int
args_seconds(const struct args *args, const char *name, uint64_t *ret_ms)
{
	char *end;
	double seconds = strtod(args->value, &end);

	if (end != args->value && *end == '\0' && seconds >= 0 && seconds < 1e9) {
		*ret_ms = (uint64_t)(seconds * 1000);
		return 0;
	}
	if (clock_parse_duration(args->value, ret_ms) == 0)
		return 0;
	return args_wrong(
	    args, "--%s \"%s\": expected seconds, or a duration such as 10m", name, args->value);
}

int
args_count(const struct args *args, const char *name, uint64_t max, uint64_t *ret_count)
{
	if (parse_number(args->value, ret_count) == 0 && *ret_count > 0 && *ret_count <= max)
		return 0;
	return args_wrong(args, "--%s \"%s\": expected a number from 1 to %llu", name, args->value,
	    (unsigned long long)max);
}
