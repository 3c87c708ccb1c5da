#include "supervisor/config/page.h"

#include "supervisor/config/keys.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	COLUMNS = 96,
	LINE = 1024
};

static void __attribute__((format(printf, 2, 3))) put(struct buf *out, const char *format, ...)
{
	char text[LINE];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (n > 0)
		buf_add(out, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

/* "a whole number, 0 to 10000, or auto" */
static const char *
describe(const struct config_key *key, char text[static LINE])
{
	char range[CONFIG_RANGE_TEXT];

	snprintf(text, LINE, "%s%s %s", config_type_name(key->type),
	    key->type == CONFIG_CHOICE ? "" : ";", config_range(key, range));
	return text;
}

void
config_page(struct buf *out)
{
	char text[LINE];

	put(out,
	    "# Configuration\n\n"
	    "One file: `/etc/reeve/reeve.yaml`, or for a user's own service "
	    "`$XDG_CONFIG_HOME/reeve/reeve.yaml` (`~/.config/reeve/reeve.yaml`); `reeved --config` "
	    "names another. It need not exist. A flag of `reeved` replaces a variable of its "
	    "environment, that replaces the file, and that the default. `reeve config` shows what is "
	    "in force and where each value comes from, `reeve config check` reads a file as the "
	    "service would, and `reeve config reload` (or SIGHUP to `reeved`) takes up what was "
	    "changed; when anything in the file is wrong, nothing changes. "
	    "[reeve.yaml](reeve.yaml) is a file with every key in it, commented out.\n\n"
	    "Where things are is not in the file, since it is found by it: `--state-dir` "
	    "(`REEVE_STATE_DIR`), `--run-dir` (`REEVE_RUN_DIR`) and `--config` (a directory: "
	    "`REEVE_CONFIG_DIR`; a file: `REEVE_CONFIG_FILE`).\n\n"
	    "| key | value | default | variable, flag | takes effect |\n|---|---|---|---|---|\n");
	for (size_t i = 0; i < CONFIG_KEYS; i++) {
		const struct config_key *key = &config_keys[i];

		put(out, "| `%s` | %s | `%s` | `%s`%s%s%s | %s |\n", key->name, describe(key, text),
		    key->fallback, key->env, key->flag ? ", `" : "", key->flag ? key->flag : "",
		    key->flag ? "`" : "", key->reloads ? "on reload" : "on restart");
	}
	for (size_t i = 0; i < CONFIG_KEYS; i++)
		put(out, "\n## `%s`\n\n%s For example `%s: %s`.\n", config_keys[i].name,
		    config_keys[i].help, config_keys[i].name, config_keys[i].good);
	put(out, "\nThis page is made from the table of keys: `reeve config reference`.\n");
}

/* TEXT by whole words, each line behind `# `. */
static void
put_comment(struct buf *out, const char *text)
{
	while (*text) {
		size_t len = strlen(text), end = len;

		if (len > COLUMNS)
			for (end = COLUMNS; end > 0 && text[end] != ' ';)
				end--;
		put(out, "# %.*s\n", (int)end, text);
		text += end;
		text += strspn(text, " ");
	}
}

void
config_default_file(struct buf *out)
{
	char text[LINE];

	put_comment(out, "reeve.yaml: the configuration of reeved. Every key stands here with its "
			 "default; remove the # to set one. `reeve config check` reads the file as "
			 "the service would, `reeve config reload` makes it take it up.");
	for (size_t i = 0; i < CONFIG_KEYS; i++) {
		const struct config_key *key = &config_keys[i];

		put(out, "\n");
		put_comment(out, key->help);
		put(out, "# (%s%s)\n", describe(key, text),
		    key->reloads ? "" : "; needs a restart");
		put(out, "#%s: %s\n", key->name, key->fallback);
	}
}
