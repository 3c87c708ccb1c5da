/* The real reeve-pull and what may go wrong around it: servers that lie, redirects, full disks. */
#include "tests/integ/pull_script.h"
#include "tests/integ/pull_world.h"

#include "ipc/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCRIPTED(s) url((char[URL_TEXT]){ 0 }, "http", (s).port, "/f")

/* ---- strange servers ------------------------------------------------------------------ */

#define TEN "\r\nETag: \"one\"\r\nConnection: close\r\nContent-Length: 10\r\n\r\n"
#define REST(range) \
 "HTTP/1.1 206 P\r\nETag: \"one\"\r\nConnection: close\r\nContent-Range: bytes " range "\r\n\r\n"

static void
expect_text(const char *expected)
{
	char *data;
	size_t len;

	ck_assert_int_eq(fd_read_file(AT_FDCWD, "f", 4096, &data, &len), 0);
	ck_assert_str_eq(data, expected);
	free(data);
	ck_assert_int_eq(access("f.part", F_OK), -1);
}

static bool
has(const char *request, const char *text)
{
	return strstr(request, text) != NULL;
}

START_TEST(a_truncated_answer_is_gone_on_with)
{
	struct script script = { .lines = { { .reply = "HTTP/1.1 200 OK" TEN "0123" },
				     { .reply = REST("4-9/10") "456789" } } };

	script_start(&script);
	ck_assert_int_eq(
	    RUN_PULL(&run, "--url", SCRIPTED(script), "--to", "f", "--retry-delay", "1ms"), 0);
	script_stop(&script);
	expect_text("0123456789");
	ck_assert(!has(script.requests[0], "Range:"));
	ck_assert(has(script.requests[1], "\r\nRange: bytes=4-\r\n"));
	ck_assert(has(script.requests[1], "\r\nIf-Range: \"one\"\r\n"));
}
END_TEST

START_TEST(a_piece_that_was_not_asked_for_is_not_believed)
{
	static const char *const lies[] = {
		REST("0-9/10") "0123456789",
		REST("5-9/10") "56789",
		REST("4-10/11") "456789X",
		REST("*/10"),
		"HTTP/1.1 206 P\r\nContent-Length: 6\r\n\r\n456789",
		"HTTP/1.1 206 P\r\nETag: \"two\"\r\nContent-Range: bytes 4-9/10\r\n\r\n456789",
		"HTTP/1.1 416 R\r\nContent-Range: bytes */3\r\nContent-Length: 0\r\n\r\n",
	};
	struct script script = { .lines = { { .reply = "HTTP/1.1 200 OK" TEN "0123" },
				     { .reply = lies[_i] },
				     { .reply = "HTTP/1.1 200 OK" TEN "abcdefghij" } } };

	script_start(&script);
	ck_assert_int_eq(
	    RUN_PULL(&run, "--url", SCRIPTED(script), "--to", "f", "--retry-delay", "1ms"), 0);
	script_stop(&script);
	expect_said("starting again");
	expect_text("abcdefghij");
	ck_assert(!has(script.requests[2], "Range:"));
}
END_TEST

START_TEST(a_whole_file_of_unknown_length_is_complete_at_416)
{
	struct script script = {
		.lines = { { .reply = "HTTP/1.1 200 OK\r\nETag: \"one\"\r\nTransfer-Encoding: "
				      "chunked\r\n\r\na\r\n0123456789\r\n" },
		    { .reply = "HTTP/1.1 416 R\r\nContent-Range: bytes */10\r\n\r\n" } }
	};

	script_start(&script);
	ck_assert_int_eq(
	    RUN_PULL(&run, "--url", SCRIPTED(script), "--to", "f", "--retry-delay", "1ms"), 0);
	script_stop(&script);
	ck_assert(has(script.requests[1], "\r\nRange: bytes=10-\r\n"));
	expect_text("0123456789");
}
END_TEST

START_TEST(a_server_that_falls_silent_is_asked_again)
{
	struct script script = { .lines = {
				     { .reply = "HTTP/1.1 200 OK" TEN "0123", .holds = true },
				     { .reply = REST("4-9/10") "456789" } } };

	script_start(&script);
	ck_assert_int_eq(RUN_PULL(&run, "--url", SCRIPTED(script), "--to", "f", "--retry-delay",
			     "1ms", "--stall", "500ms"),
	    0);
	script_stop(&script);
	expect_said("not a byte for");
	expect_text("0123456789");
}
END_TEST

