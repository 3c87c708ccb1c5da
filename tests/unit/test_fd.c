#include "ipc/fd.h"

#include "tests/unit/scratch.h"
#include "tests/unit/suite.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static bool
is_cloexec(int fd)
{
	return fcntl(fd, F_GETFD) & FD_CLOEXEC;
}

START_TEST(closing_forgets_the_number_and_keeps_errno)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), old = fd;

	errno = EBADMSG;
	ck_assert_int_eq(fd_close(&fd), -1);
	ck_assert_int_eq(errno, EBADMSG);
	ck_assert_int_eq(fd, -1);
	ck_assert_int_eq(fcntl(old, F_GETFD), -1);
	ck_assert_int_eq(fd_close(&fd), -1);
}
END_TEST

START_TEST(closed_standard_fds_are_filled_and_open_ones_left)
{
	int saved = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 10), got;

	close(STDIN_FILENO);
	ck_assert_int_eq(fd_guard_stdio(), 0);
	got = open("/dev/null", O_RDONLY | O_CLOEXEC);
	ck_assert_int_gt(got, STDERR_FILENO);
	ck_assert_int_ge(fcntl(STDIN_FILENO, F_GETFD), 0);
	fd_close(&got);
	ck_assert_int_eq(dup2(saved, STDIN_FILENO), STDIN_FILENO);
	fd_close(&saved);
}
END_TEST

static void *
write_slowly(void *arg)
{
	int fd = *(int *)arg;

	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(write(fd, "0123456789", 10), 10);
	close(fd);
	return NULL;
}

START_TEST(reading_all_goes_on_until_the_end)
{
	char data[2000];
	pthread_t thread;
	int pipe_fds[2];

	ck_assert_int_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, write_slowly, &pipe_fds[1]), 0);
	ck_assert_int_eq(fd_read_all(pipe_fds[0], data, sizeof data), 1000);
	pthread_join(thread, NULL);
	fd_close(&pipe_fds[0]);
	ck_assert_int_eq(fd_read_all(-1, data, 1), -EBADF);
}
END_TEST

static void *
read_everything(void *arg)
{
	static char data[300000];

	ck_assert_int_eq(fd_read_all(*(int *)arg, data, sizeof data), sizeof data);
	return NULL;
}

START_TEST(a_pipe_is_made_non_blocking_and_blocking_again)
{
	int pipe_fds[2];
	char byte;

	ck_assert_int_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
	ck_assert_int_eq(fd_set_nonblock(pipe_fds[0], true), 0);
	ck_assert_int_eq(fd_read_all(pipe_fds[0], &byte, 1), -EAGAIN);
	ck_assert_int_eq(fd_set_nonblock(pipe_fds[0], false), 0);
	ck_assert(!(fcntl(pipe_fds[0], F_GETFL) & O_NONBLOCK));
	ck_assert_int_eq(fd_set_nonblock(-1, true), -EBADF);
	fd_close(&pipe_fds[0]);
	fd_close(&pipe_fds[1]);
}
END_TEST

START_TEST(writing_all_waits_for_a_full_pipe)
{
	static char data[300000];
	pthread_t thread;
	int pipe_fds[2];

	ck_assert_int_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, read_everything, &pipe_fds[0]), 0);
	ck_assert_int_eq(fd_write_all(pipe_fds[1], data, sizeof data), 0);
	pthread_join(thread, NULL);
	fd_close(&pipe_fds[0]);
	fd_close(&pipe_fds[1]);
}
END_TEST

START_TEST(a_file_comes_back_whole_and_terminated)
{
	static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 70000 };

	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		char *data = malloc(sizes[i] + 1), *back = NULL;
		size_t len = 0;

		memset(data, 'x', sizes[i] + 1);
		ck_assert_int_eq(fd_write_file(scratch_fd, "f", data, sizes[i], 0640, false), 0);
		ck_assert_int_eq(fd_read_file(scratch_fd, "f", sizes[i], &back, &len), 0);
		ck_assert_uint_eq(len, sizes[i]);
		ck_assert_mem_eq(back, data, len);
		ck_assert_int_eq(back[len], '\0');
		free(back);
		if (sizes[i] > 0)
			ck_assert_int_eq(
			    fd_read_file(scratch_fd, "f", sizes[i] - 1, &back, &len), -EFBIG);
		free(data);
	}
}
END_TEST

