/*
 * ipc/install.h - where this package's programs and files are, told from the running program.
 *
 * In a build tree all programs stand beside each other. Installed, what people call is in
 * PREFIX/bin, what only other programs call in PREFIX/libexec/reeve, and what is read in
 * PREFIX/share/reeve. A package that was replaced under a running program is found all the same.
 */
#ifndef IPC_INSTALL_H
#define IPC_INSTALL_H

#include <limits.h>
#include <stdbool.h>

enum {
	INSTALL_PLACES = 3
};

/* Where a program may be, in the order to look. */
struct install_paths {
	char v[INSTALL_PLACES][PATH_MAX];
};

/* 0 or -errno; -ENAMETOOLONG. Nothing is looked for. */
int install_paths(const char *name, struct install_paths *ret_paths);

/* The directory NAME of what is read; in a build tree contrib's. As install_paths. */
int install_share(const char *name, char ret_path[static PATH_MAX]);

/* The running program's own path, without what the kernel adds when it was replaced. */
int install_self(char ret_path[static PATH_MAX]);

#endif
