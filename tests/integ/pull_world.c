#include "tests/integ/pull_world.h"

#include "ipc/fd.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct web web;
struct run run;
char sum[HEX_TEXT];

static char root[] = "/tmp/reeve-pull-XXXXXX";
static char directory[256];

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
	snprintf(directory, sizeof directory, "%s/XXXXXX", root);
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

void
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

void
hash_file(const char *path, char hex[static HEX_TEXT])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int digest_len;
	char *data;
	size_t len;

	ck_assert_msg(
	    fd_read_file(AT_FDCWD, path, (size_t)2 * BIG, &data, &len) == 0, "no %s", path);
	ck_assert_int_eq(EVP_Digest(data, len, digest, &digest_len, EVP_sha256(), NULL), 1);
	for (unsigned int i = 0; i < 32; i++)
		sprintf(hex + (size_t)i * 2, "%02x", digest[i]);
	free(data);
}

void
serve(size_t len, uint64_t seed)
{
	write_bytes("www/f", len, seed);
	hash_file("www/f", sum);
}

void
serve_slowly(bool is_slow)
{
	if (is_slow)
		write_bytes("slow", 1, 1);
	else
		ck_assert_int_eq(unlink("slow"), 0);
}

char *
url(char text[static URL_TEXT], const char *scheme, int port, const char *path)
{
	snprintf(text, URL_TEXT, "%s://127.0.0.1:%d%s", scheme, port, path);
	return text;
}

off_t
size_of(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 ? info.st_size : -1;
}

void
expect_got(const char *expected)
{
	char hex[HEX_TEXT];

	hash_file("f", hex);
	ck_assert_str_eq(hex, expected);
	ck_assert_int_eq(access("f.part", F_OK), -1);
	ck_assert_int_eq(access("f.part.meta", F_OK), -1);
	ck_assert_int_eq(access("f.part.meta.tmp", F_OK), -1);
}

void
expect_said(const char *text)
{
	ck_assert_msg(strstr(run.text, text) != NULL, "not said: \"%s\"; but: %s", text, run.text);
}

TCase *
pull_world_case(const char *name)
{
	TCase *tests = tcase_create(name);

	tcase_set_timeout(tests, 60);
	tcase_add_unchecked_fixture(tests, make_root, remove_root);
	tcase_add_checked_fixture(tests, begin, end);
	return tests;
}

int
pull_world_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