/* First that nothing comes, and when the try is given up why. */
START_TEST(under_a_worker_it_says_that_it_waits_for_the_network)
{
	struct script script = { .lines = {
				     { .reply = "HTTP/1.1 200 OK" TEN "0123", .holds = true },
				     { .reply = REST("4-9/10") "456789" } } };
	struct step_msg message;
	bool saw_silence = false, saw_failure = false;

	script_start(&script);
	run_start(&run, true,
	    (const char *const[]){ "--url", SCRIPTED(script), "--to", "f", "--retry-delay", "1ms",
		"--stall", "4s", NULL });
	while (run_next_message(&run, &message)) {
		if (strcmp(message.type, "waiting") == 0) {
			ck_assert_str_eq(message.on, "network");
			saw_silence |= strstr(message.holder, "nothing comes from http") != NULL;
			saw_failure |= strstr(message.holder, "not a byte for") != NULL;
		}
		codec_free(&step_msg_codec, &message);
	}
	ck_assert_int_eq(run_finish(&run), 0);
	script_stop(&script);
	ck_assert(saw_silence && saw_failure);
}
END_TEST

START_TEST(more_than_was_announced_is_refused)
{
	struct script script = {
		.lines = { { .reply = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n0123456789" } }
	};

	script_start(&script);
	ck_assert_int_eq(RUN_PULL(&run, "--url", SCRIPTED(script), "--to", "f", "--size", "9"), 5);
	script_stop(&script);
	expect_said("more than the 9 bytes");
	ck_assert_int_eq(access("f", F_OK), -1);
}
END_TEST

START_TEST(what_is_no_http_is_refused)
{
	struct script script = { .lines = { { .reply = "SSH-2.0-OpenSSH_9.2\r\n" } } };

	script_start(&script);
	ck_assert_int_eq(
	    RUN_PULL(&run, "--url", SCRIPTED(script), "--to", "f", "--retries", "0"), 3);
	script_stop(&script);
	ck_assert_int_eq(access("f.part", F_OK), -1);
}
END_TEST

/* ---- redirects and trust -------------------------------------------------------------- */

START_TEST(a_password_does_not_go_to_another_host)
{
	struct script other = { .lines = { { .reply = "HTTP/1.1 200 OK" TEN "0123456789" } } };
	struct script own = { 0 };
	char answer[512], from[URL_TEXT];

	script_start(&other);
	snprintf(answer, sizeof answer,
	    "HTTP/1.1 302 F\r\nLocation: http://127.0.0.1:%d/f\r\nContent-Length: 0\r\n\r\n",
	    other.port);
	own.lines[0].reply = "HTTP/1.1 302 F\r\nLocation: /g\r\nContent-Length: 0\r\n\r\n";
	own.lines[1].reply = answer;
	script_start(&own);
	snprintf(from, sizeof from, "http://joe:secret@127.0.0.1:%d/f", own.port);
	ck_assert_int_eq(RUN_PULL(&run, "--url", from, "--to", "f"), 0);
	script_stop(&own);
	script_stop(&other);
	ck_assert(has(own.requests[0], "Authorization: Basic am9lOnNlY3JldA=="));
	ck_assert(has(own.requests[1], "Authorization: Basic am9lOnNlY3JldA=="));
	ck_assert_uint_eq(other.played, 1);
	ck_assert(!has(other.requests[0], "Authorization"));
	ck_assert(!has(other.requests[0], "secret"));
	ck_assert(!has(run.text, "secret"));
	expect_text("0123456789");
}
END_TEST

START_TEST(a_circle_of_redirects_ends)
{
	struct script script = { 0 };

	for (size_t i = 0; i < SCRIPT_MAX; i++)
		script.lines[i].reply =
		    "HTTP/1.1 302 F\r\nLocation: /f\r\nContent-Length: 0\r\n\r\n";
	script_start(&script);
	ck_assert_int_eq(RUN_PULL(&run, "--url", SCRIPTED(script), "--to", "f"), 3);
	script_stop(&script);
	expect_said("more than 10 redirects");
	ck_assert_uint_eq(script.played, 11);
}
END_TEST

START_TEST(a_redirect_from_https_to_http_is_refused)
{
	serve(SMALL, 1);
	setenv("SSL_CERT_FILE", "certificate.pem", 1);
	ck_assert_int_eq(RUN_PULL(&run, "--url", HTTPS("/down/f"), "--to", "f"), 7);
	expect_said("without https");
	ck_assert_uint_eq(web_count(&web, "/f", 0), 0);
	ck_assert_int_eq(access("f.part", F_OK), -1);
	ck_assert_int_eq(RUN_PULL(&run, "--url", HTTPS("/away/f"), "--to", "f"), 0);
	expect_got(sum);
}
END_TEST

START_TEST(a_certificate_nobody_vouches_for_is_refused)
{
	serve(SMALL, 1);
	ck_assert_int_eq(RUN_PULL(&run, "--url", HTTPS("/f"), "--to", "f"), 7);
	expect_said("certificate is not trusted");
	expect_said("SSL_CERT_FILE");
}
END_TEST

/* ---- a full disk ---------------------------------------------------------------------- */

static void
write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fd_write_all(fd, text, strlen(text)), 0);
	fd_close(&fd);
}

