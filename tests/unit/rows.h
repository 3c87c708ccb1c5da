/* tests/unit/rows.h - rows and facts for tests of what is decided about a task. */
#ifndef TESTS_UNIT_ROWS_H
#define TESTS_UNIT_ROWS_H

#include "store/record.h"

#include <check.h>
#include <stdio.h>

/* A running task with NSTEPS pending steps "s1", "s2", ... owned by unix:ann. */
static inline void
row_make(struct record *row, size_t nsteps)
{
	struct record_person *person;

	codec_init(&record_codec, row);
	row->id = 41;
	row->state = TASK_RUNNING;
	row->want = WANT_RUN;
	row->on_interrupt = INTERRUPT_STOP;
	row->created_ms = 1764083045678;
	row->owner_uid = 1000;
	row->attempt.number = 1;
	row->attempt.mode = ATTEMPT_RUN;
	row->attempt.next_seq = 1;
	ck_assert_int_eq(str_set(&row->type, "command"), 0);
	ck_assert_int_eq(str_set(&row->title, "a task"), 0);
	person = list_add((struct list *)&row->persons, &record_person_codec);
	ck_assert_ptr_nonnull(person);
	person->uid = 1000;
	ck_assert_int_eq(str_set(&person->name, "unix:ann"), 0);
	for (size_t i = 0; i < nsteps; i++) {
		struct record_step *step = list_add((struct list *)&row->steps, &record_step_codec);
		char name[24];

		ck_assert_ptr_nonnull(step);
		snprintf(name, sizeof name, "s%zu", i + 1);
		ck_assert_int_eq(str_set(&step->name, name), 0);
		step->state = STEP_PENDING;
	}
}

static inline void
row_free(struct record *row)
{
	codec_free(&record_codec, row);
}

static inline struct fact
fact_of(enum fact_kind kind, uint64_t step)
{
	struct fact fact;

	codec_init(&fact_codec, &fact);
	fact.kind = kind;
	fact.step = step;
	fact.ts_ms = 1764083050000;
	return fact;
}

#endif
