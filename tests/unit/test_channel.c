#include "tests/unit/worker_world.h"

#include <libgen.h>
#include <limits.h>

static struct world w;
static char self_path[PATH_MAX];
static char python_path[PATH_MAX + 64];

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

/* A step that runs this program, which then plays the PART of one (see main). */
static struct spec_step *
actor(const char *part)
{
	struct spec_step *step = world_step(&w, "actor");

	strs_add(&step->cmd.argv, self_path);
	strs_add(&step->cmd.argv, part);
	return step;
}

static void
say(struct step_msg *msg)
{
	struct buf frame;
	size_t begin;

	buf_init(&frame, LIMIT_FRAME + PIPE_HEAD);
	begin = pipe_frame_begin(&frame);
	if (codec_encode(&step_msg_codec, msg, &frame) < 0 ||
	    pipe_frame_end(&frame, begin, LIMIT_FRAME + PIPE_HEAD) < 0 ||
	    fd_write_all(STEP_FD, frame.data, frame.len) < 0)
		exit(99);
	buf_fini(&frame);
}

static void
say_type(char *type, char *name)
{
	struct step_msg msg;

	codec_init(&step_msg_codec, &msg);
	msg.type = type;
	msg.name = name;
	say(&msg);
}

static char begin_type[] = "begin", complete_type[] = "complete", warning_type[] = "warning",
	    checkpoint_type[] = "checkpoint", a_name[] = "sub";

static int
play_deep(void)
{
	for (int i = 0; i < 6; i++)
		say_type(begin_type, a_name);
	for (int i = 0; i < 7; i++)
		say_type(complete_type, NULL);
	say_type(begin_type, a_name); /* left open */
	return 0;
}

static int
play_many(void)
{
	for (int i = 0; i < LIMIT_SUBS + 10; i++) {
		say_type(begin_type, a_name);
		say_type(complete_type, NULL);
	}
	return 0;
}

static int
play_garbage(void)
{
	say_type(begin_type, a_name);
	if (write(STEP_FD, "\x05\x00\x00\x00hello", 9) != 9)
		return 99;
	if (write(STEP_FD, "more of it", 10) != 10) /* nobody listens, nobody is hurt */
		return 0;
	return 0;
}

static int
play_undeclared(void)
{
	struct step_msg msg;
	char type[] = "output", text[] = "1";

	codec_init(&step_msg_codec, &msg);
	msg.type = type;
	msg.name = a_name;
	msg.text = text;
	say(&msg);
	return 0;
}

static int
play_checkpoints(void)
{
	for (uint8_t i = 1; i <= 100; i++) {
		struct step_msg msg;

		codec_init(&step_msg_codec, &msg);
		msg.type = checkpoint_type;
		msg.value = (struct blob){ &i, 1 };
		say(&msg);
	}
	say_type(warning_type, NULL);
	return 0;
}

/* What the codec would not write: an output "sub" with a text of LEN bytes. */
static void
say_output(size_t len)
{
	static char text[LIMIT_TEXT + 1];
	static const char key[] = "text";
	struct buf frame;
	msgpack_packer packer;
	size_t begin;

	memset(text, 'x', sizeof text);
	buf_init(&frame, LIMIT_FRAME + PIPE_HEAD);
	begin = pipe_frame_begin(&frame);
	buf_packer(&frame, &packer);
	msgpack_pack_map(&packer, 3);
	pack_kv_str(&packer, "type", "output");
	pack_kv_str(&packer, "name", "sub");
	msgpack_pack_str_with_body(&packer, key, strlen(key));
	msgpack_pack_str_with_body(&packer, text, len);
	if (pipe_frame_end(&frame, begin, LIMIT_FRAME + PIPE_HEAD) < 0 ||
	    fd_write_all(STEP_FD, frame.data, frame.len) < 0)
		exit(99);
	buf_fini(&frame);
}

static int
play_long(void)
{
	for (int i = 0; i < 20; i++)
		say_output(LIMIT_TEXT + 1);
	say_output(LIMIT_TEXT);
	return 0;
}

static const struct {
	const char *name;
	int (*play)(void);
} parts[] = { { "deep", play_deep }, { "many", play_many }, { "garbage", play_garbage },
	{ "undeclared", play_undeclared }, { "long", play_long },
	{ "checkpoints", play_checkpoints } };

