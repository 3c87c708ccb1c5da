#include "worker/outputs.h"

#include "ipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char file_name[] = ".reeve-output";

static bool
is_declared(const struct strs *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->v[i], name) == 0)
			return true;
	return false;
}

/* True when all outputs of the task, VALUE in the place of an older one, are within the limit. */
static bool
has_room(const struct attempt *attempt, size_t index, const char *name, const char *value)
{
	const struct brief_steps *steps = &attempt->brief.steps;
	const char *old = pairs_get(&steps->v[index].outputs, name);
	size_t bytes = strlen(name) + strlen(value);

	for (size_t i = 0; i < steps->n; i++)
		bytes += pairs_bytes(&steps->v[i].outputs);
	return bytes - (old ? strlen(name) + strlen(old) : 0) <= LIMIT_OUTPUTS;
}

int
outputs_set(struct attempt *attempt, size_t index, const char *name, const char *value)
{
	char *copy_name, *copy_value;
	struct fact fact;
	int r;

	if (!is_declared(&attempt->brief.spec.steps.v[index].outputs, name))
		return -ENOENT;
	if (strlen(value) > LIMIT_TEXT)
		return -EFBIG;
	if (mask_finds(&attempt->mask, value, strlen(value)))
		return -EACCES;
	if (!has_room(attempt, index, name, value))
		return -E2BIG;
	if ((r = pairs_set(&attempt->brief.steps.v[index].outputs, name, value)) < 0)
		return r;
	copy_name = strdup(name);
	copy_value = strdup(value);
	codec_init(&fact_codec, &fact);
	fact.kind = FACT_OUTPUT;
	fact.step = index + 1;
	fact.name = copy_name;
	fact.text = copy_value;
	r = copy_name && copy_value ? attempt_fact(attempt, &fact) : -ENOMEM;
	free(copy_name);
	free(copy_value);
	return r;
}

const char *
outputs_why(int error, const char *name, char text[static OUTPUTS_WHY])
{
	if (error == -EFBIG)
		snprintf(text, OUTPUTS_WHY, "output \"%.128s\" is longer than %d bytes", name,
		    LIMIT_TEXT);
	else if (error == -E2BIG)
		snprintf(text, OUTPUTS_WHY,
		    "output \"%.128s\" is too much: all outputs of a task may have %d bytes", name,
		    LIMIT_OUTPUTS);
	else if (error == -EACCES)
		snprintf(text, OUTPUTS_WHY,
		    "output \"%.128s\" holds a secret parameter, and outputs are stored", name);
	else if (error == -ENOENT)
		snprintf(
		    text, OUTPUTS_WHY, "output \"%.128s\" is not declared by its recipe", name);
	else
		snprintf(
		    text, OUTPUTS_WHY, "output \"%.128s\" is lost: %s", name, strerror(-error));
	return text;
}

const struct pairs *
outputs_answered(const struct brief *brief, size_t index)
{
	const struct answer *answer;

	if (brief->spec.steps.v[index].kind != STEP_KIND_CONFIRM)
		return NULL;
	answer = answers_find(&brief->steps.v[index].answers, CONFIRM_QUESTION);
	return answer ? &answer->fields : NULL;
}

static const char *
look_up_output(const struct brief *brief, size_t index, const char *name)
{
	const char *value = pairs_get(&brief->steps.v[index].outputs, name);
	const struct pairs *answered = value ? NULL : outputs_answered(brief, index);

	return answered ? pairs_get(answered, name) : value;
}

const char *
outputs_lookup(const char *reference, void *arg)
{
	const struct brief *brief = arg;
	const char *step, *dot, *value;

	if (strncmp(reference, "steps.", 6) != 0) {
		value = pairs_get(&brief->spec.params, reference);
		return value ? value : pairs_get(&brief->secrets, reference);
	}
	step = reference + 6;
	dot = strchr(step, '.');
	if (!dot)
		return NULL;
	for (size_t i = 0; i < brief->spec.steps.n; i++) {
		const char *name = brief->spec.steps.v[i].name;

		if (name && strlen(name) == (size_t)(dot - step) &&
		    memcmp(name, step, (size_t)(dot - step)) == 0)
			return look_up_output(brief, i, dot + 1);
	}
	return NULL;
}

