/* Questions: asked once, through everything that may die meanwhile. */
#include "tests/integ/questions.h"

START_TEST(a_question_waits_without_a_slot_and_its_answer_is_used)
{
	struct world world;
	json_t *task;
	uint64_t id;

	world_open(&world, __func__);
	world.slots = "1";
	world_start(&world);
	id = ask(&world);
	task = world_show(&world, id);
	ck_doc(task, "question.text", "Overwrite it?");
	ck_doc(task, "question.fields.0.label", "Why?");
	ck_doc(task, "can.answer", "true");
	ck_doc(task, "blocked_on.kind", "question");
	ck_assert_int_eq(REEVE(&world, "run", "--", "true")->status, 0); /* the slot is free */
	say_yes(&world, id);
	expect_done(&world, id);
	task = world_show(&world, id);
	ck_doc(task, "question", "null");
	ck_doc(task, "can.answer", "false");
	ck_doc(task, "outputs.ask.size", "small");
	ck_says(doc_text(task, "steps.1.detail"), "Overwrite, says unix:");
	world_close(&world);
}
END_TEST

START_TEST(an_answered_task_waits_for_a_slot_before_everybody_else)
{
	struct world world;
	uint64_t id, holder, other;

	world_open(&world, __func__);
	world.slots = "1";
	world_start(&world);
	id = ask(&world);
	holder = SUBMIT(&world, "--", "sh", "-c", "while [ ! -e go ]; do sleep .02; done");
	world_until(&world, holder, "status", "running");
	other = SUBMIT(&world, "--", "sh", "-c", "cat ran >seen");
	say_yes(&world, id);
	ck_doc(world_show(&world, id), "blocked_on.kind", "slot");
	world_kill_supervisor(&world);
	world_wait_served(&world);
	ck_doc(world_show(&world, id), "status", "waiting_confirmation");
	ck_doc(world_show(&world, id), "question", "null");
	world_file(&world, "go", "");
	expect_done(&world, id);
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, other))->status, 0);
	ck_says(world_read(&world, "seen"), "yes because");
	world_close(&world);
}
END_TEST

START_TEST(a_no_cancels_the_task_and_a_retry_asks_again)
{
	struct world world;
	json_t *task;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = ask(&world);
	ck_assert_int_eq(REEVE(&world, "answer", world_word(&world, id), "no")->status, 0);
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, id))->status, 3);
	task = world_show(&world, id);
	ck_says(doc_text(task, "outcome"), "cancelled by unix:");
	ck_assert_int_eq(REEVE(&world, "retry", world_word(&world, id))->status, 0);
	world_until(&world, id, "status", "waiting_confirmation");
	say_yes(&world, id);
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, id))->status, 0);
	ck_assert_str_eq(world_read(&world, "ran"), "before\nyes because\n");
	world_close(&world);
}
END_TEST

START_TEST(a_cancel_takes_the_question_away_at_once)
{
	struct world world;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = ask(&world);
	ck_assert_int_eq(REEVE(&world, "cancel", world_word(&world, id))->status, 0);
	ck_doc(world_show(&world, id), "question", "null");
	ck_assert_int_eq(REEVE(&world, "answer", world_word(&world, id), "no")->status, 1);
	world_close(&world);
}
END_TEST

static const char timed[] =
    "steps:\n"
    "  - {name: ask, confirm: {text: 'Go on?', default: DEFAULT, after: 300ms}}\n"
    "  - {name: after, cwd: ROOT, sh: 'echo after >>ran'}\n";

START_TEST(when_its_time_is_over_the_default_counts)
{
	struct world world;
	char text[512];
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	snprintf(text, sizeof text, "%s", timed);
	memcpy(strstr(text, "DEFAULT"), _i == 0 ? "    yes" : "     no", 7);
	id = SUBMIT(&world, write_recipe(&world, "timed.yaml", text));
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, id))->status, _i == 0 ? 0 : 3);
	ck_assert_str_eq(world_read(&world, "ran"), _i == 0 ? "after\n" : "");
	ck_assert_int_eq(count_events(&world, id, "answered"), 1);
	world_close(&world);
}
END_TEST

