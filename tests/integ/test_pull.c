/* The real reeve-pull against a real nginx: the straight way, interruptions, refusals. */
#include "tests/integ/pull_world.h"

#include "ipc/clock.h"
#include "ipc/fd.h"

#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Starts, and kills it once DONE bytes are reported. False when it was faster. */
static bool
kill_at(uint64_t done, const char *from)
{
	const char *const words[] = { "--url", from, "--to", "f", "--sha256", sum, NULL };
	bool is_there;

	serve_slowly(true);
	run_start(&run, true, words);
	is_there = run_wait_bytes(&run, done);
	serve_slowly(false);
	kill(run.pid, SIGKILL);
	return run_finish(&run) == -SIGKILL && is_there;
}

/* ---- the straight way ----------------------------------------------------------------- */

START_TEST(a_file_arrives_and_is_proved)
{
	serve(BIG, 1);
	ck_assert_int_eq(RUN_PULL(&run, "--url", HTTP("/f"), "--to", "f", "--sha256", sum), 0);
	expect_got(sum);
	expect_said("complete (12.0 MB)");
}
END_TEST

START_TEST(an_empty_file_arrives)
{
	serve(0, 1);
	ck_assert_int_eq(RUN_PULL(&run, "--url", HTTP("/f"), "--to", "f", "--sha256", sum), 0);
	expect_got(sum);
}
END_TEST

START_TEST(a_file_that_is_there_is_not_loaded_again)
{
	serve(SMALL, 1);
	write_bytes("f", SMALL, 1);
	ck_assert_int_eq(RUN_PULL(&run, "--url", HTTP("/f"), "--to", "f", "--sha256", sum), 0);
	expect_said("already there");
	expect_got(sum);
	ck_assert_uint_eq(web_count(&web, "/f", 0), 0);
	write_bytes("f", SMALL, 2);
	ck_assert_int_eq(RUN_PULL(&run, "--url", HTTP("/f"), "--to", "f", "--sha256", sum), 0);
	expect_got(sum);
	ck_assert_uint_eq(web_count(&web, "/f", 200), 1);
}
END_TEST

START_TEST(under_a_worker_it_reports_bytes_rate_and_result)
{
	bool saw_rate = false, saw_label = false, saw_result = false;
	struct step_msg message;

	serve(BIG / 4, 1);
	serve_slowly(true);
	run_start(&run, true,
	    (const char *const[]){ "--url", HTTP("/f"), "--to", "f", "--sha256", sum, NULL });
	while (run_next_message(&run, &message)) {
		if (message.label && strcmp(message.label, "downloading f") == 0)
			saw_label = true;
		if (strcmp(message.type, "bytes") == 0 && message.rate > 0) {
			saw_rate = true;
			ck_assert_uint_eq(message.total, BIG / 4);
			ck_assert_uint_le(message.done, BIG / 4);
		}
		saw_result = strcmp(message.type, "result") == 0 && message.value.len > 64;
		codec_free(&step_msg_codec, &message);
	}
	ck_assert_int_eq(run_finish(&run), 0);
	ck_assert(saw_label && saw_rate && saw_result);
	ck_assert_msg(!strchr(run.text, '\r'), "a progress line, though nobody watches");
}
END_TEST

START_TEST(at_a_terminal_it_draws_a_line)
{
	char seen[65536] = "";
	struct winsize size = { .ws_row = 24, .ws_col = 60 };
	size_t len = 0;
	ssize_t n;
	int master, slave;

	serve(BIG / 4, 1);
	serve_slowly(true);
	setenv("TERM", "xterm", 1);
	ck_assert_int_eq(openpty(&master, &slave, NULL, NULL, &size), 0);
	fcntl(master, F_SETFD, FD_CLOEXEC);
	fcntl(slave, F_SETFD, FD_CLOEXEC);
	run_start_at(&run, slave, (const char *const[]){ "--url", HTTP("/f"), "--to", "f", NULL });
	while ((n = read(master, seen + len, sizeof seen - 1 - len)) > 0)
		len += (size_t)n;
	seen[len] = '\0';
	ck_assert_int_eq(run_finish(&run), 0);
	ck_assert_ptr_nonnull(strstr(seen, "\r\033[Kdownloading f"));
	ck_assert_ptr_nonnull(strstr(seen, " of 3.0 MB"));
	ck_assert_ptr_nonnull(strstr(seen, "MB/s"));
	fd_close(&master);
}
END_TEST