START_TEST(a_step_in_python_written_from_the_document_is_understood)
{
	struct spec_step *step = world_step(&w, "python");
	char *log;

	strs_add(&step->cmd.argv, "python3");
	strs_add(&step->cmd.argv, python_path);
	strs_add(&step->cmd.argv, "4");
	strs_add(&step->outputs, "parts");
	ck_assert_int_eq(world_run(&w), 0);
	log = world_log(&w);
	ck_assert_str_eq(log, "task 41 attempt 1 try 1 from 0\n");
	free(log);
	ck_assert_str_eq(world_fact(&w, FACT_SUB_BEGIN, 1)->name, "parts");
	ck_assert_uint_eq(world_fact(&w, FACT_SUB_BEGIN, 1)->count, 4);
	ck_assert_str_eq(world_fact(&w, FACT_SUB_END, 1)->detail, "4 of 4");
	ck_assert_int_eq(world_fact(&w, FACT_SUB_END, 1)->state, STEP_DONE);
	ck_assert_str_eq(world_fact(&w, FACT_OUTPUT, 1)->text, "4");
	ck_assert_str_eq(world_fact(&w, FACT_NOTIFICATION, 1)->text, "the parts are done");
	ck_assert_str_eq(world_fact(&w, FACT_WARNING, 1)->text, "it was only a test");
	ck_assert_ptr_nonnull(world_fact(&w, FACT_RESULT, 1)->value.data);
	ck_assert_uint_ge(world_count(&w, FACT_CHECKPOINT), 1);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_WARNED);
	ck_assert_double_eq(w.news.fraction, 1);
	ck_assert_str_eq(w.news.label, "nearly there");
	ck_assert_uint_eq(w.news.bytes_total, 4000);
}
END_TEST

START_TEST(the_next_try_gets_the_last_checkpoint)
{
	struct spec_step *step = world_step(&w, "python");
	char *log;

	strs_add(&step->cmd.argv, "python3");
	strs_add(&step->cmd.argv, python_path);
	strs_add(&step->cmd.argv, "4");
	strs_add(&step->cmd.argv, "2");
	strs_add(&step->outputs, "parts");
	step->retry_attempts = 1;
	ck_assert_int_eq(world_run(&w), 0);
	log = world_log(&w);
	ck_assert_str_eq(log, "task 41 attempt 1 try 1 from 0\ntask 41 attempt 1 try 2 from 2\n");
	free(log);
	ck_assert_int_eq(world_fact(&w, FACT_SUB_END, 1)->state, STEP_FAILED);
	ck_assert_uint_eq(world_fact(&w, FACT_SUB_BEGIN, 2)->sub, 2); /* numbers go on */
}
END_TEST

START_TEST(the_next_attempt_gets_the_last_checkpoint)
{
	static const uint8_t checkpoint[] = { 0x81, 0xa4, 'd', 'o', 'n', 'e', 0x03 };
	struct spec_step *step = world_step(&w, "python");
	char *log;

	strs_add(&step->cmd.argv, "python3");
	strs_add(&step->cmd.argv, python_path);
	strs_add(&step->cmd.argv, "4");
	strs_add(&step->outputs, "parts");
	w.brief.attempt = 2;
	w.brief.steps.v = calloc(1, sizeof *w.brief.steps.v);
	w.brief.steps.n = 1;
	w.brief.steps.v[0].state = STEP_PENDING;
	blob_set(&w.brief.steps.v[0].checkpoint, checkpoint, sizeof checkpoint);
	ck_assert_int_eq(world_run(&w), 0);
	log = world_log(&w);
	ck_assert_str_eq(log, "task 41 attempt 2 try 1 from 3\n");
	free(log);
}
END_TEST

