#include "ipc/task.h"

#include <string.h>

static const struct {
	const char *name;
	bool is_end, has_worker, holds_slot;
} task_states[TASK_STATE_MAX] = {
#define X(sym, num, name_, end, worker, slot) \
 [sym] = { .name = name_, .is_end = end, .has_worker = worker, .holds_slot = slot },
	TASK_STATES(X)
#undef X
};

static const struct {
	const char *name;
	bool is_done;
} step_states[STEP_STATE_MAX] = {
#define X(sym, num, name_, done) [sym] = { .name = name_, .is_done = done },
	STEP_STATES(X)
#undef X
};

static const struct {
	const char *name;
	bool by_step;
} block_kinds[BLOCK_KIND_MAX] = {
#define X(sym, num, name_, by) [sym] = { .name = name_, .by_step = by },
	BLOCK_KINDS(X)
#undef X
};

static bool
is_task_state(enum task_state state)
{
	return state > 0 && state < TASK_STATE_MAX && task_states[state].name;
}

static bool
is_step_state(enum step_state state)
{
	return state > 0 && state < STEP_STATE_MAX && step_states[state].name;
}

const char *
task_state_name(enum task_state state)
{
	return is_task_state(state) ? task_states[state].name : "invalid";
}

const char *
step_state_name(enum step_state state)
{
	return is_step_state(state) ? step_states[state].name : "invalid";
}

const char *
cancel_mode_name(enum cancel_mode mode)
{
	static const char *const names[] = {
		[CANCEL_NOW] = "now", [CANCEL_AFTER] = "after", [CANCEL_NEVER] = "never"
	};

	return mode > 0 && mode <= CANCEL_MODE_MAX ? names[mode] : "invalid";
}

const char *
block_kind_name(enum block_kind kind)
{
	return kind > 0 && kind < BLOCK_KIND_MAX ? block_kinds[kind].name : "invalid";
}

enum block_kind
block_kind_by_step(const char *name)
{
	for (int kind = 1; kind < BLOCK_KIND_MAX; kind++)
		if (block_kinds[kind].by_step && strcmp(block_kinds[kind].name, name) == 0)
			return (enum block_kind)kind;
	return 0;
}

enum task_state
task_state_parse(const char *name)
{
	for (int state = 1; state < TASK_STATE_MAX; state++)
		if (task_states[state].name && strcmp(task_states[state].name, name) == 0)
			return (enum task_state)state;
	return 0;
}

bool
task_state_is_end(enum task_state state)
{
	return is_task_state(state) && task_states[state].is_end;
}

bool
task_state_has_worker(enum task_state state)
{
	return is_task_state(state) && task_states[state].has_worker;
}

bool
task_state_holds_slot(enum task_state state)
{
	return is_task_state(state) && task_states[state].holds_slot;
}

bool
step_state_is_done(enum step_state state)
{
	return is_step_state(state) && step_states[state].is_done;
}