START_TEST(a_file_of_the_kernels_without_a_size_is_read)
{
	char *data = NULL;
	size_t len = 0;

	ck_assert_int_eq(fd_read_file(AT_FDCWD, "/proc/self/status", 65536, &data, &len), 0);
	ck_assert_ptr_nonnull(strstr(data, "Pid:"));
	free(data);
	ck_assert_int_eq(fd_read_file(AT_FDCWD, "/proc/self/status", 10, &data, &len), -EFBIG);
}
END_TEST

START_TEST(neither_links_nor_fifos_nor_directories_are_read_as_files)
{
	char *data = NULL;
	size_t len;

	ck_assert_int_eq(symlinkat("/etc/passwd", scratch_fd, "link"), 0);
	ck_assert_int_eq(fd_read_file(scratch_fd, "link", 65536, &data, &len), -ELOOP);
	ck_assert_int_eq(mkfifoat(scratch_fd, "fifo", 0600), 0);
	ck_assert_int_eq(fd_read_file(scratch_fd, "fifo", 65536, &data, &len), -EINVAL);
	ck_assert_int_eq(mkdirat(scratch_fd, "dir", 0700), 0);
	ck_assert_int_eq(fd_read_file(scratch_fd, "dir", 65536, &data, &len), -EINVAL);
	ck_assert_int_eq(fd_read_file(scratch_fd, "none", 65536, &data, &len), -ENOENT);
	ck_assert_ptr_null(data);
}
END_TEST

START_TEST(a_written_file_replaces_the_old_one_and_leaves_nothing_beside_it)
{
	struct stat st;

	ck_assert_int_eq(fd_write_file(scratch_fd, "f", "old", 3, 0600, false), 0);
	ck_assert_int_eq(fd_write_file(scratch_fd, "f", "newer", 5, 0644, true), 0);
	ck_assert_int_eq(fstatat(scratch_fd, "f", &st, AT_SYMLINK_NOFOLLOW), 0);
	ck_assert_int_eq(st.st_size, 5);
	ck_assert_int_eq(st.st_mode & 07777, 0644);
	ck_assert_int_eq(fstatat(scratch_fd, "f.tmp", &st, 0), -1);
	ck_assert_int_eq(mkdirat(scratch_fd, "dir", 0700), 0);
	ck_assert_int_lt(fd_write_file(scratch_fd, "dir", "x", 1, 0600, false), 0);
	ck_assert_int_eq(fstatat(scratch_fd, "dir.tmp", &st, 0), -1);
}
END_TEST

START_TEST(directories_are_made_down_to_the_last)
{
	char path[200];
	struct stat st;

	snprintf(path, sizeof path, "%s//a/b/c/", scratch_path);
	ck_assert_int_eq(fd_mkdir_all(path, 0750), 0);
	ck_assert_int_eq(fstatat(scratch_fd, "a/b/c", &st, 0), 0);
	ck_assert_int_eq(fd_mkdir_all(path, 0750), 0);
	ck_assert_int_eq(fd_mkdir_all("", 0750), -ENOENT);
	ck_assert_int_eq(fd_write_file(scratch_fd, "file", "", 0, 0600, false), 0);
	ck_assert_int_eq(fd_mkdir_all(scratch_file("file/below"), 0700), -ENOTDIR);
}
END_TEST

static void
make_tree(void)
{
	ck_assert_int_eq(fd_mkdir_all(scratch_file("t/a/b"), 0700), 0);
	ck_assert_int_eq(fd_write_file(scratch_fd, "kept", "k", 1, 0600, false), 0);
	ck_assert_int_eq(fd_write_file(scratch_fd, "t/a/f", "f", 1, 0400, false), 0);
	ck_assert_int_eq(symlinkat("../kept", scratch_fd, "t/link"), 0);
	ck_assert_int_eq(symlinkat("/", scratch_fd, "t/a/b/root"), 0);
	ck_assert_int_eq(mkfifoat(scratch_fd, "t/fifo", 0600), 0);
	ck_assert_int_eq(fchmodat(scratch_fd, "t/a/b", 0500, 0), 0);
}