/* ---- interruptions -------------------------------------------------------------------- */

START_TEST(a_kill_at_any_point_loses_nothing)
{
	uint64_t seed = (uint64_t)_i * 7919 + 1, reported = 0;
	int kills = 0;

	serve(BIG, 1);
	for (uint64_t done = seed % 100000; done < BIG * 3 / 4; done += BIG / 6 + seed % 1000003) {
		ck_assert(kill_at(done, HTTP("/f")));
		ck_assert_int_ge(size_of("f.part"), (off_t)done);
		ck_assert_int_ge(size_of("f.part"), (off_t)reported);
		ck_assert_int_eq(access("f", F_OK), -1);
		reported = done;
		kills++;
	}
	ck_assert_int_ge(kills, 3);
	ck_assert_int_eq(RUN_PULL(&run, "--url", HTTP("/f"), "--to", "f", "--sha256", sum), 0);
	expect_got(sum);
	expect_said("going on from there");
	/* Only the first ever asked for all of it. */
	ck_assert_uint_eq(web_count(&web, "/f", 200), 1);
	ck_assert_uint_ge(web_count(&web, "/f", 206), 3);
}
END_TEST

START_TEST(a_file_that_changed_meanwhile_is_loaded_from_its_start)
{
	struct timespec times[2] = { { .tv_sec = 1000000000 }, { .tv_sec = 1000000000 } };

	serve(BIG, 1);
	ck_assert(kill_at(BIG / 3, HTTP("/f")));
	serve(BIG, 2);
	ck_assert_int_eq(utimensat(AT_FDCWD, "www/f", times, 0), 0);
	ck_assert_int_eq(RUN_PULL(&run, "--url", HTTP("/f"), "--to", "f"), 0);
	expect_said("starting again");
	expect_got(sum);
}
END_TEST

