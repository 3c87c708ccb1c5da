/* Steps on a terminal: real programs wait at their prompts, and get what was answered. */
#include "tests/unit/worker_world.h"

static struct world w;

static void
setup(void)
{
	world_init(&w);
	pairs_set(&w.brief.env, "HOME", w.work);
}

static void
teardown(void)
{
	world_fini(&w);
}

static void
on_tty(const char *sh)
{
	world_sh(&w, "talk", sh)->tty = true;
}

/* To the latest question of the first step. TEXT NULL: no field. */
static void
answer(uint64_t rev, bool yes, const char *text)
{
	const struct question *question = &world_fact(&w, FACT_QUESTION, rev)->question;
	struct order order;
	struct buf frame;
	size_t begin;

	codec_init(&order_codec, &order);
	order.rev = rev;
	order.want = WANT_RUN;
	order.answer.step = 1;
	order.answer.yes = yes;
	str_set(&order.answer.question, question->name);
	if (text)
		pairs_set(&order.answer.fields, question->fields.v[0].name, text);
	buf_init(&frame, PIPE_BUF);
	begin = pipe_frame_begin(&frame);
	ck_assert_int_eq(codec_encode(&order_codec, &order, &frame), 0);
	ck_assert_int_eq(pipe_frame_end(&frame, begin, PIPE_BUF), 0);
	ck_assert_int_eq(write(w.orders_fd, frame.data, frame.len), (ssize_t)frame.len);
	buf_fini(&frame);
	codec_free(&order_codec, &order);
}

/* Waits for the NTH question. TYPE NULL: it is a yes or no. */
static void
await_question(size_t nth, const char *text, const char *type)
{
	const struct question *question;

	world_await(&w, FACT_QUESTION, nth);
	question = &world_fact(&w, FACT_QUESTION, nth)->question;
	ck_assert_str_eq(question->text, text);
	ck_assert_uint_eq(question->fields.n, type ? 1 : 0);
	if (type)
		ck_assert_str_eq(question->fields.v[0].type, type);
}

static void
ck_completed(void)
{
	ck_assert_int_eq(world_wait(&w), 0);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_COMPLETED);
}

static void
ck_logged(const char *text, bool is_there)
{
	char *log = world_log(&w);

	ck_assert_msg(!strstr(log, text) == !is_there, "\"%s\" in %s", text, log);
	free(log);
}

START_TEST(a_step_has_a_terminal_of_its_own)
{
	on_tty("test -t 0 && test -t 1 && test -t 2 && : </dev/tty; stty size; echo $TERM; "
	       "printf '\\033[1mbold\\033[0m\\n'");
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_COMPLETED);
	ck_logged("24 80\nxterm\nbold\n", true);
}
END_TEST

START_TEST(without_one_nothing_is_read_and_nobody_asked)
{
	world_sh(&w, "talk", "read -r x || echo nobody; ! : 2>/dev/null </dev/tty");
	ck_assert_int_eq(world_run(&w), 0);
	ck_logged("nobody\n", true);
	ck_assert_uint_eq(world_count(&w, FACT_QUESTION), 0);
}
END_TEST

START_TEST(the_terminal_belongs_to_the_user_of_the_step)
{
	if (geteuid() != 0)
		return; /* there is no other user then */
	w.brief.change_user = true;
	w.brief.uid = w.brief.gid = 65534;
	ck_assert_int_eq(chmod(w.dir, 0711), 0);
	ck_assert_int_eq(chown(w.work, 65534, 65534), 0);
	on_tty(
	    "test -O \"$(tty)\" && echo mine >\"$(tty)\"; printf 'Name: '; read -r n; echo \"<$n>\"");
	world_start(&w);
	await_question(1, "Name:", "text");
	answer(1, true, "Ann");
	ck_completed();
	ck_logged("mine\n", true);
	ck_logged("<Ann>\n", true);
}
END_TEST

START_TEST(a_prompt_becomes_a_question_and_its_answer_is_typed)
{
	strs_add(&world_step(&w, "talk")->cmd.argv, "bash");
	strs_add(&w.brief.spec.steps.v[0].cmd.argv, "-c");
	strs_add(&w.brief.spec.steps.v[0].cmd.argv,
	    "read -p 'Name: ' n; echo \"hello $n\"; read -p 'Town: ' t; echo \"in $t\"");
	w.brief.spec.steps.v[0].tty = true;
	world_start(&w);
	await_question(1, "Name:", "text");
	answer(1, true, "Ann");
	await_question(2, "Town:", "text");
	answer(2, true, "Ulm");
	ck_completed();
	ck_logged("Name: Ann\nhello Ann\n", true);
	ck_logged("in Ulm\n", true);
	ck_assert_uint_eq(world_count(&w, FACT_WITHDRAWN), 0);
}
END_TEST

START_TEST(what_getpass_reads_is_a_secret_and_in_no_log)
{
	on_tty("/usr/bin/python3 -c 'import getpass; print(len(getpass.getpass(\"Key: \")))'");
	world_start(&w);
	await_question(1, "Key:", "secret");
	answer(1, true, "hunter22");
	ck_completed();
	ck_logged("8\n", true);
	ck_logged("hunter22", false);
}
END_TEST

START_TEST(a_password_that_is_asked_twice_is_two_questions)
{
	on_tty("stty -echo; printf 'New password: '; read -r a; echo; printf 'New password: '; "
	       "read -r b; echo; stty echo; echo \"${#a} ${#b}\"");
	world_start(&w);
	await_question(1, "New password:", "secret");
	answer(1, true, "one-secret");
	await_question(2, "New password:", "secret");
	answer(2, true, "other-secret");
	ck_completed();
	ck_logged("10 12\n", true);
	ck_logged("secret", false);
}
END_TEST

