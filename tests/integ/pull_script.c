#include "tests/integ/pull_script.h"

#include "ipc/fd.h"
#include "tests/integ/pull_web.h"

#include <check.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Up to the empty line that ends a request's head. */
static void
read_request(int fd, char request[static SCRIPT_REQUEST])
{
	size_t len = 0;
	ssize_t n = 1;

	while (n > 0 && len + 1 < SCRIPT_REQUEST && !strstr(request, "\r\n\r\n")) {
		n = read(fd, request + len, SCRIPT_REQUEST - 1 - len);
		len += n > 0 ? (size_t)n : 0;
		request[len] = '\0';
	}
}

static void *
play(void *arg)
{
	struct script *script = arg;
	char rest[256];

	for (size_t i = 0; i < SCRIPT_MAX && script->lines[i].reply; i++) {
		const struct script_line *line = &script->lines[i];
		int fd = accept(script->fd, NULL, NULL);

		if (fd == -1)
			break;
		read_request(fd, script->requests[i]);
		script->played = i + 1;
		(void)!send(fd, line->reply, strlen(line->reply), MSG_NOSIGNAL);
		if (!line->holds)
			shutdown(fd, SHUT_WR);
		while (read(fd, rest, sizeof rest) > 0)
			;
		fd_close(&fd);
	}
	return NULL;
}

void
script_start(struct script *script)
{
	script->fd = web_listen(&script->port);
	ck_assert_int_eq(pthread_create(&script->thread, NULL, play, script), 0);
}

void
script_stop(struct script *script)
{
	shutdown(script->fd, SHUT_RDWR);
	pthread_join(script->thread, NULL);
	fd_close(&script->fd);
}