START_TEST(sub_steps_are_nested_and_those_too_deep_are_not_told)
{
	actor("deep");
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_uint_eq(world_count(&w, FACT_SUB_BEGIN), LIMIT_SUB_DEPTH + 1);
	ck_assert_uint_eq(world_count(&w, FACT_SUB_END), LIMIT_SUB_DEPTH + 1);
	ck_assert_uint_eq(world_count(&w, FACT_WARNING), 1);
	ck_assert_uint_eq(world_fact(&w, FACT_SUB_BEGIN, 1)->parent, 0);
	ck_assert_uint_eq(world_fact(&w, FACT_SUB_BEGIN, 2)->parent, 1);
	ck_assert_uint_eq(world_fact(&w, FACT_SUB_BEGIN, 4)->parent, 3);
	ck_assert_uint_eq(world_fact(&w, FACT_SUB_BEGIN, 5)->parent, 0);
	ck_assert_uint_eq(world_fact(&w, FACT_SUB_END, 1)->sub, 4);
}
END_TEST

START_TEST(more_sub_steps_than_are_kept_cost_one_warning)
{
	actor("many");
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_uint_eq(world_count(&w, FACT_SUB_BEGIN), LIMIT_SUBS);
	ck_assert_uint_eq(world_count(&w, FACT_SUB_END), LIMIT_SUBS);
	ck_assert_uint_eq(world_count(&w, FACT_WARNING), 1);
}
END_TEST

START_TEST(bytes_that_are_no_frame_close_the_channel_and_nothing_else)
{
	actor("garbage");
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_uint_eq(world_count(&w, FACT_WARNING), 1);
	ck_assert_uint_eq(world_count(&w, FACT_SUB_END), 1);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_WARNED);
}
END_TEST

START_TEST(an_output_message_nobody_declared_fails_the_step)
{
	actor("undeclared");
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_str_eq(world_fact(&w, FACT_END, 1)->code, "undeclared_output");
	ck_assert_uint_eq(world_count(&w, FACT_OUTPUT), 0);
}
END_TEST

START_TEST(a_message_beyond_a_limit_is_left_out_and_the_warning_names_it)
{
	strs_add(&actor("long")->outputs, "sub");
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_uint_eq(world_count(&w, FACT_WARNING), 8);
	ck_assert_str_eq(world_fact(&w, FACT_WARNING, 1)->text,
	    "a message of the step was left out: \"text\" has 16385, the limit is 16384");
	ck_assert_uint_eq(strlen(world_fact(&w, FACT_OUTPUT, 1)->text), LIMIT_TEXT);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_WARNED);
}
END_TEST

START_TEST(checkpoints_that_come_at_once_are_one_and_the_last)
{
	const struct fact *last;
	size_t n;

	actor("checkpoints");
	ck_assert_int_eq(world_run(&w), 0);
	n = world_count(&w, FACT_CHECKPOINT);
	ck_assert_uint_ge(n, 1);
	last = world_fact(&w, FACT_CHECKPOINT, n);
	ck_assert_uint_eq(last->value.len, 1);
	ck_assert_uint_eq(last->value.data[0], 100);
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *suite = suite_create("channel");
	TCase *tests = tcase_create("channel");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 30);
	tcase_add_test(tests, a_step_in_python_written_from_the_document_is_understood);
	tcase_add_test(tests, the_next_try_gets_the_last_checkpoint);
	tcase_add_test(tests, the_next_attempt_gets_the_last_checkpoint);
	tcase_add_test(tests, sub_steps_are_nested_and_those_too_deep_are_not_told);
	tcase_add_test(tests, more_sub_steps_than_are_kept_cost_one_warning);
	tcase_add_test(tests, bytes_that_are_no_frame_close_the_channel_and_nothing_else);
	tcase_add_test(tests, an_output_message_nobody_declared_fails_the_step);
	tcase_add_test(tests, checkpoints_that_come_at_once_are_one_and_the_last);
	tcase_add_test(tests, a_message_beyond_a_limit_is_left_out_and_the_warning_names_it);
	suite_add_tcase(suite, tests);
	return suite;
}

int
main(int argc, char **argv)
{
	char cwd[PATH_MAX];

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; argc > 1 && i < sizeof parts / sizeof parts[0]; i++)
		if (strcmp(argv[1], parts[i].name) == 0)
			return parts[i].play();
	if (readlink("/proc/self/exe", self_path, sizeof self_path - 1) < 0 ||
	    !getcwd(cwd, sizeof cwd))
		return EXIT_FAILURE;
	/* The tests are run at the top of the tree, as everything is. */
	snprintf(python_path, sizeof python_path, "%s/tests/fake/step_python.py", cwd);
	return world_main(make_suite());
}
