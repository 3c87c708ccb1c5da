/* Questions as the worker sees them: recipes' own (worker/confirm.h) and those of programs. */
#include "tests/unit/worker_world.h"

#include <limits.h>

static struct world w;

static void
setup(void)
{
	world_init(&w);
}

static void
teardown(void)
{
	world_fini(&w);
}

static struct question *
ask_first(void)
{
	struct spec_step *step = world_step(&w, "ask");

	step->kind = STEP_KIND_CONFIRM;
	str_set(&step->confirm.name, CONFIRM_QUESTION);
	str_set(&step->confirm.text, "Go on?");
	strs_add(&step->outputs, "answer");
	return &step->confirm;
}

static void
add_field(struct question *question, const char *name, const char *type)
{
	struct question_field *field =
	    list_add((struct list *)&question->fields, &question_field_codec);

	str_set(&field->name, name);
	str_set(&field->type, type);
	strs_add(&w.brief.spec.steps.v[0].outputs, name);
}

static void
send_order(struct order *order)
{
	struct buf frame;
	size_t begin;

	buf_init(&frame, PIPE_BUF);
	begin = pipe_frame_begin(&frame);
	ck_assert_int_eq(codec_encode(&order_codec, order, &frame), 0);
	ck_assert_int_eq(pipe_frame_end(&frame, begin, PIPE_BUF), 0);
	ck_assert_int_eq(write(w.orders_fd, frame.data, frame.len), (ssize_t)frame.len);
	buf_fini(&frame);
}

/* How an answer to question NAME of step STEP begins. */
static void
begin_answer(struct order *order, uint64_t rev, uint64_t step, const char *name)
{
	codec_init(&order_codec, order);
	order->rev = rev;
	order->want = WANT_RUN;
	order->answer.step = step;
	str_set(&order->answer.question, name);
	str_set(&order->answer.by, "unix:ann");
}

static void
end_answer(struct order *order, bool yes)
{
	order->answer.yes = yes;
	send_order(order);
	codec_free(&order_codec, order);
}

/* To the first step's question. NAME NULL: no field. */
static void
answer(uint64_t rev, bool yes, const char *name, const char *value)
{
	struct order order;

	begin_answer(&order, rev, 1, CONFIRM_QUESTION);
	if (name)
		pairs_set(&order.answer.fields, name, value);
	end_answer(&order, yes);
}

START_TEST(a_yes_goes_on)
{
	ask_first();
	world_sh(&w, "work", "echo \"said $OUT_ASK_ANSWER\"");
	world_start(&w);
	world_await(&w, FACT_QUESTION, 1);
	ck_assert_str_eq(world_fact(&w, FACT_QUESTION, 1)->question.text, "Go on?");
	answer(1, true, NULL, NULL);
	ck_assert_int_eq(world_wait(&w), 0);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_COMPLETED);
	ck_assert(!world_fact(&w, FACT_STEP_END, 1)->exit.known);
	ck_assert_uint_eq(world_count(&w, FACT_QUESTION), 1);
	ck_assert_uint_eq(world_count(&w, FACT_WITHDRAWN), 0);
}
END_TEST

START_TEST(a_no_cancels_and_undoes)
{
	struct spec_step *first = world_sh(&w, "first", "true");
	struct order order;

	str_set(&first->undo.sh, "echo undone >undone");
	ask_first()->on_no = ON_NO_STOP;
	world_sh(&w, "work", "echo worked >worked");
	world_start(&w);
	world_await(&w, FACT_QUESTION, 1);
	begin_answer(&order, 1, 2, CONFIRM_QUESTION);
	end_answer(&order, false);
	ck_assert_int_eq(world_wait(&w), 0);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_CANCELLED);
	ck_assert_int_eq(world_fact(&w, FACT_UNDONE, 1)->state, STEP_UNDONE);
	ck_assert_ptr_null(world_fact(&w, FACT_STEP_BEGIN, 3));
	ck_assert_uint_lt(world_fact(&w, FACT_KILLED, 1)->receipt.duration_ms, 60000);
}
END_TEST

START_TEST(a_no_may_be_gone_on_with)
{
	char *log;

	ask_first()->on_no = ON_NO_GO_ON;
	world_sh(&w, "work", "echo \"said $OUT_ASK_ANSWER\"");
	world_start(&w);
	world_await(&w, FACT_QUESTION, 1);
	answer(1, false, NULL, NULL);
	ck_assert_int_eq(world_wait(&w), 0);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_COMPLETED);
	log = world_log(&w);
	ck_assert_ptr_nonnull(strstr(log, "said no\n"));
	free(log);
}
END_TEST

