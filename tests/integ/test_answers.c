/* Answers: one counts, who is second is told, and a secret stays one. */
#include "tests/integ/questions.h"

/* ---- secrets -------------------------------------------------------------------------- */

static const char secret[] =
    "steps:\n"
    "  - {name: ask, confirm: {text: 'Token?', fields: {token: {type: secret}}}}\n"
    "  - name: use\n"
    "    cwd: ROOT\n"
    "    env: {TOKEN: '${steps.ask.token}'}\n"
    "    sh: 'test ${#TOKEN} = 8; test \"$TOKEN\" = \"$OUT_ASK_TOKEN\"; echo used "
    ">>ran; while [ ! -e go ]; do sleep .02; done; echo \"$TOKEN\"'\n"
    "on_interrupt: resume\n";

static void
tell_secret(struct world *world, uint64_t id)
{
	const char *const words[] = { "answer", world_word(world, id), "--secret", "token", NULL };
	char path[WORLD_PATH + 16];
	const struct said *said;

	snprintf(path, sizeof path, "%s/reeve", world->bin);
	said = world_exec(world, path, words, "hushhush\n");
	ck_assert_msg(said->status == 0, "exit %d: %s", said->status, said->err);
}

/* In no file of the service, whatever it is called. */
static void
expect_unwritten(struct world *world)
{
	const char *const words[] = { "-rqa", "hushhush", world->state, world->rundir, world->log,
		NULL };

	ck_assert_int_eq(world_exec(world, "grep", words, NULL)->status, 1);
}

/* The worker that has it dies (0), and the supervisor that was told (1), too. */
START_TEST(a_secret_answer_is_kept_over_deaths_and_never_written)
{
	struct world world;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = SUBMIT(&world, write_recipe(&world, "secret.yaml", secret));
	world_until(&world, id, "status", "waiting_confirmation");
	tell_secret(&world, id);
	world_until_file(&world, "ran");
	if (_i == 1)
		die(&world, 0, id);
	kill_worker(&world, id);
	world_until(&world, id, "attempt", "2");
	world_until_event(&world, id, "step_begin", 3);
	expect_unwritten(&world);
	world_file(&world, "go", "");
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, id))->status, 0);
	ck_assert_int_eq(count_events(&world, id, "question"), 1);
	ck_doc(world_show(&world, id), "outputs.ask.token", "null");
	expect_unwritten(&world);
	world_close(&world);
}
END_TEST

/* With the keeper goes what it kept: the question says why it is there again. */
START_TEST(a_secret_answer_that_is_lost_is_asked_for_again)
{
	struct world world;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = SUBMIT(&world, write_recipe(&world, "secret.yaml", secret));
	world_until(&world, id, "status", "waiting_confirmation");
	tell_secret(&world, id);
	world_until_file(&world, "ran");
	world_kill_all(&world);
	world_start(&world);
	world_until(&world, id, "status", "waiting_confirmation");
	ck_says(doc_text(world_show(&world, id), "question.problem"), "is lost");
	tell_secret(&world, id);
	world_file(&world, "go", "");
	ck_assert_int_eq(REEVE(&world, "wait", world_word(&world, id))->status, 0);
	ck_assert_str_eq(world_read(&world, "ran"), "used\nused\n");
	world_close(&world);
}
END_TEST

START_TEST(a_secret_on_the_command_line_is_refused)
{
	struct world world;
	const struct said *said;
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = SUBMIT(&world, write_recipe(&world, "secret.yaml", secret));
	world_until(&world, id, "status", "waiting_confirmation");
	said = REEVE(&world, "answer", world_word(&world, id), "token=hushhush");
	ck_assert_int_eq(said->status, 2);
	ck_says(said->err, "--secret");
	ck_doc(world_show(&world, id), "can.answer", "true");
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

/* Sent before either is answered: the service has both at once. */
START_TEST(of_two_answers_at_the_same_moment_one_counts)
{
	struct world world;
	const struct said *said;
	char script[1024];
	uint64_t id;

	world_open(&world, __func__);
	world_start(&world);
	id = ask(&world);
	snprintf(script, sizeof script,
	    "R=%s/reeve; for i in 1 2 3 4 5 6; do (if $R answer %d yes why=because; then echo won; "
	    "else echo lost; fi) & done; wait",
	    world.bin, (int)id);
	said = world_exec(&world, "sh", (const char *const[]){ "-c", script, NULL }, NULL);
	ck_says(said->out, "won\n");
	ck_assert_ptr_null(strstr(strstr(said->out, "won\n") + 1, "won\n"));
	ck_says(said->err, "it was answered already: yes by unix:");
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
	Suite *suite = suite_create("answers");
	TCase *secrets = world_tcase(suite, "secrets");
	TCase *people = world_tcase(suite, "people");

	tcase_add_loop_test(secrets, a_secret_answer_is_kept_over_deaths_and_never_written, 0, 2);
	tcase_add_test(secrets, a_secret_answer_that_is_lost_is_asked_for_again);
	tcase_add_test(secrets, a_secret_on_the_command_line_is_refused);
	tcase_add_test(people, of_two_answers_at_the_same_moment_one_counts);
	tcase_add_test(people, who_answers_second_is_told_who_was_first);
	tcase_add_test(people, a_refused_answer_names_its_field);
	return world_main(suite);
}
