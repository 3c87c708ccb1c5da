/* Questions: asked once, answered once, through everything that may die meanwhile. */
#include "tests/integ/world.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

/* What is run before and after the question leaves a line each time. */
static const char recipe[] =
    "steps:\n"
    "  - {name: before, cwd: ROOT, sh: 'echo before >>ran'}\n"
    "  - name: ask\n"
    "    confirm:\n"
    "      text: 'Overwrite it?'\n"
    "      yes: Overwrite\n"
    "      no: Keep it\n"
    "      fields:\n"
    "        why: {type: text, label: 'Why?'}\n"
    "        size: {type: choice, choices: [small, large], default: small}\n"
    "  - {name: after, cwd: ROOT, sh: 'echo \"$OUT_ASK_ANSWER $OUT_ASK_WHY\" "
    ">>ran'}\n";

/* ROOT/NAME with TEXT, in which ROOT stands for the world's directory. */
static const char *
write_recipe(struct world *world, const char *name, const char *text)
{
	char *out = NULL;
	size_t len = 0;
	FILE *file = open_memstream(&out, &len);
	const char *path;

	for (const char *at; (at = strstr(text, "ROOT")); text = at + 4)
		fprintf(file, "%.*s%s", (int)(at - text), text, world->root);
	fprintf(file, "%s", text);
	fclose(file);
	path = world_file(world, name, out);
	free(out);
	return path;
}

static uint64_t
ask(struct world *world)
{
	uint64_t id = SUBMIT(world, write_recipe(world, "ask.yaml", recipe));

	world_until(world, id, "status", "waiting_confirmation");
	return id;
}

static int
count_events(struct world *world, uint64_t id, const char *name)
{
	json_t *event;
	size_t i;
	int n = 0;

	json_array_foreach(doc_at(world_events(world, id), "events"), i, event)
	{
		n += strcmp(doc_text(event, "1.event"), name) == 0;
	}
	return n;
}

/* It was asked once and answered once, and nothing was done twice. */
static void
expect_done(struct world *world, uint64_t id)
{
	ck_assert_int_eq(REEVE(world, "wait", world_word(world, id))->status, 0);
	ck_assert_str_eq(world_read(world, "ran"), "before\nyes because\n");
	ck_assert_int_eq(count_events(world, id, "question"), 1);
	ck_assert_int_eq(count_events(world, id, "answered"), 1);
}

static void
say_yes(struct world *world, uint64_t id)
{
	const struct said *said =
	    REEVE(world, "answer", world_word(world, id), "yes", "why=because");

	ck_assert_msg(said->status == 0, "exit %d: %s", said->status, said->err);
}

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

static void
kill_worker(struct world *world, uint64_t id)
{
	pid_t worker = world_worker(world, id);

	ck_assert_int_gt(worker, 0);
	ck_assert_int_eq(kill(worker, SIGKILL), 0);
	world_wait_gone(worker);
}

/* Who dies; afterwards a service is there. */
static void
die(struct world *world, int who, uint64_t id)
{
	switch (who) {
	case 0:
		world_kill_supervisor(world);
		world_wait_served(world);
		break;
	case 1:
		world_kill_keeper(world);
		world_start(world);
		break;
	case 2:
		kill_worker(world, id);
		break;
	case 3:
		world_kill_all(world);
		world_start(world);
		break;
	case 4:
		world_kill_keeper(world);
		kill_worker(world, id);
		world_start(world);
		break;
	default:
		world_stop(world);
		world_start(world);
		break;
	}
}
enum {
	DEATHS = 6
};

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

/* ---- people --------------------------------------------------------------------------- */

static json_t *
answer_over(
    struct world *world, struct client *client, uint64_t id, const char *why, bool *ret_is_error)
{
	return world_call(world, client, "answer",
	    json_pack(
		"{s:I, s:s, s:{s:s}}", "id", (json_int_t)id, "answer", "yes", "fields", "why", why),
	    ret_is_error);
}

START_TEST(who_answers_second_is_told_who_was_first)
{
	struct world world;
	struct client one, two;
	json_t *reply;
	bool failed[2];
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = ask(&world);
	world_connect(&world, &one);
	world_connect(&world, &two);
	reply = answer_over(&world, &one, id, "because", &failed[0]);
	ck_assert(!failed[0]);
	ck_doc(reply, "answer", "yes");
	reply = answer_over(&world, &two, id, "I say so", &failed[1]);
	ck_assert(failed[1]);
	ck_doc(reply, "code", "conflict");
	ck_says(doc_text(reply, "message"), doc_text(world_show(&world, id), "owner"));
	client_fini(&one);
	client_fini(&two);
	expect_done(&world, id);
	world_close(&world);
}
END_TEST

START_TEST(a_refused_answer_names_its_field)
{
	struct world world;
	const struct said *said;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = ask(&world);
	said = REEVE(&world, "answer", world_word(&world, id), "yes", "why=x", "size=huge");
	ck_assert_int_eq(said->status, 2);
	ck_says(said->err, "size");
	said = REEVE(&world, "answer", world_word(&world, id), "yes");
	ck_assert_int_eq(said->status, 2);
	ck_says(said->err, "why");
	ck_doc(world_show(&world, id), "can.answer", "true");
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
	TCase *people = world_tcase(suite, "people");

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
	tcase_add_test(people, who_answers_second_is_told_who_was_first);
	tcase_add_test(people, a_refused_answer_names_its_field);
	return world_main(suite);
}
