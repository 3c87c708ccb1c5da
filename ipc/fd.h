/*
 * ipc/fd.h - file descriptors: closing, whole reads and writes, passing them on.
 * Every fd made here is close-on-exec.
 */
#ifndef IPC_FD_H
#define IPC_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Closes *FD unless it is -1, sets it to -1, keeps errno. Returns -1 for use in initialisers. */
int fd_close(int *fd);

/* Opens /dev/null on whichever of 0, 1, 2 is closed, so that no later fd lands there. */
int fd_guard_stdio(void);

int fd_set_nonblock(int fd, bool on);

/* Reads until LEN bytes or end of file; EINTR is retried. Bytes read, or -errno. Blocks. */
ssize_t fd_read_all(int fd, void *data, size_t len);

/* Writes everything, 0 or -errno. Blocks. */
int fd_write_all(int fd, const void *data, size_t len);

/* All of the regular file behind FD, from its beginning; else as fd_read_file. */
int fd_read_whole(int fd, size_t max_bytes, char **ret_data, size_t *ret_len);

/* A whole small file at DIRFD/PATH (O_NOFOLLOW), NUL-terminated, into owned *ret_data.
 * -EFBIG over MAX_BYTES. Blocks. */
int fd_read_file(int dirfd, const char *path, size_t max_bytes, char **ret_data, size_t *ret_len);

/* Writes PATH.tmp beside PATH, syncs it, renames it, syncs the directory when SYNC. Blocks. */
int fd_write_file(
    int dirfd, const char *path, const void *data, size_t len, mode_t mode, bool sync);

/* mkdir -p for an absolute or relative path; existing directories are left alone. */
int fd_mkdir_all(const char *path, mode_t mode);

/* Removes DIRFD/NAME and everything below it; never follows links nor leaves the file system.
 * -ENOENT counts as done. Blocks. */
int fd_remove_tree(int dirfd, const char *name);

/* Open-file-description write lock on the whole file (fcntl(2), F_OFD_SETLK). 0, -EAGAIN if held.
 */
int fd_lock(int fd);

/* 1 when somebody else holds such a lock, 0 when nobody does, -errno. Takes nothing (F_OFD_GETLK).
 */
int fd_is_locked(int fd);

/* AF_UNIX addresses longer than 107 bytes work too, by way of /proc/self/fd/DIR/name. */
int fd_unix_listen(const char *path, mode_t mode, int backlog);
int fd_unix_connect(const char *path);

/* Sends LEN bytes with up to 16 fds; receives likewise, surplus fds are closed. recv sets *nfds. */
ssize_t fd_send(int sock, const void *data, size_t len, const int *fds, size_t nfds);
ssize_t fd_recv(int sock, void *data, size_t len, int *ret_fds, size_t *nfds);

#endif
