#include "tests/integ/world.h"

#include <string.h>

START_TEST(a_command_runs_and_its_end_is_told)
{
	struct world world;
	const struct said *said;
	json_t *task;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = SUBMIT(&world, "--title", "say hello", "--", "echo", "hello");
	said = REEVE(&world, "wait", world_word(&world, id));
	ck_assert_int_eq(said->status, 0);
	task = world_show(&world, id);
	ck_doc(task, "status", "completed");
	ck_doc(task, "title", "say hello");
	ck_doc(task, "type", "command");
	ck_doc(task, "attempt", "1");
	ck_doc(task, "steps.0.status", "done");
	ck_doc(task, "steps.0.exit.code", "0");
	ck_doc(task, "progress", "1");
	ck_doc(task, "error", "null");
	ck_assert_ptr_nonnull(doc_at(task, "outcome"));
	said = REEVE(&world, "logs", world_word(&world, id));
	ck_assert_int_eq(said->status, 0);
	ck_assert_str_eq(said->out, "hello\n");
	world_close(&world);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("spine");
	TCase *tcase = world_tcase(suite, "spine");

	tcase_add_test(tcase, a_command_runs_and_its_end_is_told);
	return world_main(suite);
}