START_TEST(an_answer_that_is_held_waits_for_its_slot)
{
	struct order order;

	ask_first();
	world_start(&w);
	world_await(&w, FACT_QUESTION, 1);
	begin_answer(&order, 1, 1, CONFIRM_QUESTION);
	order.hold = true;
	end_answer(&order, true);
	world_await(&w, FACT_OBEYED, 1);
	ck_assert_uint_eq(world_count(&w, FACT_STEP_END), 0);
	world_order(&w, 2, WANT_RUN, false);
	ck_assert_int_eq(world_wait(&w), 0);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_COMPLETED);
}
END_TEST

START_TEST(a_known_answer_is_not_asked_for_again)
{
	struct brief_step *step;
	struct answer known = { .step = 1, .yes = true };

	ask_first();
	step = calloc(1, sizeof *step);
	w.brief.steps = (struct brief_steps){ step, 1 };
	step->state = STEP_PENDING;
	known.question = strdup(CONFIRM_QUESTION);
	ck_assert_int_eq(answers_put(&step->answers, &known), 0);
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_uint_eq(world_count(&w, FACT_QUESTION), 0);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_COMPLETED);
}
END_TEST

START_TEST(a_cancel_while_it_waits_works_at_once)
{
	ask_first();
	world_start(&w);
	world_await(&w, FACT_QUESTION, 1);
	world_order(&w, 1, WANT_CANCEL, false);
	ck_assert_int_eq(world_wait(&w), 0);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_CANCELLED);
	ck_assert_int_eq(world_fact(&w, FACT_STEP_END, 1)->state, STEP_CANCELLED);
}
END_TEST

/* True when TEXT is anywhere in the journal. */
static bool
is_journalled(const char *text)
{
	char *journal;
	size_t len;
	bool is_there;

	ck_assert_int_eq(fd_read_whole(w.journal_fd, 1 << 20, &journal, &len), 0);
	is_there = memmem(journal, len, text, strlen(text)) != NULL;
	free(journal);
	return is_there;
}

START_TEST(a_secret_reaches_later_steps_and_nothing_that_stays)
{
	add_field(ask_first(), "token", "secret");
	pairs_set(&world_sh(&w, "work", "test \"$OUT_ASK_TOKEN$MORE\" = hushhush")->env, "MORE",
	    "${steps.ask.token}");
	world_start(&w);
	world_await(&w, FACT_QUESTION, 1);
	answer(1, true, "token", "hush");
	ck_assert_int_eq(world_wait(&w), 0);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_COMPLETED);
	ck_assert(!is_journalled("hush"));
}
END_TEST

START_TEST(a_secret_that_is_lost_is_asked_for_again)
{
	struct brief_step *step;
	struct answer known = { .step = 1, .yes = true, .has_secrets = true };

	add_field(ask_first(), "token", "secret");
	step = calloc(1, sizeof *step);
	w.brief.steps = (struct brief_steps){ step, 1 };
	step->state = STEP_PENDING;
	known.question = strdup(CONFIRM_QUESTION);
	ck_assert_int_eq(answers_put(&step->answers, &known), 0);
	world_start(&w);
	world_await(&w, FACT_QUESTION, 1);
	ck_assert_ptr_nonnull(
	    strstr(world_fact(&w, FACT_QUESTION, 1)->question.problem, "is lost"));
	answer(1, true, "token", "hush");
	ck_assert_int_eq(world_wait(&w), 0);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_COMPLETED);
}
END_TEST

START_TEST(a_file_that_cannot_be_read_is_asked_for_again)
{
	char path[200];
	int fd;

	add_field(ask_first(), "config", "file");
	snprintf(path, sizeof path, "%s/config", w.dir);
	world_start(&w);
	world_await(&w, FACT_QUESTION, 1);
	answer(1, true, "config", path);
	world_await(&w, FACT_QUESTION, 2);
	ck_assert_ptr_nonnull(
	    strstr(world_fact(&w, FACT_QUESTION, 2)->question.problem, "field \"config\""));
	answer(2, true, "config", w.dir);
	world_await(&w, FACT_QUESTION, 3);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	ck_assert_int_ge(fd, 0);
	close(fd);
	answer(3, true, "config", path);
	ck_assert_int_eq(world_wait(&w), 0);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_COMPLETED);
}
END_TEST