/* ---- deaths --------------------------------------------------------------------------- */

START_TEST(an_open_question_survives_every_death_and_is_asked_once)
{
	struct world world;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = ask(&world);
	for (uint64_t i = 0; i < 2; i++) {
		bool takes_worker = _i >= 2 && _i <= 4;

		die(&world, _i, id);
		if (takes_worker)
			world_until(&world, id, "attempt", world_word(&world, i + 2));
		world_until(&world, id, "status", "waiting_confirmation");
		ck_doc(world_show(&world, id), "question.text", "Overwrite it?");
	}
	say_yes(&world, id);
	expect_done(&world, id);
	world_close(&world);
}
END_TEST

START_TEST(a_question_is_answered_while_no_worker_lives)
{
	struct world world;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = ask(&world);
	/* The next worker is held back before it is there. */
	world_point(&world, "spawn.before", "sleep:700*1");
	kill_worker(&world, id);
	say_yes(&world, id);
	expect_done(&world, id);
	ck_doc(world_show(&world, id), "attempt", "2");
	world_close(&world);
}
END_TEST

/* Answered, and held: the one slot is another's. Then whoever it is dies. */
START_TEST(an_answer_survives_every_death)
{
	struct world world;
	uint64_t id, holder;

	world_open(&world, __func__);
	world.slots = "1";
	world_start(&world);
	id = ask(&world);
	holder = SUBMIT(&world, "--", "sh", "-c", "while [ ! -e go ]; do sleep .02; done");
	world_until(&world, holder, "status", "running");
	say_yes(&world, id);
	die(&world, _i, id);
	ck_doc(world_show(&world, id), "question", "null");
	world_file(&world, "go", "");
	expect_done(&world, id);
	world_close(&world);
}
END_TEST

static const char *const places[] = { "commit.before", "commit.after", "store.commit.before",
	"store.commit.after", "publish.before", "ingest.after_pread" };

START_TEST(a_supervisor_killed_at_any_boundary_takes_an_answer_once)
{
	struct world world;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = ask(&world);
	world_point(&world, places[_i], "kill*1");
	say_yes(&world, id);
	expect_done(&world, id);
	world_close(&world);
}
END_TEST

START_TEST(a_supervisor_killed_at_any_boundary_asks_once)
{
	struct world world;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	world_file(&world, "hold", "");
	id = SUBMIT(&world, write_recipe(&world, "ask.yaml", recipe));
	world_point(&world, places[_i], "kill*1");
	world_until(&world, id, "status", "waiting_confirmation");
	say_yes(&world, id);
	expect_done(&world, id);
	world_close(&world);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("questions");
	TCase *life = world_tcase(suite, "life");
	TCase *deaths = world_tcase(suite, "deaths");

	tcase_add_test(life, a_question_waits_without_a_slot_and_its_answer_is_used);
	tcase_add_test(life, an_answered_task_waits_for_a_slot_before_everybody_else);
	tcase_add_test(life, a_no_cancels_the_task_and_a_retry_asks_again);
	tcase_add_test(life, a_cancel_takes_the_question_away_at_once);
	tcase_add_loop_test(life, when_its_time_is_over_the_default_counts, 0, 2);
	tcase_add_loop_test(
	    deaths, an_open_question_survives_every_death_and_is_asked_once, 0, DEATHS);
	tcase_add_test(deaths, a_question_is_answered_while_no_worker_lives);
	tcase_add_loop_test(deaths, an_answer_survives_every_death, 0, DEATHS);
	tcase_add_loop_test(deaths, a_supervisor_killed_at_any_boundary_takes_an_answer_once, 0,
	    sizeof places / sizeof places[0]);
	tcase_add_loop_test(deaths, a_supervisor_killed_at_any_boundary_asks_once, 0,
	    sizeof places / sizeof places[0]);
	return world_main(suite);
}