static int
open_workdir(const struct attempt *attempt)
{
	const char *path = attempt->brief.workdir;
	int fd = path ? open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;

	if (!path)
		return -ENOENT;
	return fd < 0 ? -errno : fd;
}

int
outputs_file_make(struct attempt *attempt, char **ret_path)
{
	const struct brief *brief = &attempt->brief;
	int dir_fd = open_workdir(attempt);
	int fd, r = 0;

	if (dir_fd < 0)
		return dir_fd;
	unlinkat(dir_fd, file_name, 0);
	fd = openat(dir_fd, file_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || (brief->change_user && fchown(fd, (uid_t)brief->uid, (gid_t)brief->gid) < 0))
		r = -errno;
	else if (asprintf(ret_path, "%s/%s", brief->workdir, file_name) < 0)
		r = -ENOMEM;
	fd_close(&fd);
	fd_close(&dir_fd);
	return r;
}

/* The directory is the step's user's, who may have put anything there. 0 or -errno. */
static int
judge_file(const struct brief *brief, const struct stat *st)
{
	if (!S_ISREG(st->st_mode) || st->st_nlink > 1 ||
	    (brief->change_user && st->st_uid != (uid_t)brief->uid))
		return -EPERM;
	return st->st_size > OUTPUTS_FILE_MAX ? -EFBIG : 0;
}

static int
read_file(const struct brief *brief, int dir_fd, char **ret_text, size_t *ret_len)
{
	int fd =
	    openat(dir_fd, file_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	char *text = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return errno == ELOOP ? -EPERM : -errno;
	n = fstat(fd, &st) < 0 ? -errno : judge_file(brief, &st);
	if (n < 0)
		goto out;
	text = malloc((size_t)st.st_size + 1);
	n = text ? fd_read_all(fd, text, (size_t)st.st_size) : -ENOMEM;
	if (n < 0)
		goto out;
	text[n] = '\0';
	*ret_len = (size_t)n;
	*ret_text = text;
	text = NULL;
out:
	free(text);
	fd_close(&fd);
	return n < 0 ? (int)n : 0;
}

/* LINE is terminated here. */
static int
take_line(struct attempt *attempt, size_t index, char *line, char **ret_name)
{
	size_t len = strlen(line);
	char *equals;
	int r;

	if (len > 0 && line[len - 1] == '\r')
		line[--len] = '\0';
	if (len == 0)
		return 0;
	equals = strchr(line, '=');
	if (!equals)
		return -EINVAL;
	*equals = '\0';
	r = outputs_set(attempt, index, line, equals + 1);
	if (r < 0)
		*ret_name = strdup(line);
	return r;
}

/* 0, or as outputs_file_take. TEXT is cut into lines. */
static int
take_lines(struct attempt *attempt, size_t index, char *text, char **ret_name)
{
	char *next;
	int r = 0;

	for (char *line = text; r == 0 && *line; line = next) {
		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = '\0';
		r = take_line(attempt, index, line, ret_name);
	}
	return r;
}

int
outputs_file_take(struct attempt *attempt, size_t index, char **ret_name)
{
	int dir_fd = open_workdir(attempt);
	char *text = NULL;
	size_t len = 0;
	int r;

	if (dir_fd < 0)
		return dir_fd;
	r = read_file(&attempt->brief, dir_fd, &text, &len);
	unlinkat(dir_fd, file_name, 0);
	fd_close(&dir_fd);
	if (r < 0 || !text)
		return r == -ENOENT ? 0 : r; /* a step may tidy up behind itself */
	r = memchr(text, '\0', len) ? -EINVAL : take_lines(attempt, index, text, ret_name);
	free(text);
	return r;
}

void
outputs_file_drop(struct attempt *attempt)
{
	int dir_fd = open_workdir(attempt);

	if (dir_fd < 0)
		return;
	unlinkat(dir_fd, file_name, 0);
	fd_close(&dir_fd);
}
