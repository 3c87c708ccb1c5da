#include "worker/pull/answer.h"

#include "tests/unit/suite.h"
#include "worker/pull/http.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct answer answer;
static struct decision decision;

/* Feeds a head given with bare newlines, as curl would: line by line. */
static void
feed(const char *head)
{
	char line[ANSWER_HEADER_BYTES * 2];

	while (*head) {
		int len = (int)strcspn(head, "\n");
		int n = snprintf(line, sizeof line, "%.*s\r\n", len, head);

		answer_feed(&answer, line, (size_t)n);
		head += len + (head[len] == '\n');
	}
}

static enum answer_verdict
judge(const char *head, uint64_t from, uint64_t want_bytes, struct meta *meta)
{
	struct ask ask = { .from = from, .want_bytes = want_bytes, .meta = meta };

	answer = (struct answer){ 0 };
	feed(head);
	ck_assert(answer.is_whole);
	answer_judge(&answer, &ask, 784111777, &decision);
	return decision.verdict;
}

static char etag[] = "\"one\"";
static struct meta known = { .etag = etag, .has_size = true, .size = 100 };
static struct meta unknown;

START_TEST(a_head_is_taken_apart)
{
	feed("HTTP/2 200 \nETag:\t \"one\" \nCONTENT-LENGTH: 12\nX-Other: 1\n\n");
	ck_assert_uint_eq(answer.status, 200);
	ck_assert(answer.is_whole);
	ck_assert_str_eq(answer.etag, "\"one\"");
	ck_assert_str_eq(answer.content_length, "12");
	ck_assert_str_eq(answer.location, "");
}
END_TEST

START_TEST(only_the_last_head_counts_and_trailers_do_not)
{
	feed("HTTP/1.1 103 Early Hints\nETag: \"early\"\n\n");
	ck_assert(!answer.is_whole);
	feed("HTTP/1.1 200 OK\n\n");
	ck_assert_str_eq(answer.etag, "");
	feed("ETag: \"late\"\n\n");
	ck_assert_str_eq(answer.etag, "");
}
END_TEST

START_TEST(a_hostile_head_is_harmless)
{
	char *text = malloc(ANSWER_HEADER_BYTES + 100);

	memset(text, 'x', ANSWER_HEADER_BYTES + 99);
	text[ANSWER_HEADER_BYTES + 99] = '\0';
	memcpy(text, "ETag: ", 6);
	feed("HTTP/1.1 99999999999999999999999 OK\n");
	ck_assert_uint_eq(answer.status, 0);
	feed("HTTP/\n:\n: :\nno colon\n\n");
	feed("HTTP/1.1 200 OK\n");
	feed(text);
	ck_assert_str_eq(answer.etag, "");
	answer_feed(&answer, "ETag: \"a\0b\"\r\n", 13);
	ck_assert_str_eq(answer.etag, "");
	answer_feed(&answer, "", 0);
	free(text);
}
END_TEST

START_TEST(a_200_is_the_file_from_its_start)
{
	ck_assert_int_eq(judge("HTTP/1.1 200 OK\nContent-Length: 7\n\n", 50, HTTP_UNKNOWN, &known),
	    ANSWER_WHOLE);
	ck_assert_uint_eq(decision.total, 7);
	ck_assert_int_eq(judge("HTTP/1.1 200 OK\n\n", 0, HTTP_UNKNOWN, &unknown), ANSWER_WHOLE);
	ck_assert_uint_eq(decision.total, HTTP_UNKNOWN);
	ck_assert_int_eq(judge("HTTP/1.1 200 OK\n\n", 0, 12, &unknown), ANSWER_WHOLE);
	ck_assert_uint_eq(decision.total, 12);
}
END_TEST

START_TEST(a_file_of_another_size_than_asked_for_is_refused_at_once)
{
	ck_assert_int_eq(
	    judge("HTTP/1.1 200 OK\nContent-Length: 7\n\n", 0, 8, &unknown), ANSWER_REFUSED);
	ck_assert_int_eq(decision.failure.exit, PULL_WRONG);
}
END_TEST

START_TEST(a_206_must_be_the_part_asked_for)
{
	static const struct {
		const char *range;
		enum answer_verdict verdict;
	} answers[] = {
		{ "Content-Range: bytes 50-99/100\n", ANSWER_REST },
		{ "Content-Range: bytes 50-99/*\n", ANSWER_REST },
		{ "Content-Range: bytes 50-60/100\n", ANSWER_REST },
		{ "Content-Range: bytes 49-99/100\n", ANSWER_UNFIT },
		{ "Content-Range: bytes 0-99/100\n", ANSWER_UNFIT },
		{ "Content-Range: bytes 50-100/101\n", ANSWER_UNFIT },
		{ "Content-Range: bytes */100\n", ANSWER_UNFIT },
		{ "Content-Range: rubbish\n", ANSWER_UNFIT },
		{ "", ANSWER_UNFIT },
		{ "ETag: \"two\"\nContent-Range: bytes 50-99/100\n", ANSWER_UNFIT },
		{ "ETag: \"one\"\nContent-Range: bytes 50-99/100\n", ANSWER_REST },
	};
	char head[256];

	snprintf(head, sizeof head, "HTTP/1.1 206 Partial Content\n%s\n", answers[_i].range);
	ck_assert_msg(judge(head, 50, HTTP_UNKNOWN, &known) == answers[_i].verdict, "%s", head);
	if (decision.verdict == ANSWER_REST)
		ck_assert_uint_eq(decision.total, 100);
	ck_assert_int_eq(judge(head, 0, HTTP_UNKNOWN, &unknown), ANSWER_REFUSED);
}
END_TEST

