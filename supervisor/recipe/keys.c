#include "supervisor/recipe/keys.h"

#include <string.h>

#include "supervisor/recipe/model.h"

/* What the kernel takes as one argument (MAX_ARG_STRLEN), without its NUL. */
#define MAX_SH (128 * 1024 - 1)

#define MINUTES(n) ((uint64_t)(n)*60 * 1000)
#define HOURS(n)   (MINUTES(n) * 60)
#define DAYS(n)    (HOURS(n) * 24)

/* The n-th word is the enum's number n. */
static const char *const interrupt_words[] = { "stop", "resume", NULL };
static const char *const cancel_words[] = { "now", "after", "never", NULL };
static const char *const param_words[] = { "string", "int", "bool", "path", "url", NULL };

#define X(sym, num, word) word,
static const char *const progress_words[] = { PROGRESS_KINDS(X) NULL };
#undef X

static const char *const answer_words[] = { "yes", "no", NULL };
static const char *const on_no_words[] = { "stop", "go_on", NULL };
#define X(sym, num, word, help) word,
static const char *const field_words[] = { FIELD_TYPES(X) NULL };
#undef X

#define WORDS(words) (int)(sizeof(words) / sizeof(words)[0] - 1)
_Static_assert(PROGRESS_AUTO == 1 && PROGRESS_FILE == WORDS(progress_words) + 1, "progress_words");
_Static_assert(INTERRUPT_STOP == 1 && INTERRUPT_RESUME == 2, "interrupt_words");
_Static_assert(ON_NO_STOP == 1 && ON_NO_GO_ON == 2, "on_no_words");
_Static_assert(CANCEL_NOW == 1 && CANCEL_AFTER == 2 && CANCEL_NEVER == 3, "cancel_words");
_Static_assert(PARAM_STRING == 1 && PARAM_URL == PARAM_TYPE_MAX, "param_words");

/* clang-format off */
#define KEY(where, kind, word, type_, member) \
	.place = PLACE_##where, .type = KEY_##kind, .name = word, .offset = offsetof(type_, member)