START_TEST(a_tree_is_removed_and_nothing_its_links_point_to)
{
	struct stat st;

	make_tree();
	ck_assert_int_eq(fd_remove_tree(scratch_fd, "t"), 0);
	ck_assert_int_eq(fstatat(scratch_fd, "t", &st, AT_SYMLINK_NOFOLLOW), -1);
	ck_assert_int_eq(fstatat(scratch_fd, "kept", &st, 0), 0);
	ck_assert_int_eq(fd_remove_tree(scratch_fd, "t"), 0);
	ck_assert_int_eq(symlinkat("kept", scratch_fd, "alias"), 0);
	ck_assert_int_eq(fd_remove_tree(scratch_fd, "alias"), 0);
	ck_assert_int_eq(fstatat(scratch_fd, "kept", &st, 0), 0);
}
END_TEST

START_TEST(a_tree_of_any_depth_is_removed_with_few_fds)
{
	int fd = openat(scratch_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), next;
	size_t before = scratch_count_fds();
	struct stat st;

	for (int i = 0; i < 600; i++) {
		ck_assert_int_eq(mkdirat(fd, "deeper", 0700), 0);
		ck_assert_int_eq(symlinkat("..", fd, "up"), 0);
		next = openat(fd, "deeper", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		ck_assert_int_ge(next, 0);
		fd_close(&fd);
		fd = next;
	}
	fd_close(&fd);
	ck_assert_int_eq(fd_remove_tree(scratch_fd, "deeper"), 0);
	ck_assert_int_eq(fstatat(scratch_fd, "deeper", &st, 0), -1);
	ck_assert_uint_eq(scratch_count_fds(), before - 1);
}
END_TEST

START_TEST(a_directory_with_very_many_files_is_removed)
{
	char name[32];

	ck_assert_int_eq(mkdirat(scratch_fd, "many", 0700), 0);
	for (int i = 0; i < 2000; i++) {
		snprintf(name, sizeof name, "many/%d", i);
		ck_assert_int_eq(mknodat(scratch_fd, name, S_IFREG | 0600, 0), 0);
	}
	ck_assert_int_eq(fd_remove_tree(scratch_fd, "many"), 0);
	ck_assert_int_eq(faccessat(scratch_fd, "many", F_OK, 0), -1);
}
END_TEST

START_TEST(a_lock_belongs_to_the_open_file_and_asking_takes_nothing)
{
	int mine = openat(scratch_fd, "l", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int other = openat(scratch_fd, "l", O_RDWR | O_CLOEXEC), copy;

	ck_assert_int_eq(fd_is_locked(other), 0);
	ck_assert_int_eq(fd_is_locked(other), 0);
	ck_assert_int_eq(fd_lock(mine), 0);
	ck_assert_int_eq(fd_lock(mine), 0);
	ck_assert_int_eq(fd_is_locked(mine), 0);
	ck_assert_int_eq(fd_is_locked(other), 1);
	ck_assert_int_eq(fd_lock(other), -EAGAIN);
	copy = fcntl(mine, F_DUPFD_CLOEXEC, 0);
	fd_close(&mine);
	ck_assert_int_eq(fd_is_locked(other), 1);
	fd_close(&copy);
	ck_assert_int_eq(fd_is_locked(other), 0);
	ck_assert_int_eq(fd_lock(other), 0);
	fd_close(&other);
	ck_assert_int_eq(fd_is_locked(-1), -EBADF);
}
END_TEST

static void
talk(const char *path)
{
	int listener = fd_unix_listen(path, 0600, 4), client, server;
	struct stat st;
	char byte;

	ck_assert_int_ge(listener, 0);
	ck_assert(is_cloexec(listener));
	ck_assert_int_eq(lstat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(fd_unix_listen(path, 0600, 4), -EADDRINUSE);
	client = fd_unix_connect(path);
	ck_assert_int_ge(client, 0);
	ck_assert(is_cloexec(client));
	server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_eq(write(client, "x", 1), 1);
	ck_assert_int_eq(read(server, &byte, 1), 1);
	fd_close(&server);
	fd_close(&client);
	fd_close(&listener);
	ck_assert_int_eq(fd_unix_connect(path), -ECONNREFUSED);
	ck_assert_int_eq(unlink(path), 0);
}

START_TEST(sockets_have_paths_of_any_length)
{
	char dir[400] = "", path[800];
	size_t before = scratch_count_fds();

	talk(scratch_file("s"));
	for (int i = 0; i < 30; i++)
		strcat(dir, "/long-name");
	ck_assert_int_eq(fd_mkdir_all(scratch_file(dir + 1), 0700), 0);
	snprintf(path, sizeof path, "%s%s/control.sock", scratch_path, dir);
	talk(path);
	ck_assert_int_eq(fd_unix_connect(""), -ENOENT);
	ck_assert_int_eq(fd_unix_connect(scratch_file("nobody")), -ENOENT);
	ck_assert_uint_eq(scratch_count_fds(), before);
}
END_TEST

START_TEST(a_path_of_every_length_around_the_limit_works)
{
	/* sun_path is exactly full at 108, with and without its NUL. */
	for (size_t len = 104; len <= 112; len++) {
		char path[160];

		snprintf(path, sizeof path, "%s/", scratch_path);
		memset(path + strlen(path), 's', sizeof path - strlen(path) - 1);
		path[len] = '\0';
		talk(path);
	}
}
END_TEST

START_TEST(fds_travel_close_on_exec_and_surplus_ones_are_closed)
{
	int pair[2], sent[16], got[16];
	size_t n = 16, before;
	char data[8];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	for (int i = 0; i < 16; i++)
		sent[i] = STDERR_FILENO;
	before = scratch_count_fds();
	ck_assert_int_eq(fd_send(pair[0], "hi", 2, sent, 16), 2);
	ck_assert_int_eq(fd_recv(pair[1], data, sizeof data, got, &n), 2);
	ck_assert_uint_eq(n, 16);
	for (size_t i = 0; i < n; i++) {
		ck_assert(is_cloexec(got[i]));
		fd_close(&got[i]);
	}
	ck_assert_int_eq(fd_send(pair[0], "hi", 2, sent, 5), 2);
	n = 2;
	ck_assert_int_eq(fd_recv(pair[1], data, sizeof data, got, &n), 2);
	ck_assert_uint_eq(n, 2);
	fd_close(&got[0]);
	fd_close(&got[1]);
	ck_assert_uint_eq(scratch_count_fds(), before);
	ck_assert_int_eq(fd_send(pair[0], "hi", 2, sent, 17), -EINVAL);
	fd_close(&pair[1]);
	ck_assert_int_eq(fd_send(pair[0], "hi", 2, NULL, 0), -EPIPE);
	n = 1;
	ck_assert_int_eq(fd_recv(pair[0], data, sizeof data, got, &n), 0);
	ck_assert_uint_eq(n, 0);
	fd_close(&pair[0]);
}
END_TEST

static TCase *
files(void)
{
	TCase *tests = tcase_create("files");

	tcase_add_checked_fixture(tests, scratch_make, scratch_remove);
	tcase_set_timeout(tests, 30);
	tcase_add_test(tests, a_file_comes_back_whole_and_terminated);
	tcase_add_test(tests, a_file_of_the_kernels_without_a_size_is_read);
	tcase_add_test(tests, neither_links_nor_fifos_nor_directories_are_read_as_files);
	tcase_add_test(tests, a_written_file_replaces_the_old_one_and_leaves_nothing_beside_it);
	tcase_add_test(tests, directories_are_made_down_to_the_last);
	tcase_add_test(tests, a_tree_is_removed_and_nothing_its_links_point_to);
	tcase_add_test(tests, a_tree_of_any_depth_is_removed_with_few_fds);
	tcase_add_test(tests, a_directory_with_very_many_files_is_removed);
	tcase_add_test(tests, a_lock_belongs_to_the_open_file_and_asking_takes_nothing);
	return tests;
}

int
main(void)
{
	Suite *suite = suite_create("fd");
	TCase *tests = tcase_create("fd"), *sockets = tcase_create("sockets");

	tcase_add_test(tests, closing_forgets_the_number_and_keeps_errno);
	tcase_add_test(tests, closed_standard_fds_are_filled_and_open_ones_left);
	tcase_add_test(tests, reading_all_goes_on_until_the_end);
	tcase_add_test(tests, a_pipe_is_made_non_blocking_and_blocking_again);
	tcase_add_test(tests, writing_all_waits_for_a_full_pipe);
	tcase_add_checked_fixture(sockets, scratch_make, scratch_remove);
	tcase_add_test(sockets, sockets_have_paths_of_any_length);
	tcase_add_test(sockets, a_path_of_every_length_around_the_limit_works);
	tcase_add_test(sockets, fds_travel_close_on_exec_and_surplus_ones_are_closed);
	suite_add_tcase(suite, tests);
	suite_add_tcase(suite, files());
	suite_add_tcase(suite, sockets);
	return run_suite(suite);
}