START_TEST(a_416_is_complete_only_at_the_very_end)
{
	const char *at_end = "HTTP/1.1 416 No\nContent-Range: bytes */100\n\n";

	ck_assert_int_eq(judge(at_end, 100, HTTP_UNKNOWN, &unknown), ANSWER_COMPLETE);
	ck_assert_int_eq(judge(at_end, 101, HTTP_UNKNOWN, &unknown), ANSWER_UNFIT);
	ck_assert_int_eq(judge("HTTP/1.1 416 No\n\n", 100, HTTP_UNKNOWN, &unknown), ANSWER_UNFIT);
	ck_assert_int_eq(judge(at_end, 0, HTTP_UNKNOWN, &unknown), ANSWER_REFUSED);
}
END_TEST

START_TEST(what_may_go_better_later_is_told_from_what_will_not)
{
	static const struct {
		const char *head;
		enum answer_verdict verdict;
	} answers[] = {
		{ "HTTP/1.1 500 X\n\n", ANSWER_BUSY },
		{ "HTTP/1.1 503 X\n\n", ANSWER_BUSY },
		{ "HTTP/1.1 599 X\n\n", ANSWER_BUSY },
		{ "HTTP/1.1 429 X\n\n", ANSWER_BUSY },
		{ "HTTP/1.1 400 X\n\n", ANSWER_REFUSED },
		{ "HTTP/1.1 401 X\n\n", ANSWER_REFUSED },
		{ "HTTP/1.1 403 X\n\n", ANSWER_REFUSED },
		{ "HTTP/1.1 404 X\n\n", ANSWER_REFUSED },
		{ "HTTP/1.1 410 X\n\n", ANSWER_REFUSED },
		{ "HTTP/1.1 204 X\n\n", ANSWER_REFUSED },
		{ "HTTP/1.1 304 X\nLocation: /x\n\n", ANSWER_REFUSED },
		{ "HTTP/1.1 302 X\n\n", ANSWER_REFUSED },
		{ "HTTP/1.1 600 X\n\n", ANSWER_REFUSED },
		{ "HTTP/1.1 302 X\nLocation: /x\n\n", ANSWER_REDIRECT },
		{ "HTTP/1.1 308 X\nLocation: /x\n\n", ANSWER_REDIRECT },
	};

	ck_assert_msg(judge(answers[_i].head, 0, HTTP_UNKNOWN, &unknown) == answers[_i].verdict,
	    "%s", answers[_i].head);
	ck_assert(!decision.has_retry_after);
}
END_TEST

START_TEST(a_busy_server_may_say_when)
{
	judge("HTTP/1.1 503 X\nRetry-After: 3\n\n", 0, HTTP_UNKNOWN, &unknown);
	ck_assert(decision.has_retry_after);
	ck_assert_uint_eq(decision.retry_after_ms, 3000);
}
END_TEST

START_TEST(only_what_proves_sameness_is_written_down)
{
	struct meta meta = { 0 };

	judge("HTTP/1.1 200 OK\nETag: W/\"x\"\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\n"
	      "Date: Sun, 06 Nov 1994 08:49:37 GMT\n\n",
	    0, HTTP_UNKNOWN, &unknown);
	ck_assert_int_eq(answer_describe(&answer, "http://x/", HTTP_UNKNOWN, &meta), 0);
	ck_assert_ptr_null(meta_validator(&meta));
	ck_assert(!meta.has_size);
	meta_free(&meta);
	judge("HTTP/1.1 200 OK\nETag: \"x\"\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\n"
	      "Date: Sun, 06 Nov 1994 08:50:37 GMT\n\n",
	    0, HTTP_UNKNOWN, &unknown);
	ck_assert_int_eq(answer_describe(&answer, "http://x/", 9, &meta), 0);
	ck_assert_str_eq(meta_validator(&meta), "\"x\"");
	ck_assert_str_eq(meta.last_modified, "Sun, 06 Nov 1994 08:49:37 GMT");
	ck_assert_uint_eq(meta.size, 9);
	meta_free(&meta);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pull_answer");
	TCase *tests = tcase_create("all");

	tcase_add_test(tests, a_head_is_taken_apart);
	tcase_add_test(tests, only_the_last_head_counts_and_trailers_do_not);
	tcase_add_test(tests, a_hostile_head_is_harmless);
	tcase_add_test(tests, a_200_is_the_file_from_its_start);
	tcase_add_test(tests, a_file_of_another_size_than_asked_for_is_refused_at_once);
	tcase_add_loop_test(tests, a_206_must_be_the_part_asked_for, 0, 11);
	tcase_add_test(tests, a_416_is_complete_only_at_the_very_end);
	tcase_add_loop_test(tests, what_may_go_better_later_is_told_from_what_will_not, 0, 15);
	tcase_add_test(tests, a_busy_server_may_say_when);
	tcase_add_test(tests, only_what_proves_sameness_is_written_down);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
