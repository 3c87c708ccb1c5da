#include "worker/mask.h"

#include "tests/unit/suite.h"
#include "tests/unit/worker_world.h"

static struct mask mask;
static struct buf out;

static void
hide(const char *first, const char *second)
{
	struct pairs secrets = { .v = NULL };

	ck_assert_int_eq(pairs_set(&secrets, "a", first), 0);
	if (second)
		ck_assert_int_eq(pairs_set(&secrets, "b", second), 0);
	ck_assert_int_eq(mask_init(&mask, &secrets), 0);
	pairs_free(&secrets);
}

static void
append(const void *data, size_t len, void *arg)
{
	ck_assert_int_eq(buf_add(arg, data, len), 0);
}

/* Every way to cut TEXT into two pieces, and byte by byte, gives WANTED. */
static void
becomes(const char *text, const char *wanted)
{
	size_t len = strlen(text);

	for (size_t cut = 0; cut <= len + 1; cut++) {
		struct mask_stream stream;
		size_t step = cut > len ? 1 : cut;

		mask_stream_init(&stream);
		buf_init(&out, 4096);
		if (cut <= len) {
			mask_stream_feed(&mask, &stream, text, step, append, &out);
			mask_stream_feed(&mask, &stream, text + step, len - step, append, &out);
		}
		for (size_t at = 0; cut > len && at < len; at++)
			mask_stream_feed(&mask, &stream, text + at, 1, append, &out);
		mask_stream_end(&mask, &stream, append, &out);
		buf_add(&out, "", 1);
		ck_assert_str_eq((const char *)out.data, wanted);
		buf_fini(&out);
		mask_stream_fini(&stream);
	}
	mask_fini(&mask);
}

START_TEST(a_secret_is_masked_wherever_it_is_cut)
{
	hide("hush", NULL);
	becomes("say hush, hus, hushhush hu", "say ***, hus, ****** hu");
}
END_TEST

START_TEST(the_longer_of_two_that_begin_alike_is_the_one)
{
	hide("hush", "hush money");
	becomes("hush money, hush mone", "***, *** mone");
}
END_TEST

START_TEST(one_that_overlaps_itself_is_found)
{
	hide("aab", NULL);
	becomes("aaab aaaaab", "a*** aaa***");
}
END_TEST

START_TEST(each_line_of_a_longer_one_is_masked)
{
	hide("-----KEY\nabcdef\n}\nghijkl\n", NULL);
	becomes("-----KEY\r\nabcdef\r\n}\r\n", "***\r\n***\r\n}\r\n");
}
END_TEST

START_TEST(a_short_one_is_masked_too)
{
	hide("7", NULL);
	becomes("17 x 7\n", "1* x *\n");
}
END_TEST

START_TEST(without_secrets_everything_passes_at_once)
{
	struct mask_stream stream;

	mask_stream_init(&stream);
	buf_init(&out, 4096);
	mask_stream_feed(&mask, &stream, "anything", 8, append, &out);
	ck_assert_uint_eq(out.len, 8);
	ck_assert(!mask_finds(&mask, "anything", 8));
	buf_fini(&out);
}
END_TEST

START_TEST(an_empty_secret_hides_nothing)
{
	hide("", NULL);
	ck_assert_uint_eq(mask.n, 0);
}
END_TEST

START_TEST(a_masked_text_is_never_longer)
{
	int error;
	char *text;

	hide("x", NULL);
	text = mask_text(&mask, "xxyx", &error);
	ck_assert_str_eq(text, "**y*");
	free(text);
	ck_assert_ptr_null(mask_text(&mask, "none", &error));
	ck_assert_int_eq(error, 0);
	mask_fini(&mask);
}
END_TEST

/* ---- in a worker -------------------------------------------------------------------- */

static struct world w;

static void
setup(void)
{
	world_init(&w);
	pairs_set(&w.brief.secrets, "api-key", "hush-hush");
}

static void
teardown(void)
{
	world_fini(&w);
}

START_TEST(steps_find_secrets_in_their_environment_and_the_log_does_not)
{
	struct spec_step *step;
	char *log, *text;
	size_t len;

	world_sh(&w, "sh", "printf %s \"$PARAM_API_KEY\" >used; echo \"key: $PARAM_API_KEY.\"");
	step = world_step(&w, "run");
	strs_add(&step->cmd.argv, "sh");
	strs_add(&step->cmd.argv, "-c");
	strs_add(&step->cmd.argv, "test \"$KEY\" = '<hush-hush>'; printf hush- >&2; echo hush >&2");
	pairs_set(&step->env, "KEY", "<${api-key}>");
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_int_eq(world_fact(&w, FACT_END, 1)->outcome, TASK_COMPLETED);
	ck_assert_int_eq(fd_read_file(w.dir_fd, "work/used", 64, &text, &len), 0);
	ck_assert_str_eq(text, "hush-hush");
	log = world_log(&w);
	ck_assert_str_eq(log, "key: ***.\n***\n");
	free(text);
	free(log);
}
END_TEST

