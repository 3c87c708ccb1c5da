/* The real reeve-pull against a real nginx, and against servers that no honest one resembles. */
#include "tests/integ/pull_run.h"
#include "tests/integ/pull_script.h"
#include "tests/integ/pull_web.h"

#include "ipc/clock.h"
#include "ipc/fd.h"

#include <check.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	BIG = 12 * 1000 * 1000,
	SMALL = 1000,
	HEX_TEXT = 65,
	URL_TEXT = 256
};

static char root[] = "/tmp/reeve-pull-XXXXXX";
static char directory[256];
static struct web web;
static struct run run;
static char sum[HEX_TEXT]; /* of www/f */

/* ---- set-up --------------------------------------------------------------------------- */

static void
make_root(void)
{
	ck_assert_ptr_nonnull(mkdtemp(root));
	web_make_certificate(root);
}

static void
remove_root(void)
{
	(void)fd_remove_tree(AT_FDCWD, root);
}

static void
begin(void)
{
	static const char *const unwanted[] = { "http_proxy", "https_proxy", "all_proxy",
		"ALL_PROXY", "HTTPS_PROXY", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR" };

	ck_assert_int_eq(chdir(root), 0);
	strcpy(directory, root);
	strcat(directory, "/XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(chdir(directory), 0);
	ck_assert_int_eq(mkdir("www", 0755), 0);
	ck_assert_int_eq(link("../certificate.pem", "certificate.pem"), 0);
	ck_assert_int_eq(link("../key.pem", "key.pem"), 0);
	for (size_t i = 0; i < sizeof unwanted / sizeof unwanted[0]; i++)
		unsetenv(unwanted[i]);
	web_start(&web, directory);
}

static void
end(void)
{
	web_stop(&web);
}

/* Bytes that nobody would take for others: the same for the same SEED. */
static void
write_bytes(const char *path, size_t len, uint64_t seed)
{
	uint8_t *data = malloc(len);

	ck_assert_ptr_nonnull(data);
	for (size_t i = 0; i < len; i++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		data[i] = (uint8_t)(seed >> 32);
	}
	ck_assert_int_eq(fd_write_file(AT_FDCWD, path, data, len, 0644, false), 0);
	free(data);
}

static void
hash_file(const char *path, char hex[static HEX_TEXT])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int digest_len;
	char *data;
	size_t len;

	ck_assert_msg(fd_read_file(AT_FDCWD, path, 2 * BIG, &data, &len) == 0, "no %s", path);
	ck_assert_int_eq(EVP_Digest(data, len, digest, &digest_len, EVP_sha256(), NULL), 1);
	for (unsigned int i = 0; i < 32; i++)
		sprintf(hex + (size_t)i * 2, "%02x", digest[i]);
	free(data);
}

static void
serve(size_t len, uint64_t seed)
{
	write_bytes("www/f", len, seed);
	hash_file("www/f", sum);
}

static char *
url(char text[static URL_TEXT], const char *scheme, int port, const char *path)
{
	snprintf(text, URL_TEXT, "%s://127.0.0.1:%d%s", scheme, port, path);
	return text;
}
#define HTTP(path)  url((char[URL_TEXT]){ 0 }, "http", web.port, (path))
#define HTTPS(path) url((char[URL_TEXT]){ 0 }, "https", web.tls_port, (path))
#define SCRIPTED(s) url((char[URL_TEXT]){ 0 }, "http", (s).port, "/f")

static off_t
size_of(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 ? info.st_size : -1;
}

/* PATH is what was served, and nothing else is left. */
static void
expect_got(const char *expected)
{
	char hex[HEX_TEXT];

	hash_file("f", hex);
	ck_assert_str_eq(hex, expected);
	ck_assert_int_eq(access("f.part", F_OK), -1);
	ck_assert_int_eq(access("f.part.meta", F_OK), -1);
}

static void
expect_said(const char *text)
{
	ck_assert_msg(strstr(run.text, text) != NULL, "not said: \"%s\"; but: %s", text, run.text);
}

/* Starts, and kills it once DONE bytes are reported. False when it was faster. */
static bool
kill_at(uint64_t done, const char *from)
{
	const char *const words[] = { "--url", from, "--to", "f", "--sha256", sum, NULL };
	bool is_there;

	run_start(&run, true, words);
	is_there = run_wait_bytes(&run, done);
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

	serve(BIG, 1);
	run_start(&run, true,
	    (const char *const[]){ "--url", HTTP("/slow/f"), "--to", "f", "--sha256", sum, NULL });
	while (run_next_message(&run, &message)) {
		if (message.label && strcmp(message.label, "downloading f") == 0)
			saw_label = true;
		if (strcmp(message.type, "bytes") == 0 && message.rate > 0) {
			saw_rate = true;
			ck_assert_uint_eq(message.total, BIG);
			ck_assert_uint_le(message.done, BIG);
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

	serve(BIG, 1);
	setenv("TERM", "xterm", 1);
	ck_assert_int_eq(openpty(&master, &slave, NULL, NULL, &size), 0);
	fcntl(master, F_SETFD, FD_CLOEXEC);
	fcntl(slave, F_SETFD, FD_CLOEXEC);
	run_start_at(
	    &run, slave, (const char *const[]){ "--url", HTTP("/slow/f"), "--to", "f", NULL });
	while ((n = read(master, seen + len, sizeof seen - 1 - len)) > 0)
		len += (size_t)n;
	seen[len] = '\0';
	ck_assert_int_eq(run_finish(&run), 0);
	ck_assert_ptr_nonnull(strstr(seen, "\r\033[Kdownloading f"));
	ck_assert_ptr_nonnull(strstr(seen, " of 12.0 MB"));
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
		ck_assert(kill_at(done, HTTP("/slow/f")));
		ck_assert_int_ge(size_of("f.part"), (off_t)done);
		ck_assert_int_ge(size_of("f.part"), (off_t)reported);
		ck_assert_int_eq(access("f", F_OK), -1);
		reported = done;
		kills++;
	}
	ck_assert_int_ge(kills, 3);
	ck_assert_int_eq(RUN_PULL(&run, "--url", HTTP("/slow/f"), "--to", "f", "--sha256", sum), 0);
	expect_got(sum);
	expect_said("going on from there");
	/* Only the first ever asked for all of it. */
	ck_assert_uint_eq(web_count(&web, "/slow/f", 200), 1);
	ck_assert_uint_ge(web_count(&web, "/slow/f", 206), 3);
}
END_TEST

START_TEST(a_file_that_changed_meanwhile_is_loaded_from_its_start)
{
	struct timespec times[2] = { { .tv_sec = 1000000000 }, { .tv_sec = 1000000000 } };

	serve(BIG, 1);
	ck_assert(kill_at(BIG / 3, HTTP("/slow/f")));
	serve(BIG, 2);
	ck_assert_int_eq(utimensat(AT_FDCWD, "www/f", times, 0), 0);
	ck_assert_int_eq(RUN_PULL(&run, "--url", HTTP("/slow/f"), "--to", "f"), 0);
	expect_said("starting again");
	expect_got(sum);
}
END_TEST

START_TEST(a_damaged_beginning_is_found_out_and_loaded_again)
{
	int fd;

	serve(BIG, 1);
	ck_assert(kill_at(BIG / 3, HTTP("/slow/f")));
	fd = open("f.part", O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(pwrite(fd, "damage", 6, 12345), 6);
	fd_close(&fd);
	ck_assert_int_eq(RUN_PULL(&run, "--url", HTTP("/slow/f"), "--to", "f", "--sha256", sum), 0);
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
	const char *const words[] = { "--url", url(from, "http", web.port, "/slow/f"), "--to", "f",
		_i ? "--sha256" : NULL, sum, NULL };

	serve(BIG, 1);
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
	ck_assert_uint_eq(web_count(&web, "/slow/f", 0), 1);
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

/* disk/, of one MiB, seen by this test alone. */
static void
mount_small_disk(void)
{
	ck_assert_int_eq(mkdir("disk", 0755), 0);
	ck_assert_msg(unshare(CLONE_NEWNS) == 0, "needs root for a file system of its own");
	ck_assert_int_eq(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	ck_assert_int_eq(mount("none", "disk", "tmpfs", 0, "size=1m"), 0);
}

START_TEST(a_file_that_will_not_fit_is_refused_before_the_first_byte)
{
	serve(BIG, 1);
	mount_small_disk();
	ck_assert_int_eq(RUN_PULL(&run, "--url", HTTP("/f"), "--to", "disk/f"), 6);
	expect_said("not enough room for disk/f: 11.0 MB more are needed");
	ck_assert_int_eq(access("disk/f.part", F_OK), -1);
}
END_TEST

START_TEST(a_disk_that_fills_up_keeps_what_came)
{
	struct script script = { 0 };
	char *answer = malloc(BIG);

	strcpy(answer, "HTTP/1.1 200 OK\r\nETag: \"one\"\r\nConnection: close\r\n\r\n");
	memset(answer + strlen(answer), 'x', BIG / 2);
	script.lines[0].reply = answer;
	mount_small_disk();
	script_start(&script);
	ck_assert_int_eq(RUN_PULL(&run, "--url", SCRIPTED(script), "--to", "disk/f"), 6);
	script_stop(&script);
	free(answer);
	expect_said("run this again");
	ck_assert_int_gt(size_of("disk/f.part"), 500 * 1000);
	ck_assert_int_eq(access("disk/f", F_OK), -1);
}
END_TEST

/* ---- all of them ---------------------------------------------------------------------- */

static void
add_tests(TCase *tests)
{
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
	tcase_add_test(tests, a_truncated_answer_is_gone_on_with);
	tcase_add_loop_test(tests, a_piece_that_was_not_asked_for_is_not_believed, 0, 7);
	tcase_add_test(tests, a_whole_file_of_unknown_length_is_complete_at_416);
	tcase_add_test(tests, a_server_that_falls_silent_is_asked_again);
	tcase_add_test(tests, more_than_was_announced_is_refused);
	tcase_add_test(tests, what_is_no_http_is_refused);
	tcase_add_test(tests, a_password_does_not_go_to_another_host);
	tcase_add_test(tests, a_circle_of_redirects_ends);
	tcase_add_test(tests, a_redirect_from_https_to_http_is_refused);
	tcase_add_test(tests, a_certificate_nobody_vouches_for_is_refused);
	tcase_add_test(tests, a_file_that_will_not_fit_is_refused_before_the_first_byte);
	tcase_add_test(tests, a_disk_that_fills_up_keeps_what_came);
}

int
main(void)
{
	Suite *suite = suite_create("pull");
	TCase *tests = tcase_create("stories");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tests, 60);
	tcase_add_unchecked_fixture(tests, make_root, remove_root);
	tcase_add_checked_fixture(tests, begin, end);
	add_tests(tests);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
