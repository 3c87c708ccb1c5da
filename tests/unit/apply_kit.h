/* tests/unit/apply_kit.h - a row of three steps, and facts about them. */
#ifndef TESTS_UNIT_APPLY_KIT_H
#define TESTS_UNIT_APPLY_KIT_H

#include "supervisor/apply.h"

#include "tests/unit/rows.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct record row;

static inline void
set_up(void)
{
	row_make(&row, 3);
}

static inline void
tear_down(void)
{
	row_free(&row);
}

static inline int
apply(enum fact_kind kind, uint64_t step)
{
	struct fact fact = fact_of(kind, step);

	return apply_fact(&row, &fact);
}

static inline int
end_step(uint64_t step, enum step_state state)
{
	struct fact fact = fact_of(FACT_STEP_END, step);

	fact.state = state;
	return apply_fact(&row, &fact);
}

static inline int
begin_sub(uint64_t sub, uint64_t parent)
{
	struct fact fact = fact_of(FACT_SUB_BEGIN, 1);

	fact.sub = sub;
	fact.parent = parent;
	fact.name = (char[]){ "part" };
	return apply_fact(&row, &fact);
}

#endif