START_TEST(the_last_lines_of_a_failure_are_masked)
{
	world_sh(&w, "bad", "echo \"wrong: $PARAM_API_KEY\"; exit 1");
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_str_eq(world_fact(&w, FACT_END, 1)->tail, "wrong: ***");
}
END_TEST

START_TEST(an_output_that_holds_a_secret_is_refused)
{
	strs_add(
	    &world_sh(&w, "bad", "echo url=\"x$PARAM_API_KEY\" >>$REEVE_OUTPUT")->outputs, "url");
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_uint_eq(world_count(&w, FACT_OUTPUT), 0);
	ck_assert_str_eq(world_fact(&w, FACT_END, 1)->message,
	    "output \"url\" holds a secret parameter, and outputs are stored");
}
END_TEST

/* A Python step, for what needs frames. */
static const char speaker[] =
    "exec python3 -c '\n"
    "import os, struct, msgpack\n"
    "key = os.environ[\"PARAM_API_KEY\"]\n"
    "def say(**message):\n"
    "    body = msgpack.packb(message)\n"
    "    os.write(int(os.environ[\"REEVE_FD\"]), struct.pack(\"<I\", len(body)) + body)\n"
    "say(type=\"label\", label=\"with \" + key)\n"
    "say(type=\"begin\", name=\"sub \" + key)\n"
    "say(type=\"complete\", detail=\"did \" + key)\n"
    "say(type=\"warning\", text=key + \" is old\")\n"
    "say(type=\"checkpoint\", value={\"at\": [key]})\n"
    "say(type=\"result\", value=key)\n"
    "say(type=\"result\", value=\"fine\")\n"
    "'";

START_TEST(nothing_a_step_reports_holds_a_secret)
{
	struct stat st;
	char *bytes;

	world_sh(&w, "speaks", speaker);
	ck_assert_int_eq(world_run(&w), 0);
	ck_assert_str_eq(world_fact(&w, FACT_SUB_BEGIN, 1)->name, "sub ***");
	ck_assert_str_eq(world_fact(&w, FACT_SUB_END, 1)->detail, "did ***");
	ck_assert_str_eq(world_fact(&w, FACT_WARNING, 1)->text, "*** is old");
	ck_assert_str_eq(world_fact(&w, FACT_WARNING, 2)->text,
	    "a checkpoint that holds a secret parameter was left out");
	ck_assert_uint_eq(world_count(&w, FACT_CHECKPOINT), 0);
	ck_assert_uint_eq(world_count(&w, FACT_RESULT), 1);
	ck_assert_str_eq(w.news.label, "with ***");
	ck_assert_int_eq(fstat(w.journal_fd, &st), 0);
	bytes = malloc((size_t)st.st_size);
	ck_assert_int_eq(pread(w.journal_fd, bytes, (size_t)st.st_size, 0), st.st_size);
	ck_assert_ptr_null(memmem(bytes, (size_t)st.st_size, "hush-hush", 9));
	free(bytes);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("mask");
	TCase *tests = tcase_create("mask"), *worker = tcase_create("worker");

	tcase_add_test(tests, a_secret_is_masked_wherever_it_is_cut);
	tcase_add_test(tests, the_longer_of_two_that_begin_alike_is_the_one);
	tcase_add_test(tests, one_that_overlaps_itself_is_found);
	tcase_add_test(tests, each_line_of_a_longer_one_is_masked);
	tcase_add_test(tests, a_short_one_is_masked_too);
	tcase_add_test(tests, without_secrets_everything_passes_at_once);
	tcase_add_test(tests, an_empty_secret_hides_nothing);
	tcase_add_test(tests, a_masked_text_is_never_longer);
	tcase_set_timeout(worker, 60);
	tcase_add_checked_fixture(worker, setup, teardown);
	tcase_add_test(worker, steps_find_secrets_in_their_environment_and_the_log_does_not);
	tcase_add_test(worker, the_last_lines_of_a_failure_are_masked);
	tcase_add_test(worker, an_output_that_holds_a_secret_is_refused);
	tcase_add_test(worker, nothing_a_step_reports_holds_a_secret);
	suite_add_tcase(suite, tests);
	suite_add_tcase(suite, worker);
	return world_main(suite);
}