/* Mounts of this test alone: for root, or for whoever may be root of a namespace of his own. */
static bool
leave_namespace(void)
{
	char uids[64], gids[64];

	snprintf(uids, sizeof uids, "%u %u 1", geteuid(), geteuid());
	snprintf(gids, sizeof gids, "%u %u 1", getegid(), getegid());
	if (unshare(CLONE_NEWNS) == 0)
		return true;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
		return false;
	write_text("/proc/self/setgroups", "deny");
	write_text("/proc/self/uid_map", uids);
	write_text("/proc/self/gid_map", gids);
	return true;
}

/* disk/, of one MiB. False where nobody lets us. */
static bool
mount_small_disk(void)
{
	ck_assert_int_eq(mkdir("disk", 0755), 0);
	if (!leave_namespace() || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("none", "disk", "tmpfs", 0, "size=1m") != 0) {
		printf("skipped: no file system of its own without root: %s\n", strerror(errno));
		return false;
	}
	return true;
}

START_TEST(a_file_that_will_not_fit_is_refused_before_the_first_byte)
{
	serve(BIG, 1);
	if (!mount_small_disk())
		return;
	ck_assert_int_eq(RUN_PULL(&run, "--url", HTTP("/f"), "--to", "disk/f"), 6);
	expect_said("not enough room for disk/f: 11.0 MB more are needed");
	ck_assert_int_eq(access("disk/f.part", F_OK), -1);
}
END_TEST

START_TEST(a_disk_that_fills_up_keeps_what_came)
{
	struct script script = { 0 };
	char *answer;
	int head;

	if (!mount_small_disk())
		return;
	answer = malloc(BIG);
	ck_assert_ptr_nonnull(answer);
	head =
	    snprintf(answer, BIG, "HTTP/1.1 200 OK\r\nETag: \"one\"\r\nConnection: close\r\n\r\n");
	memset(answer + head, 'x', BIG / 2);
	answer[head + BIG / 2] = '\0';
	script.lines[0].reply = answer;
	script_start(&script);
	ck_assert_int_eq(RUN_PULL(&run, "--url", SCRIPTED(script), "--to", "disk/f"), 6);
	script_stop(&script);
	free(answer);
	expect_said("run this again");
	ck_assert_int_gt(size_of("disk/f.part"), 500000);
	ck_assert_int_eq(access("disk/f", F_OK), -1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pull_strange");
	TCase *tests = pull_world_case("stories");

	tcase_add_test(tests, a_truncated_answer_is_gone_on_with);
	tcase_add_loop_test(tests, a_piece_that_was_not_asked_for_is_not_believed, 0, 7);
	tcase_add_test(tests, a_whole_file_of_unknown_length_is_complete_at_416);
	tcase_add_test(tests, a_server_that_falls_silent_is_asked_again);
	tcase_add_test(tests, under_a_worker_it_says_that_it_waits_for_the_network);
	tcase_add_test(tests, more_than_was_announced_is_refused);
	tcase_add_test(tests, what_is_no_http_is_refused);
	tcase_add_test(tests, a_password_does_not_go_to_another_host);
	tcase_add_test(tests, a_circle_of_redirects_ends);
	tcase_add_test(tests, a_redirect_from_https_to_http_is_refused);
	tcase_add_test(tests, a_certificate_nobody_vouches_for_is_refused);
	tcase_add_test(tests, a_file_that_will_not_fit_is_refused_before_the_first_byte);
	tcase_add_test(tests, a_disk_that_fills_up_keeps_what_came);
	suite_add_tcase(suite, tests);
	return pull_world_run(suite);
}
