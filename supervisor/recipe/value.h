/* supervisor/recipe/value.h - what a text must look like to count as a name, a URL, ... */
#ifndef SUPERVISOR_RECIPE_VALUE_H
#define SUPERVISOR_RECIPE_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "supervisor/recipe/keys.h"

/* [a-z0-9][a-z0-9_-]* and at most LIMIT_NAME bytes: steps, outputs, parameters, recipes. */
bool value_is_name(const char *text);

/* Letters, digits, - _ . and no dot in front: the names recipes' files may have. */
bool value_is_file_name(const char *text);

/* [A-Za-z_][A-Za-z0-9_]* */
bool value_is_env_name(const char *text);

/* No control characters. */
bool value_is_line(const char *text);

/* Decimal digits with an optional minus, within int64_t. */
bool value_is_int(const char *text);

/* Decimal digits, within int64_t. */
bool value_is_bytes(const char *text);

bool value_is_bool(const char *text); /* true or false */

/* Absolute, without a component `..`, without control characters. */
bool value_is_path(const char *text);

/* SCHEME://SOMETHING in the characters of RFC 3986, or above ASCII. */
bool value_is_url(const char *text);

bool value_is_sha256(const char *text); /* 64 hexadecimal digits */

/* What is wrong with TEXT as the value of KEY ("must be one line"), or NULL. Static. Asked when a
 * recipe is read and again when its references are filled in: while there is one left, only
 * what filling in cannot mend is wrong. */
const char *value_problem(const struct recipe_key *key, const char *text);

/* Makes TEXT one line for people to read: cut to MAX_BYTES, spaces for control characters. */
void value_cut_line(char *text, size_t max_bytes);

#endif
