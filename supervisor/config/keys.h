/*
 * supervisor/config/keys.h - everything that can be set, in one table.
 *
 * Reading, `reeve config`, the reference page (contrib/CONFIG.md) and the commented default file
 * (contrib/reeve.yaml) follow from it: what is not in the table cannot be set.
 */
#ifndef SUPERVISOR_CONFIG_KEYS_H
#define SUPERVISOR_CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What its value is, and the member of struct config that it fills. */
enum config_type {
	CONFIG_COUNT = 1, /* uint64_t: min..max */
	CONFIG_DURATION,  /* uint64_t, ms: min..max */
	CONFIG_BYTES,     /* uint64_t: min..max */
	CONFIG_CHOICE,    /* unsigned: the n-th of choices, from 1 */
	CONFIG_NAME,      /* char *: the name of a user or group */
	CONFIG_PATHS      /* struct strs: absolute directories, at most max */
};

struct config_key {
	const char *name;
	enum config_type type;
	size_t offset;              /* in struct config */
	uint64_t min, max;          /* as the type says */
	const char *const *choices; /* NULL-terminated */
	const char *word;           /* a value that stands for a number: "auto", "all"; NULL */
	uint64_t meaning;           /* that number */
	const char *fallback;       /* the default, written as in the file */
	const char *env;            /* the variable that replaces the file's value */
	const char *flag;           /* of reeved, which replaces both; NULL: none */
	bool reloads;               /* takes effect without a restart of the service */
	const char *help;
	const char *good, *bad; /* example values in YAML's flow style */
};

/* The table's length; config.h keeps an origin for each row. */
#define CONFIG_KEYS 15

extern const struct config_key config_keys[CONFIG_KEYS];

/* For people: "a duration: 500ms, 30s, 10m, 2h, 7d". Static. */
const char *config_type_name(enum config_type type);

/* "0 to 10000", "0 or more", "auto or clone3, clone or fork" as far as the row limits its value;
 * "" when it does not. Returns TEXT. */
enum {
	CONFIG_RANGE_TEXT = 96
};
char *config_range(const struct config_key *key, char text[static CONFIG_RANGE_TEXT]);

/* A number as the file may have it: "10s", "64MiB", "4". Returns TEXT. */
char *config_number(enum config_type type, uint64_t value, char text[static CONFIG_RANGE_TEXT]);

/* Bytes: a whole number, alone or with KiB, MiB, GiB, TiB (kB, MB, GB, TB are powers of 1000). 0 or
 * -EINVAL. */
int config_parse_bytes(const char *text, uint64_t *ret_bytes);

#endif