START_TEST(a_file_is_read_with_the_rights_of_the_owner)
{
	char path[200];
	int fd;

	if (geteuid() != 0)
		return;
	add_field(ask_first(), "config", "file");
	w.brief.change_user = true;
	w.brief.uid = w.brief.gid = 65534;
	snprintf(path, sizeof path, "%s/config", w.dir);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(chmod(w.dir, 0711), 0);
	world_start(&w);
	world_await(&w, FACT_QUESTION, 1);
	answer(1, true, "config", path);
	world_await(&w, FACT_QUESTION, 2);
	ck_assert_int_eq(fchmod(fd, 0644), 0);
	close(fd);
	answer(2, true, "config", path);
	ck_assert_int_eq(world_wait(&w), 0);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_COMPLETED);
}
END_TEST

/* ---- programs that ask ---------------------------------------------------------------- */

/* A frame of a map, as shell's printf writes it: {type: question, question: {name, text}}. */
#define ASKS(name)                                                      \
 "printf '\\052\\000\\000\\000\\202\\244type\\250question\\250question" \
 "\\202\\244name\\242" name "\\244text\\243Go?' >&3\n"
START_TEST(a_program_asks_and_reads_its_answer)
{
	struct order order;

	world_sh(&w, "ask", ASKS("go") "dd bs=4096 count=1 <&5 2>/dev/null | grep -qa unix:ann");
	world_start(&w);
	world_await(&w, FACT_QUESTION, 1);
	ck_assert_str_eq(world_fact(&w, FACT_QUESTION, 1)->question.name, "go");
	begin_answer(&order, 1, 1, "go");
	end_answer(&order, true);
	ck_assert_int_eq(world_wait(&w), 0);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_COMPLETED);
	ck_assert_uint_eq(world_count(&w, FACT_WITHDRAWN), 0);
}
END_TEST

START_TEST(a_second_question_is_told_that_one_is_open)
{
	world_sh(&w, "ask",
	    ASKS("go") ASKS("ok") "dd bs=4096 count=1 <&5 2>/dev/null | grep -qa 'is open'");
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_WARNED);
	ck_assert_uint_eq(world_count(&w, FACT_QUESTION), 1);
}
END_TEST

START_TEST(a_question_is_withdrawn_with_the_end_of_its_step)
{
	world_sh(&w, "ask", ASKS("go"));
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_COMPLETED);
	ck_assert_str_eq(world_fact(&w, FACT_WITHDRAWN, 1)->name, "go");
}
END_TEST

START_TEST(a_question_without_a_name_is_refused_and_told)
{
	world_sh(&w, "ask", ASKS("-o") "dd bs=4096 count=1 <&5 2>/dev/null | grep -qa 'no name'");
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_WARNED);
	ck_assert_uint_eq(world_count(&w, FACT_QUESTION), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("asking");
	TCase *confirms = tcase_create("confirms");
	TCase *programs = tcase_create("programs");

	tcase_add_checked_fixture(confirms, setup, teardown);
	tcase_add_test(confirms, a_yes_goes_on);
	tcase_add_test(confirms, a_no_cancels_and_undoes);
	tcase_add_test(confirms, a_no_may_be_gone_on_with);
	tcase_add_test(confirms, an_answer_that_is_held_waits_for_its_slot);
	tcase_add_test(confirms, a_known_answer_is_not_asked_for_again);
	tcase_add_test(confirms, a_cancel_while_it_waits_works_at_once);
	tcase_add_test(confirms, a_secret_reaches_later_steps_and_nothing_that_stays);
	tcase_add_test(confirms, a_secret_that_is_lost_is_asked_for_again);
	tcase_add_test(confirms, a_file_that_cannot_be_read_is_asked_for_again);
	tcase_add_test(confirms, a_file_is_read_with_the_rights_of_the_owner);
	tcase_add_checked_fixture(programs, setup, teardown);
	tcase_add_test(programs, a_program_asks_and_reads_its_answer);
	tcase_add_test(programs, a_second_question_is_told_that_one_is_open);
	tcase_add_test(programs, a_question_is_withdrawn_with_the_end_of_its_step);
	tcase_add_test(programs, a_question_without_a_name_is_refused_and_told);
	suite_add_tcase(suite, confirms);
	suite_add_tcase(suite, programs);
	return world_main(suite);
}