START_TEST(a_yes_or_no_is_asked_as_one)
{
	on_tty("printf 'Do you want to continue? [Y/n] '; read -r a; echo \"<$a>\"; "
	       "printf 'Sure (yes/no)? '; read -r a; echo \"<$a>\"");
	world_start(&w);
	await_question(1, "Do you want to continue? [Y/n]", NULL);
	answer(1, true, NULL);
	await_question(2, "Sure (yes/no)?", NULL);
	answer(2, false, NULL);
	ck_completed();
	ck_logged("<y>\n", true);
	ck_logged("<no>\n", true);
}
END_TEST

START_TEST(ssh_keygen_asks_whether_to_overwrite)
{
	on_tty(
	    "ssh-keygen -q -t ed25519 -N '' -f k; cp k old; ssh-keygen -q -t ed25519 -N '' -f k; "
	    "cmp -s k old || echo overwritten");
	world_start(&w);
	await_question(1, "Overwrite (y/n)?", NULL);
	answer(1, true, NULL);
	ck_completed();
	ck_logged("overwritten\n", true);
}
END_TEST

START_TEST(a_program_that_selects_or_polls_is_seen_to_wait)
{
	on_tty(
	    "/usr/bin/python3 -c '\nimport sys, select\nprint(\"One: \", end=\"\", flush=True)\n"
	    "select.select([0], [], [])\nprint(\"got\", sys.stdin.readline())\n"
	    "print(\"Two: \", end=\"\", flush=True)\np = select.poll()\np.register(0, select.POLLIN)\n"
	    "p.poll()\nprint(\"got\", sys.stdin.readline())\n'");
	world_start(&w);
	await_question(1, "One:", "text");
	answer(1, true, "1");
	await_question(2, "Two:", "text");
	answer(2, true, "2");
	ck_completed();
	ck_logged("got 2\n", true);
}
END_TEST

START_TEST(a_no_is_the_end_of_input)
{
	on_tty("printf 'More: '; read -r x || echo enough");
	world_start(&w);
	await_question(1, "More:", "text");
	answer(1, false, NULL);
	ck_completed();
	ck_logged("enough\n", true);
}
END_TEST

START_TEST(who_reads_without_a_word_is_named)
{
	on_tty("cat");
	world_start(&w);
	await_question(1, "cat waits for a line to be typed", "text");
	answer(1, false, NULL);
	ck_completed();
}
END_TEST

START_TEST(who_works_behind_an_unfinished_line_asks_nothing)
{
	on_tty("printf 'Working: '; sleep 2.5; echo done");
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_uint_eq(world_count(&w, FACT_QUESTION), 0);
	ck_logged("Working: done\n", true);
}
END_TEST

START_TEST(a_prompt_that_goes_away_by_itself_is_withdrawn)
{
	strs_add(&world_step(&w, "talk")->cmd.argv, "bash");
	strs_add(&w.brief.spec.steps.v[0].cmd.argv, "-c");
	strs_add(&w.brief.spec.steps.v[0].cmd.argv,
	    "read -t 3 -p 'Quick: ' x; echo gone; read -t 3 -p 'Last: ' x; true");
	w.brief.spec.steps.v[0].tty = true;
	world_start(&w);
	await_question(1, "Quick:", "text");
	await_question(2, "Last:", "text");
	ck_completed();
	ck_assert_uint_eq(world_count(&w, FACT_WITHDRAWN), 2);
}
END_TEST

START_TEST(a_cancel_ends_a_step_that_waits)
{
	on_tty("printf 'Name: '; read -r n");
	world_start(&w);
	await_question(1, "Name:", "text");
	world_order(&w, 1, WANT_CANCEL, false);
	ck_assert_int_eq(world_wait(&w), 0);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_CANCELLED);
}
END_TEST

START_TEST(the_bars_of_a_terminal_are_read_and_its_lines_counted)
{
	on_tty(
	    "printf '\\r\\033[K\\033[32m50%%\\033[0m [#####     ]'; printf '\\033[3G'; read -r x; "
	    "printf '\\rone\\ntwo\\n'");
	world_start(&w);
	world_await(&w, FACT_QUESTION, 1);
	ck_assert_double_eq(w.news.fraction, 0.5);
	answer(1, true, "");
	ck_completed();
	ck_assert_uint_eq(world_fact(&w, FACT_STEP_END, 1)->count, 3);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("prompt");
	TCase *tests = tcase_create("terminals");

	tcase_set_timeout(tests, 30);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_step_has_a_terminal_of_its_own);
	tcase_add_test(tests, without_one_nothing_is_read_and_nobody_asked);
	tcase_add_test(tests, the_terminal_belongs_to_the_user_of_the_step);
	tcase_add_test(tests, a_prompt_becomes_a_question_and_its_answer_is_typed);
	tcase_add_test(tests, what_getpass_reads_is_a_secret_and_in_no_log);
	tcase_add_test(tests, a_password_that_is_asked_twice_is_two_questions);
	tcase_add_test(tests, a_yes_or_no_is_asked_as_one);
	tcase_add_test(tests, ssh_keygen_asks_whether_to_overwrite);
	tcase_add_test(tests, a_program_that_selects_or_polls_is_seen_to_wait);
	tcase_add_test(tests, a_no_is_the_end_of_input);
	tcase_add_test(tests, who_reads_without_a_word_is_named);
	tcase_add_test(tests, who_works_behind_an_unfinished_line_asks_nothing);
	tcase_add_test(tests, a_prompt_that_goes_away_by_itself_is_withdrawn);
	tcase_add_test(tests, a_cancel_ends_a_step_that_waits);
	tcase_add_test(tests, the_bars_of_a_terminal_are_read_and_its_lines_counted);
	suite_add_tcase(suite, tests);
	return world_main(suite);
}
