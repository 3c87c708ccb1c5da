#include "tests/integ/pull_web.h"

#include "ipc/fd.h"

#include <arpa/inet.h>
#include <check.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* R is the root, P and T the two ports. */
static const char config[] =
    "daemon off; worker_processes 1; pid R/nginx.pid; error_log R/error.log warn;\n"
    "events { worker_connections 64; }\n"
    "http {\n"
    "log_format test '$uri $status $http_range';\n"
    "access_log R/access.log test;\n"
    "client_body_temp_path R/tmp; proxy_temp_path R/tmp; fastcgi_temp_path R/tmp;\n"
    "uwsgi_temp_path R/tmp; scgi_temp_path R/tmp;\n"
    "add_header Retry-After 1 always;\n"
    "server { listen 127.0.0.1:P; root R/www;\n"
    "  if (-f R/slow) { set $limit_rate 8m; }\n"
    "  location /whole/ { alias R/www/; max_ranges 0; }\n"
    "  location /forbidden { return 403; }\n"
    "  location /busy/ { alias R/www/; if (-f R/busy) { return 503; } }\n"
    "}\n"
    "server { listen 127.0.0.1:T ssl; root R/www;\n"
    "  ssl_certificate R/certificate.pem; ssl_certificate_key R/key.pem;\n"
    "  location /down/ { rewrite ^/down/(.*)$ http://127.0.0.1:P/$1 redirect; }\n"
    "  location /away/ { rewrite ^/away/(.*)$ /$1 redirect; }\n"
    "}\n"
    "}\n";

int
web_listen(int *ret_port)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(fd, 64), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	*ret_port = ntohs(address.sin_port);
	return fd;
}

static void
write_config(const struct web *web, const char *path)
{
	FILE *file = fopen(path, "we");

	ck_assert_ptr_nonnull(file);
	/* Else root's worker becomes a user who may not enter the test's directory. */
	if (geteuid() == 0)
		fputs("user root;\n", file);
	for (const char *at = config; *at; at++) {
		/* A letter stands for a value where no word goes on. */
		bool alone = at == config || !((at[-1] | 32) >= 'a' && (at[-1] | 32) <= 'z');
		bool ends = !((at[1] | 32) >= 'a' && (at[1] | 32) <= 'z') && at[1] != '-';

		if (alone && ends && *at == 'R')
			fputs(web->root, file);
		else if (alone && ends && *at == 'P')
			fprintf(file, "%d", web->port);
		else if (alone && ends && *at == 'T')
			fprintf(file, "%d", web->tls_port);
		else
			fputc(*at, file);
	}
	ck_assert_int_eq(fclose(file), 0);
}

static void
run_openssl(const char *root)
{
	int fd;

	if (chdir(root) != 0)
		_exit(126);
	fd = open("openssl.log", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	dup2(fd, STDERR_FILENO);
	execlp("openssl", "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
	    "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=test", "-addext",
	    "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "certificate.pem",
	    (char *)NULL);
	_exit(127);
}

void
web_make_certificate(const char *root)
{
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		run_openssl(root);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}

static void
run_nginx(const struct web *web, int fd, int tls_fd)
{
	char inherited[32], config_path[512], log_path[512];

	/* A master that is asked ends its worker, too. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	fcntl(fd, F_SETFD, 0);
	fcntl(tls_fd, F_SETFD, 0);
	/* How nginx hands its sockets to its successor: it takes them instead of binding. */
	snprintf(inherited, sizeof inherited, "%d;%d;", fd, tls_fd);
	setenv("NGINX", inherited, 1);
	snprintf(config_path, sizeof config_path, "%s/nginx.conf", web->root);
	snprintf(log_path, sizeof log_path, "%s/error.log", web->root);
	execlp("nginx", "nginx", "-q", "-c", config_path, "-e", log_path, (char *)NULL);
	_exit(127);
}

void
web_start(struct web *web, const char *root)
{
	char path[512];
	int fd, tls_fd;

	*web = (struct web){ .root = root };
	fd = web_listen(&web->port);
	tls_fd = web_listen(&web->tls_port);
	snprintf(path, sizeof path, "%s/nginx.conf", root);
	write_config(web, path);
	web->pid = fork();
	ck_assert_int_ge(web->pid, 0);
	if (web->pid == 0)
		run_nginx(web, fd, tls_fd);
	fd_close(&fd);
	fd_close(&tls_fd);
}

void
web_stop(struct web *web)
{
	kill(web->pid, SIGTERM);
	waitpid(web->pid, NULL, 0);
}

/* "URI STATUS RANGE" */
static bool
is_line_of(const char *line, const char *uri, int status)
{
	size_t len = strlen(uri);

	if (strncmp(line, uri, len) != 0 || line[len] != ' ')
		return false;
	return status == 0 || strtol(line + len + 1, NULL, 10) == status;
}

/* One worker, one event after the other: once it answers this, what came before is in its log. */
static void
settle(const struct web *web)
{
	static const char request[] = "GET /settle HTTP/1.0\r\n\r\n";
	struct sockaddr_in address = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char answer[512];

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address.sin_port = htons((uint16_t)web->port);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(fd_write_all(fd, request, sizeof request - 1), 0);
	ck_assert_int_gt((int)fd_read_all(fd, answer, sizeof answer), 0);
	fd_close(&fd);
}

unsigned
web_count(const struct web *web, const char *uri, int status)
{
	char path[512], line[1024];
	unsigned count = 0;
	FILE *file;

	settle(web);
	snprintf(path, sizeof path, "%s/access.log", web->root);
	file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof line, file))
		count += is_line_of(line, uri, status);
	fclose(file);
	return count;
}