START_TEST(a_damaged_beginning_is_found_out_and_loaded_again)
{
	int fd;

	serve(BIG, 1);
	ck_assert(kill_at(BIG / 3, HTTP("/f")));
	fd = open("f.part", O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(pwrite(fd, "damage", 6, 12345), 6);
	fd_close(&fd);
	ck_assert_int_eq(RUN_PULL(&run, "--url", HTTP("/f"), "--to", "f", "--sha256", sum), 0);
	expect_said("the pieces do not make the file asked for");
	expect_got(sum);
}
END_TEST

START_TEST(a_server_without_ranges_means_starting_again)
{
	serve(BIG, 1);
	ck_assert(kill_at(BIG / 3, HTTP("/whole/f")));
	ck_assert_int_eq(
	    RUN_PULL(&run, "--url", HTTP("/whole/f"), "--to", "f", "--sha256", sum), 0);
	expect_said("starting again");
	expect_got(sum);
	ck_assert_uint_eq(web_count(&web, "/whole/f", 206), 0);
}
END_TEST

START_TEST(the_second_of_two_waits_and_takes_what_the_first_made)
{
	struct run first;
	char from[URL_TEXT];
	/* With a digest, and without one. */
	const char *const words[] = { "--url", url(from, "http", web.port, "/f"), "--to", "f",
		_i ? "--sha256" : NULL, sum, NULL };

	serve(BIG / 4, 1);
	serve_slowly(true);
	run_start(&first, true, words);
	ck_assert(run_wait_bytes(&first, 1));
	kill(first.pid, SIGSTOP);
	run_start(&run, false, words);
	run_wait_text(&run, "another reeve-pull is loading f: waiting for it");
	kill(first.pid, SIGCONT);
	ck_assert_int_eq(run_finish(&first), 0);
	ck_assert_int_eq(run_finish(&run), 0);
	expect_said("already there");
	expect_got(sum);
	ck_assert_uint_eq(web_count(&web, "/f", 0), 1);
}
END_TEST

/* ---- wrong and refused ---------------------------------------------------------------- */

START_TEST(a_wrong_digest_is_an_error_and_leaves_nothing)
{
	char old[HEX_TEXT], wrong[HEX_TEXT];

	serve(SMALL, 1);
	write_bytes("f", SMALL, 9);
	hash_file("f", old);
	memset(wrong, 'a', HEX_TEXT - 1);
	wrong[HEX_TEXT - 1] = '\0';
	ck_assert_int_eq(RUN_PULL(&run, "--url", HTTP("/f"), "--to", "f", "--sha256", wrong), 5);
	expect_said(sum);
	expect_said(wrong);
	expect_got(old);
	ck_assert_uint_eq(web_count(&web, "/f", 0), 1);
}
END_TEST

START_TEST(a_wrong_size_is_an_error_before_the_first_byte)
{
	serve(BIG, 1);
	ck_assert_int_eq(RUN_PULL(&run, "--url", HTTP("/f"), "--to", "f", "--size", "7"), 5);
	expect_said("12000000 bytes");
	ck_assert_int_eq(access("f.part", F_OK), -1);
}
END_TEST

START_TEST(not_found_and_forbidden_are_not_tried_again)
{
	ck_assert_int_eq(RUN_PULL(&run, "--url", HTTP("/nothing"), "--to", "f"), 3);
	expect_said("404: not found");
	ck_assert_uint_eq(web_count(&web, "/nothing", 404), 1);
	ck_assert_int_eq(RUN_PULL(&run, "--url", HTTP("/forbidden"), "--to", "f"), 3);
	expect_said("403: forbidden");
	ck_assert_uint_eq(web_count(&web, "/forbidden", 403), 1);
	ck_assert_int_eq(access("f.part", F_OK), -1);
}
END_TEST

START_TEST(a_busy_server_is_tried_again_when_it_says)
{
	uint64_t began_ms = clock_boot_ms();
	char from[URL_TEXT];

	serve(SMALL, 1);
	write_bytes("busy", 1, 1);
	run_start(&run, false,
	    (const char *const[]){ "--url", url(from, "http", web.port, "/busy/f"), "--to", "f",
		"--retry-delay", "1ms", NULL });
	run_wait_text(&run, "answered 503");
	ck_assert_int_eq(unlink("busy"), 0);
	ck_assert_int_eq(run_finish(&run), 0);
	ck_assert_uint_ge(clock_boot_ms() - began_ms, 1000);
	expect_said("trying again in");
	expect_got(sum);
	ck_assert_uint_eq(web_count(&web, "/busy/f", 503), 1);
}
END_TEST

START_TEST(a_server_that_stays_busy_is_given_up)
{
	serve(SMALL, 1);
	write_bytes("busy", 1, 1);
	ck_assert_int_eq(RUN_PULL(&run, "--url", HTTP("/busy/f"), "--to", "f", "--retries", "1",
			     "--retry-delay", "1ms"),
	    4);
	expect_said("gave up after 2 tries");
	ck_assert_uint_eq(web_count(&web, "/busy/f", 503), 2);
}
END_TEST

START_TEST(a_server_that_is_not_there_is_given_up)
{
	int port, fd = web_listen(&port);
	char from[URL_TEXT];

	fd_close(&fd);
	ck_assert_int_eq(RUN_PULL(&run, "--url", url(from, "http", port, "/f"), "--to", "f",
			     "--retries", "2", "--retry-delay", "1ms"),
	    4);
	expect_said("trying again in");
	expect_said("gave up after 3 tries");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pull");
	TCase *tests = pull_world_case("stories");

	tcase_add_test(tests, a_file_arrives_and_is_proved);
	tcase_add_test(tests, an_empty_file_arrives);
	tcase_add_test(tests, a_file_that_is_there_is_not_loaded_again);
	tcase_add_test(tests, under_a_worker_it_reports_bytes_rate_and_result);
	tcase_add_test(tests, at_a_terminal_it_draws_a_line);
	tcase_add_loop_test(tests, a_kill_at_any_point_loses_nothing, 0, 3);
	tcase_add_test(tests, a_file_that_changed_meanwhile_is_loaded_from_its_start);
	tcase_add_test(tests, a_damaged_beginning_is_found_out_and_loaded_again);
	tcase_add_test(tests, a_server_without_ranges_means_starting_again);
	tcase_add_loop_test(tests, the_second_of_two_waits_and_takes_what_the_first_made, 0, 2);
	tcase_add_test(tests, a_wrong_digest_is_an_error_and_leaves_nothing);
	tcase_add_test(tests, a_wrong_size_is_an_error_before_the_first_byte);
	tcase_add_test(tests, not_found_and_forbidden_are_not_tried_again);
	tcase_add_test(tests, a_busy_server_is_tried_again_when_it_says);
	tcase_add_test(tests, a_server_that_stays_busy_is_given_up);
	tcase_add_test(tests, a_server_that_is_not_there_is_given_up);
	suite_add_tcase(suite, tests);
	return pull_world_run(suite);
}
