#include "supervisor/cli/submit.h"

#include "ipc/fd.h"
#include "ipc/task.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void
submission_fini(struct submission *submission)
{
	free(submission->text);
	pairs_free(&submission->params);
	pairs_free(&submission->labels);
	pairs_free(&submission->env);
}

/* NAME=VALUE: *ret_name is owned. */
static int
split(const char *word, char **ret_name, const char **ret_value)
{
	const char *equals = strchr(word, '=');

	if (!equals || equals == word)
		return -EINVAL;
	*ret_name = strndup(word, (size_t)(equals - word));
	*ret_value = equals + 1;
	return *ret_name ? 0 : -ENOMEM;
}

int
submission_pair(struct pairs *pairs, const char *word)
{
	const char *value;
	char *name;
	int r = split(word, &name, &value);

	if (r != 0)
		return r;
	r = pairs_get(pairs, name) ? -EEXIST : pairs_set(pairs, name, value);
	free(name);
	return r;
}

int
submission_env(struct pairs *env, const char *word)
{
	const char *value;
	char *name;
	int r;

	if (*word && !strchr(word, '=')) {
		value = getenv(word);
		return value ? pairs_set(env, word, value) : 0;
	}
	r = split(word, &name, &value);
	if (r != 0)
		return r;
	r = pairs_set(env, name, value);
	free(name);
	return r;
}

int
submission_surroundings(struct pairs *env)
{
	for (char **entry = environ; *entry; entry++) {
		bool is_taken = strncmp(*entry, "PATH=", 5) == 0 ||
				strncmp(*entry, "LANG=", 5) == 0 ||
				strncmp(*entry, "LC_", 3) == 0 || strncmp(*entry, "TZ=", 3) == 0;
		int r = is_taken ? submission_env(env, *entry) : 0;

		if (r == -ENOMEM)
			return r;
	}
	return 0;
}

int
submission_read(struct submission *submission, const char *path)
{
	const char *slash = strrchr(path, '/');
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat stat;
	ssize_t n = -EISDIR;

	if (fd < 0)
		return -errno;
	submission->text = malloc(LIMIT_RECIPE + 1);
	if (!submission->text)
		n = -ENOMEM;
	else if (fstat(fd, &stat) == 0 && !S_ISDIR(stat.st_mode))
		n = fd_read_all(fd, submission->text, LIMIT_RECIPE + 1);
	fd_close(&fd);
	if (n < 0)
		return (int)n;
	if (n > LIMIT_RECIPE)
		return -EFBIG;
	submission->text[n] = '\0';
	/* msgpack strings and YAML hold no NUL, and C strings end there. */
	if (strlen(submission->text) != (size_t)n)
		return -EILSEQ;
	submission->name = slash ? slash + 1 : path;
	return 0;
}

char *
submission_own_recipe(const char *name)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	char *path = NULL;
	int n = -1;

	if (config && *config)
		n = asprintf(&path, "%s/reeve/recipes/%s.yaml", config, name);
	else if (home && *home)
		n = asprintf(&path, "%s/.config/reeve/recipes/%s.yaml", home, name);
	return n < 0 ? NULL : path;
}

static void
pack_pairs(msgpack_packer *params, const char *key, const struct pairs *pairs)
{
	pack_str(params, key);
	msgpack_pack_map(params, pairs->n);
	for (size_t i = 0; i < pairs->n; i++)
		pack_kv_str(params, pairs->v[i].name, pairs->v[i].value);
}

static void
pack_work(msgpack_packer *params, const struct submission *submission)
{
	mode_t mask;

	if (submission->recipe) {
		pack_kv_str(params, "recipe", submission->recipe);
		return;
	}
	if (submission->text) {
		pack_kv_str(params, "text", submission->text);
		pack_kv_str(params, "name", submission->name);
		return;
	}
	pack_str(params, "command");
	msgpack_pack_array(params, submission->ncommand);
	for (size_t i = 0; i < submission->ncommand; i++)
		pack_str(params, submission->command[i]);
	mask = umask(022);
	umask(mask);
	pack_kv_uint(params, "umask", mask);
}

int
submission_send(
    struct submission *submission, struct session *session, struct client_reply *ret_reply)
{
	size_t npairs = 4; /* token, params, labels, env */
	struct request request;
	msgpack_packer *params = &request.params;
	int r = client_draw_token(submission->token);

	if (r != 0)
		return r;
	/* One for a recipe's name; two for text and name, or command and umask. */
	npairs += submission->recipe ? 1 : 2;
	npairs += submission->title != NULL;
	npairs += submission->scope != NULL;
	npairs += submission->key != NULL;
	session_begin(session, &request, "submit", npairs);
	pack_str(params, "token");
	msgpack_pack_bin(params, sizeof submission->token);
	msgpack_pack_bin_body(params, submission->token, sizeof submission->token);
	pack_work(params, submission);
	pack_pairs(params, "params", &submission->params);
	pack_pairs(params, "labels", &submission->labels);
	pack_pairs(params, "env", &submission->env);
	if (submission->title)
		pack_kv_str(params, "title", submission->title);
	if (submission->scope)
		pack_kv_str(params, "scope", submission->scope);
	if (submission->key)
		pack_kv_str(params, "key", submission->key);
	return session_call(session, &request, submission->fd, NULL, ret_reply);
}
