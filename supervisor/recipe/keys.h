/*
 * supervisor/recipe/keys.h - every key a recipe may have, in one table.
 *
 * The reader is driven by it, the unit tests run its examples, and the reference of keys
 * is printed from it: what is not in the table does not exist.
 */
#ifndef SUPERVISOR_RECIPE_KEYS_H
#define SUPERVISOR_RECIPE_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The map a key stands in. */
enum key_place {
	PLACE_TOP = 1,
	PLACE_PARAM,    /* params.NAME */
	PLACE_STEP,     /* steps[] */
	PLACE_PULL,     /* steps[].pull */
	PLACE_RETRY,    /* steps[].retry */
	PLACE_COMMAND,  /* steps[].check, .verify and .undo */
	PLACE_PROGRESS, /* steps[].progress */
	PLACE_CONFIRM,  /* steps[].confirm */
	PLACE_FIELD     /* steps[].confirm.fields.NAME */
};
#define PLACE_MAX 9

/* What its value is, and the member it fills. */
enum key_type {
	KEY_LINE = 1, /* char *: one line of at most max bytes */
	KEY_TEXT,     /* char *: any text of at most max bytes */
	KEY_NAME,     /* char *: [a-z0-9][a-z0-9_-]* of at most max bytes */
	KEY_URL,      /* char *, like the next two checked once no reference is left in it */
	KEY_SHA256,   /* char * */
	KEY_BYTES,    /* char *: a decimal number */
	KEY_BOOL,     /* bool: true or false */
	KEY_COUNT,    /* uint64_t: min..max */
	KEY_NUMBER,   /* double: above 0, at most max */
	KEY_DURATION, /* uint64_t, ms: min..max */
	KEY_CHOICE,   /* an enum: the n-th of choices, from 1 */
	KEY_TEXTS,    /* struct strs: 1..max texts */
	KEY_ARGV,     /* struct strs: a program, not empty, and its arguments; at most max in all */
	KEY_NAMES,    /* struct strs: 1..max different names */
	KEY_ENV,      /* struct pairs: at most max names and texts */
	KEY_MAP,      /* a map of the keys of place `inside`, whose struct lies at offset */
	KEY_COMMAND,  /* struct spec_cmd: such a map of PLACE_COMMAND, or a bare list or text */
	KEY_PARAMS,   /* struct params: a map of PLACE_PARAM maps by name */
	KEY_STEPS,    /* struct spec_steps: 1..max maps of PLACE_STEP */
	KEY_DEDUPE,   /* struct recipe, offset 0: dedupe_mode and dedupe_fields */
	KEY_PROGRESS, /* struct spec_progress: one of choices, or a map of PLACE_PROGRESS */
	KEY_WORD,     /* char *: one of choices */
	KEY_FIELDS    /* struct question_fields: a map of PLACE_FIELD maps by name; at most max */
};
#define KEY_TYPE_MAX 23

/* Which ${references} its texts may hold. */
enum key_refs {
	REFS_NONE = 0, /* `${` means nothing here */
	REFS_SHELL,    /* none, but ${steps.} is an author's mistake */
	REFS_PARAMS,   /* ${name} */
	REFS_ALL       /* ${steps.STEP.OUTPUT} of earlier steps, too */
};

struct recipe_key {
	const char *name;
	enum key_place place;
	enum key_type type;
	size_t offset;     /* in the struct that belongs to place */
	uint64_t min, max; /* as the type says */
	enum key_refs refs;
	enum key_place inside; /* KEY_MAP */
	bool required;
	const char *const *choices; /* NULL-terminated */
	const char *fallback;       /* what leaving it out means; NULL: nothing at all */
	const char *help;
	const char *good, *bad; /* example values in YAML's flow style */
};

/* The whole table. *ret_count rows, grouped by place. */
const struct recipe_key *recipe_keys(size_t *ret_count);

/* The key called NAME in PLACE, or NULL. */
const struct recipe_key *recipe_key_find(enum key_place place, const char *name);

/* Keys of which a map of PLACE has exactly one. NULL-terminated; NULL: there are none such. */
const char *const *recipe_key_alternatives(enum key_place place);

/* For people: "a step"; "true or false". Static. */
const char *key_place_name(enum key_place place);
const char *key_type_name(enum key_type type);

#endif
