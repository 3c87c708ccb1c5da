/* tests/integ/patient.h - a task that waits to be let go, and tells how often it ran. */
#ifndef TESTS_INTEG_PATIENT_H
#define TESTS_INTEG_PATIENT_H

#include "tests/integ/world.h"

/* Runs until ROOT/go is there; what it does it does once: a line in ROOT/ran each time. */
static const char patient[] = "echo ran >>ran; echo begun; while [ ! -e go ]; do sleep .02; done";

static inline uint64_t
start_patient(struct world *world)
{
	uint64_t id = SUBMIT(world, "--", "sh", "-c", patient);

	world_until(world, id, "status", "running");
	world_until_file(world, "ran");
	return id;
}

static inline void
let_it_go(struct world *world, uint64_t id)
{
	world_file(world, "go", "");
	ck_assert_int_eq(REEVE(world, "wait", world_word(world, id))->status, 0);
	ck_assert_str_eq(world_read(world, "ran"), "ran\n");
	ck_doc(world_show(world, id), "attempt", "1");
}

#endif
