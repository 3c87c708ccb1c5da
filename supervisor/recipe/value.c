#include "supervisor/recipe/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/task.h"
#include "ipc/utf8.h"

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* True when TEXT begins with one of FIRST and goes on with REST to its end. */
static bool
consists_of(const char *text, const char *first, const char *rest)
{
	return *text != '\0' && strchr(first, *text) && text[strspn(text, rest)] == '\0';
}

bool
value_is_name(const char *text)
{
	return consists_of(text, LOWER DIGITS, LOWER DIGITS "_-") && strlen(text) <= LIMIT_NAME;
}

bool
value_is_file_name(const char *text)
{
	return consists_of(text, LOWER UPPER DIGITS "_-", LOWER UPPER DIGITS "_-.") &&
	       strlen(text) <= LIMIT_NAME;
}

bool
value_is_env_name(const char *text)
{
	return consists_of(text, LOWER UPPER "_", LOWER UPPER DIGITS "_");
}

bool
value_is_line(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	return true;
}

bool
value_is_int(const char *text)
{
	const char *digits = text + (*text == '-');

	if (!consists_of(digits, DIGITS, DIGITS))
		return false;
	errno = 0;
	(void)strtoll(text, NULL, 10);
	return errno == 0;
}

bool
value_is_bytes(const char *text)
{
	return *text != '-' && value_is_int(text);
}

bool
value_is_bool(const char *text)
{
	return strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
}

bool
value_is_path(const char *text)
{
	if (*text != '/' || !value_is_line(text))
		return false;
	for (const char *at = text; (at = strstr(at, "/..")); at++)
		if (at[3] == '/' || at[3] == '\0')
			return false;
	return true;
}

bool
value_is_url(const char *text)
{
	size_t scheme = strspn(text, LOWER UPPER DIGITS "+-.");

	if (!strchr(LOWER UPPER, *text) || strncmp(text + scheme, "://", 3) != 0)
		return false;
	text += scheme + 3;
	return *text != '\0' && value_is_line(text) && !strpbrk(text, " \"<>\\^`{|}");
}

bool
value_is_sha256(const char *text)
{
	return strlen(text) == 64 && strspn(text, DIGITS "abcdefABCDEF") == 64;
}

static const char *
form_problem(enum key_type type, const char *text)
{
	if (type == KEY_NAME && !value_is_name(text))
		return "must be a name of a-z 0-9 _ - that begins with a letter or digit";
	if (type == KEY_URL && !value_is_url(text))
		return "must be a URL such as https://example.org/file";
	if (type == KEY_SHA256 && !value_is_sha256(text))
		return "must be 64 hexadecimal digits";
	if (type == KEY_BYTES && !value_is_bytes(text))
		return "must be a number of bytes, in digits";
	return NULL;
}

const char *
value_problem(const struct recipe_key *key, const char *text)
{
	size_t len = strlen(text);

	if (len < key->min)
		return "must not be empty";
	if (len > key->max)
		return "is too long";
	if (key->type != KEY_TEXT && !value_is_line(text))
		return "must be one line, without control characters";
	if (key->refs != REFS_NONE && strstr(text, "${"))
		return NULL;
	return form_problem(key->type, text);
}

void
value_cut_line(char *text, size_t max_bytes)
{
	size_t len = strlen(text), end = 0, step;

	while (end < len) {
		(void)utf8_next((const uint8_t *)text + end, len - end, &step);
		if (end + step > max_bytes)
			break;
		if ((unsigned char)text[end] < ' ' || text[end] == 0x7f)
			text[end] = ' ';
		end += step;
	}
	text[end] = '\0';
}
