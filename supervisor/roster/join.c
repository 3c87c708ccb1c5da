#include "supervisor/roster/join.h"

#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
compare_joins(const void *a, const void *b)
{
	const struct task *left = a, *right = b;

	return strcmp(left->join, right->join);
}

char *
join_of(const struct record *record)
{
	const char *owner = record->persons.n > 0 ? record->persons.v[0].name : "";
	char *join = NULL;
	int n = 0;

	if (record->key)
		n = asprintf(&join, "%s\nkey\n%s", owner, record->key);
	else if (record->dedupe_key)
		n = asprintf(&join, "%s\ntype\n%s\n%s", owner, record->type, record->dedupe_key);
	return n < 0 ? NULL : join;
}

struct task *
join_find(struct roster *roster, char *join) // NOLINT(readability-non-const-parameter)
{
	struct task key = { .join = join };
	struct task *const *found = tfind(&key, &roster->by_join, compare_joins);

	return found ? *found : NULL;
}

int
join_enter(struct task *task)
{
	task->join = join_of(&task->rec);
	if (task->join && !tsearch(task, &task->roster->by_join, compare_joins))
		return -ENOMEM;
	return 0;
}

void
join_leave(struct task *task)
{
	struct task *const *found;

	if (!task->join)
		return;
	found = tfind(task, &task->roster->by_join, compare_joins);
	if (found && *found == task)
		tdelete(task, &task->roster->by_join, compare_joins);
	free(task->join);
	task->join = NULL;
}