static const struct recipe_key keys[] = {
	/* ---- a recipe ---- */
	{ KEY(TOP, NAME, "name", struct recipe, name), .max = LIMIT_NAME,
	  .fallback = "the file's name without .yaml",
	  .help = "What people call the recipe: `reeve run NAME`.",
	  .good = "pull-model", .bad = "Pull Model" },
	{ KEY(TOP, LINE, "title", struct recipe, spec.title), .min = 1, .max = LIMIT_TITLE,
	  .refs = REFS_PARAMS, .fallback = "the recipe's name",
	  .help = "One line that says what the task does, shown wherever the task is.",
	  .good = "'Pull the model ${model}'", .bad = "'Pull ${modle}'" },
	{ KEY(TOP, TEXT, "description", struct recipe, spec.description), .max = LIMIT_TEXT,
	  .help = "What the recipe is for, for whoever chooses one.",
	  .good = "'Downloads a model and checks it.'", .bad = "[Downloads, checks]" },
	{ KEY(TOP, LINE, "type", struct recipe, spec.type), .min = 1, .max = LIMIT_TITLE,
	  .refs = REFS_PARAMS, .fallback = "the recipe's name",
	  .help = "The kind of work, by which tasks are found and joined.",
	  .good = "'ollama-pull:${model}'", .bad = "'ollama-pull:${steps.find.url}'" },
	{ KEY(TOP, PARAMS, "params", struct recipe, params), .max = LIMIT_PAIRS,
	  .help = "What may be given with `name=value`: a map by name.",
	  .good = "{model: {type: string, required: true}}", .bad = "[model]" },
	{ KEY(TOP, LINE, "scope", struct recipe, spec.scope), .min = 1, .max = LIMIT_TITLE,
	  .refs = REFS_PARAMS,
	  .help = "What the task works on: a server, a project. Work of the same type, scope and "
	          "owner is joined, not started twice.",
	  .good = "'server-${model}'", .bad = "''" },
	{ .place = PLACE_TOP, .type = KEY_DEDUPE, .name = "dedupe", .offset = 0, .max = LIMIT_PAIRS,
	  .fallback = "the scope; without one, all parameters",
	  .help = "Names of the parameters (or the word scope) that must be equal for work to be "
	          "joined. []: the same type and owner suffice. none: never joined.",
	  .good = "[scope, model]", .bad = "[modle]" },
	{ KEY(TOP, CHOICE, "on_interrupt", struct recipe, spec.on_interrupt),
	  .choices = interrupt_words, .fallback = "stop",
	  .help = "When the machine or the worker went down: resume at the first unfinished step, or "
	          "stop (undo, and end as interrupted).",
	  .good = "resume", .bad = "restart" },
	{ KEY(TOP, LINE, "cancel_note", struct recipe, spec.cancel_note), .min = 1,
	  .max = LIMIT_TITLE,
	  .help = "What to know about a cancel; shown before and after it.",
	  .good = "'The instance may still be billed.'", .bad = "{text: billed}" },
	{ KEY(TOP, DURATION, "keep", struct recipe, spec.keep_ms), .min = 1, .max = DAYS(3650),
	  .fallback = "an hour when it completed, seven days otherwise",
	  .help = "How long the ended task stays to be looked at, with its log.",
	  .good = "30d", .bad = "forever" },
	{ KEY(TOP, LINE, "run_as", struct recipe, spec.run_as), .min = 1, .max = LIMIT_NAME,
	  .fallback = "whoever submits it",
	  .help = "The user as whom the steps run. Counts only in recipes that nobody but root can "
	          "change.",
	  .good = "postgres", .bad = "[postgres]" },
	{ KEY(TOP, DURATION, "stall_after", struct recipe, spec.stall_after_ms), .min = 1000,
	  .max = DAYS(30), .fallback = "30s for a pull, 10m for other steps",
	  .help = "After so long without progress, output, CPU time and I/O a step is said to stand "
	          "still, and since when. Nothing is stopped by it.",
	  .good = "1h", .bad = "never" },
	{ KEY(TOP, STEPS, "steps", struct recipe, spec.steps), .max = LIMIT_STEPS, .required = true,
	  .help = "The work, in order.",
	  .good = "[{name: hello, run: [echo, hello]}]", .bad = "[]" },

	/* ---- a parameter ---- */
	{ KEY(PARAM, CHOICE, "type", struct param, type), .choices = param_words,
	  .fallback = "string",
	  .help = "path is absolute and without `..`; url has a scheme; int fits 64 bits.",
	  .good = "path", .bad = "text" },
	{ KEY(PARAM, TEXT, "pattern", struct param, pattern), .min = 1, .max = LIMIT_TITLE,
	  .help = "An extended regular expression that the whole value must match.",
	  .good = "'[a-z0-9.-]+'", .bad = "'[a-z'" },
	{ KEY(PARAM, TEXT, "default", struct param, default_value), .max = LIMIT_TEXT,
	  .help = "The value when none is given. Without one it is empty and PARAM_NAME is not set.",
	  .good = "llama3", .bad = "[llama3]" },
	{ KEY(PARAM, BOOL, "required", struct param, required), .fallback = "false",
	  .help = "A value must be given, unless there is a default.",
	  .good = "true", .bad = "yes" },
	{ KEY(PARAM, TEXTS, "choices", struct param, choices), .max = LIMIT_PAIRS,
	  .help = "The only values there are.",
	  .good = "[small, large]", .bad = "small" },
	{ KEY(PARAM, BOOL, "secret", struct param, secret), .fallback = "false",
	  .help = "Never stored or shown, masked where a step prints it. Given with `--secret NAME`; "
	          "steps find it as $PARAM_NAME in sh, or by ${NAME} in env.",
	  .good = "true", .bad = "1" },
	{ KEY(PARAM, TEXT, "description", struct param, description), .max = LIMIT_TEXT,
	  .help = "What the parameter means, for whoever fills it in.",
	  .good = "'Name of the model.'", .bad = "{text: name}" },

	/* ---- a step ---- */
	{ KEY(STEP, NAME, "name", struct spec_step, name), .max = LIMIT_NAME, .required = true,
	  .help = "Names the step in every view, and its outputs: `${steps.NAME.OUTPUT}`.",
	  .good = "fetch", .bad = "Fetch it" },
	{ KEY(STEP, ARGV, "run", struct spec_step, cmd.argv), .max = LIMIT_ARGS, .refs = REFS_ALL,
	  .help = "A program and its arguments. A value in ${} stays inside its argument.",
	  .good = "[tar, -xf, '${steps.find.url}', '${model}']", .bad = "tar -xf file" },
	{ KEY(STEP, TEXT, "sh", struct spec_step, cmd.sh), .min = 1, .max = MAX_SH,
	  .refs = REFS_SHELL,
	  .help = "Text for `/bin/sh -e`. Values come as variables: $PARAM_NAME, $OUT_STEP_OUTPUT.",
	  .good = "'echo \"$PARAM_MODEL\" \"$OUT_FIND_URL\"'", .bad = "'echo ${steps.find.url}'" },
	{ KEY(STEP, MAP, "pull", struct spec_step, pull), .inside = PLACE_PULL,
	  .help = "A download that is resumed after an interruption and checked.",
	  .good = "{url: 'https://example.org/a.tar', to: a.tar}", .bad = "'https://example.org/a'" },
	{ KEY(STEP, MAP, "confirm", struct spec_step, confirm), .inside = PLACE_CONFIRM,
	  .help = "Asks people and waits, for days if need be: `reeve answer`. The answer (yes or no) "
	          "and the fields are the step's outputs; a secret one only reaches env and sh.",
	  .good = "{text: 'Overwrite ${model}?', yes: Overwrite}", .bad = "'Overwrite?'" },
	{ KEY(STEP, ENV, "env", struct spec_step, env), .max = LIMIT_PAIRS, .refs = REFS_ALL,
	  .help = "Variables added to the environment of the step's commands.",
	  .good = "{MODEL: '${model}'}", .bad = "{1ST: x}" },
	{ KEY(STEP, LINE, "cwd", struct spec_step, cwd), .min = 1, .max = LIMIT_TEXT,
	  .refs = REFS_ALL, .fallback = "the task's own directory",
	  .help = "Where the step's commands run; relative to the task's own directory.",
	  .good = "/var/tmp", .bad = "''" },
	{ KEY(STEP, NAMES, "outputs", struct spec_step, outputs), .max = LIMIT_PAIRS,
	  .help = "Values the step sets: name=value lines in the file $REEVE_OUTPUT.",
	  .good = "[url, sha256]", .bad = "[URL]" },
	{ KEY(STEP, COMMAND, "check", struct spec_step, check),
	  .help = "Runs first; exit status 0 means that the step is already done.",
	  .good = "{run: [test, -e, '${model}']}", .bad = "{run: [test], sh: 'test -e x'}" },
	{ KEY(STEP, COMMAND, "verify", struct spec_step, verify),
	  .help = "Runs last; the step is done only when it exits with 0: done means that it works. "
	          "Any other status fails the step.",
	  .good = "{sh: 'test -s \"$PARAM_MODEL\"', timeout: 1m}", .bad = "{timeout: 1m}" },
	{ KEY(STEP, COMMAND, "undo", struct spec_step, undo),
	  .help = "Takes back what the step did when a later one fails or the task is cancelled. May "
	          "run twice.",
	  .good = "[rm, -f, '${model}']", .bad = "{}" },
	{ KEY(STEP, CHOICE, "cancel", struct spec_step, cancel), .choices = cancel_words,
	  .fallback = "now",
	  .help = "A cancel takes effect now, after the step, or is refused while it runs.",
	  .good = "after", .bad = "later" },
	{ KEY(STEP, DURATION, "timeout", struct spec_step, timeout_ms), .min = 1, .max = DAYS(30),
	  .fallback = "none",
	  .help = "The longest that one try may take: 30s, 10m, 2h.",
	  .good = "10m", .bad = "10" },
	{ .place = PLACE_STEP, .type = KEY_MAP, .name = "retry", .offset = 0, .inside = PLACE_RETRY,
	  .help = "Runs the step again when it fails: so many more times, with a wait before each.",
	  .good = "{attempts: 3, delay: 5s}", .bad = "3" },
	{ KEY(STEP, NUMBER, "weight", struct spec_step, weight), .max = 1000000,
	  .fallback = "learned from earlier runs, else all steps alike",
	  .help = "The step's share of the task's progress, beside the other steps' weights.",
	  .good = "2.5", .bad = "0" },
	{ KEY(STEP, BOOL, "leave_running", struct spec_step, leave_running), .fallback = "false",
	  .help = "What the step leaves running (a server, say) is not killed when it succeeds.",
	  .good = "true", .bad = "on" },
	{ KEY(STEP, PROGRESS, "progress", struct spec_step, progress), .choices = progress_words,
	  .fallback = "auto",
	  .help = "Where its progress is read: auto (in whatever it prints), the output of one "
	          "program, OSC 9;4, a percentage, a count (n/m), lines (against last time's "
	          "number of lines), none; or a map: a file that grows.",
	  .good = "{file: '${model}.part', size: 1000}", .bad = "bars" },
	{ KEY(STEP, BOOL, "tty", struct spec_step, tty), .fallback = "false",
	  .help = "Runs it on a terminal of its own, for programs that want one; when it waits at a "
	          "prompt, the task asks.",
	  .good = "true", .bad = "80x24" },

	{ KEY(STEP, DURATION, "stall_after", struct spec_step, stall_after_ms), .min = 1000,
	  .max = DAYS(30), .fallback = "the recipe's",
	  .help = "As for the recipe, for this step alone.",
	  .good = "5m", .bad = "5" },

	/* ---- progress ---- */
	{ KEY(PROGRESS, LINE, "file", struct spec_progress, file), .min = 1, .max = LIMIT_TEXT,
	  .refs = REFS_ALL, .required = true,
	  .help = "The file that grows; relative to where the step runs.",
	  .good = "'${model}.part'", .bad = "''" },
	{ KEY(PROGRESS, BYTES, "size", struct spec_progress, size), .max = LIMIT_TEXT,
	  .refs = REFS_ALL, .required = true,
	  .help = "How many bytes it will have.",
	  .good = "1048576", .bad = "1M" },

	/* ---- pull ---- */
	{ KEY(PULL, URL, "url", struct spec_pull, url), .min = 1, .max = LIMIT_TEXT,
	  .refs = REFS_ALL, .required = true,
	  .help = "What to download.",
	  .good = "'https://example.org/${model}.tar'", .bad = "example.org/a.tar" },
	{ KEY(PULL, SHA256, "sha256", struct spec_pull, sha256), .max = LIMIT_TEXT,
	  .refs = REFS_ALL,
	  .help = "The checksum it must have, as 64 hexadecimal digits.",
	  .good = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", .bad = "e3b0" },
	{ KEY(PULL, LINE, "to", struct spec_pull, to), .min = 1, .max = LIMIT_TEXT,
	  .refs = REFS_ALL, .required = true,
	  .help = "The file it becomes once it is proved.",
	  .good = "a.tar", .bad = "[a.tar]" },
	{ KEY(PULL, BYTES, "size", struct spec_pull, size), .max = LIMIT_TEXT, .refs = REFS_ALL,
	  .help = "Its size in bytes, where that is known beforehand.",
	  .good = "'${steps.find.url}'", .bad = "10M" },

	/* ---- retry ---- */
	{ KEY(RETRY, COUNT, "attempts", struct spec_step, retry_attempts), .min = 1, .max = 100,
	  .required = true,
	  .help = "Tries in addition to the first: with 3 the step runs up to four times.",
	  .good = "3", .bad = "0" },
	{ KEY(RETRY, DURATION, "delay", struct spec_step, retry_delay_ms), .min = 1,
	  .max = MINUTES(5), .fallback = "1s",
	  .help = "The wait before the second try; doubled each time, up to 5 minutes.",
	  .good = "500ms", .bad = "10m" },

	/* ---- check, verify and undo ---- */
	{ KEY(COMMAND, ARGV, "run", struct spec_cmd, argv), .max = LIMIT_ARGS, .refs = REFS_ALL,
	  .help = "A program and its arguments.",
	  .good = "[rm, -f, '${model}']", .bad = "[]" },
	{ KEY(COMMAND, TEXT, "sh", struct spec_cmd, sh), .min = 1, .max = MAX_SH,
	  .refs = REFS_SHELL,
	  .help = "Text for `/bin/sh -e`.",
	  .good = "'rm -f \"$PARAM_MODEL\"'", .bad = "''" },
	{ KEY(COMMAND, DURATION, "timeout", struct spec_cmd, timeout_ms), .min = 1, .max = DAYS(30),
	  .fallback = "the step's timeout; without one 10 minutes",
	  .help = "The longest that it may take.",
	  .good = "30s", .bad = "soon" },

	/* ---- confirm ---- */
	{ KEY(CONFIRM, TEXT, "text", struct question, text), .min = 1, .max = LIMIT_QUESTION,
	  .refs = REFS_ALL, .required = true,
	  .help = "The question.",
	  .good = "'Restart the server now? ${steps.find.url}'", .bad = "''" },
	{ KEY(CONFIRM, LINE, "yes", struct question, yes), .min = 1, .max = LIMIT_QUESTION_WORD,
	  .fallback = "yes",
	  .help = "What yes is called.",
	  .good = "Restart", .bad = "[yes]" },
	{ KEY(CONFIRM, LINE, "no", struct question, no), .min = 1, .max = LIMIT_QUESTION_WORD,
	  .fallback = "no",
	  .help = "What no is called.",
	  .good = "Leave it", .bad = "''" },
	{ KEY(CONFIRM, FIELDS, "fields", struct question, fields), .max = LIMIT_FIELDS,
	  .help = "What is filled in with a yes: a map by name.",
	  .good = "{why: {type: text}}", .bad = "[why]" },
	{ KEY(CONFIRM, WORD, "default", struct question, default_answer), .choices = answer_words,
	  .fallback = "it waits until somebody answers",
	  .help = "The answer when nobody has given one in time; goes with after.",
	  .good = "no", .bad = "maybe" },
	{ KEY(CONFIRM, DURATION, "after", struct question, after_ms), .min = 1, .max = DAYS(365),
	  .help = "How long people have, before the default counts.",
	  .good = "2h", .bad = "2" },
	{ KEY(CONFIRM, CHOICE, "on_no", struct question, on_no), .choices = on_no_words,
	  .fallback = "stop",
	  .help = "What a no means: stop cancels the task, as if cancelled by who said it; with go_on "
	          "later steps find it in the output answer.",
	  .good = "go_on", .bad = "fail" },

	/* ---- a field of confirm ---- */
	{ KEY(FIELD, WORD, "type", struct question_field, type), .choices = field_words,
	  .fallback = "text",
	  .help = "A secret is never stored or shown; a file is a path that the task's owner can read.",
	  .good = "secret", .bad = "password" },
	{ KEY(FIELD, LINE, "label", struct question_field, label), .min = 1, .max = LIMIT_TITLE,
	  .fallback = "the field's name",
	  .help = "What people see.",
	  .good = "'Why now?'", .bad = "''" },
	{ KEY(FIELD, TEXT, "default", struct question_field, default_value), .max = LIMIT_ANSWER,
	  .help = "The value when it is left empty.",
	  .good = "'because'", .bad = "[because]" },
	{ KEY(FIELD, TEXTS, "choices", struct question_field, choices), .max = LIMIT_CHOICES,
	  .help = "The values of a choice.",
	  .good = "[small, large]", .bad = "small" },
	{ KEY(FIELD, BOOL, "optional", struct question_field, optional), .fallback = "false",
	  .help = "It may be left empty.",
	  .good = "true", .bad = "maybe" },
};
/* clang-format on */

static const char *const place_names[PLACE_MAX + 1] = {
	[PLACE_TOP] = "a recipe",
	[PLACE_PARAM] = "a parameter",
	[PLACE_STEP] = "a step",
	[PLACE_PROGRESS] = "progress",
	[PLACE_CONFIRM] = "confirm",
	[PLACE_FIELD] = "a field of confirm",
	[PLACE_PULL] = "pull",
	[PLACE_RETRY] = "retry",
	[PLACE_COMMAND] = "check, verify and undo",
};

static const char *const type_names[KEY_TYPE_MAX + 1] = {
	[KEY_LINE] = "one line of text",
	[KEY_TEXT] = "a text",
	[KEY_NAME] = "a name",
	[KEY_URL] = "a URL",
	[KEY_SHA256] = "64 hexadecimal digits",
	[KEY_BYTES] = "a number of bytes",
	[KEY_BOOL] = "true or false",
	[KEY_COUNT] = "a whole number",
	[KEY_NUMBER] = "a number",
	[KEY_DURATION] = "a time such as 30s, 10m or 2h",
	[KEY_CHOICE] = "one of a few words",
	[KEY_TEXTS] = "a list of texts",
	[KEY_ARGV] = "a program and its arguments as a list",
	[KEY_NAMES] = "a list of names",
	[KEY_ENV] = "a map of variables",
	[KEY_MAP] = "a map",
	[KEY_COMMAND] = "a command: a map with run or sh, or what would stand there",
	[KEY_PARAMS] = "a map of parameters",
	[KEY_STEPS] = "a list of steps",
	[KEY_DEDUPE] = "a list of parameters' names, or none",
	[KEY_PROGRESS] = "one of a few words, or a map with file and size",
	[KEY_WORD] = "one of a few words",
	[KEY_FIELDS] = "a map of fields",
};

const struct recipe_key *
recipe_keys(size_t *ret_count)
{
	*ret_count = sizeof keys / sizeof keys[0];
	return keys;
}

const struct recipe_key *
recipe_key_find(enum key_place place, const char *name)
{
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (keys[i].place == place && strcmp(keys[i].name, name) == 0)
			return &keys[i];
	return NULL;
}

const char *const *
recipe_key_alternatives(enum key_place place)
{
	static const char *const works[] = { "run", "sh", "pull", "confirm", NULL };
	static const char *const commands[] = { "run", "sh", NULL };

	return place == PLACE_STEP ? works : place == PLACE_COMMAND ? commands : NULL;
}

const char *
key_place_name(enum key_place place)
{
	return place > 0 && place <= PLACE_MAX ? place_names[place] : "invalid";
}

const char *
key_type_name(enum key_type type)
{
	return type > 0 && type <= KEY_TYPE_MAX ? type_names[type] : "invalid";
}
