#include "worker/pump.h"

#include "ipc/clock.h"
#include "ipc/fd.h"
#include "ipc/log.h"
#include "worker/kill.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	DRAIN_MS = 200,
	DISK_MS = 500,
	SLOW_MS = 100,
	HOUR_MS = 3600 * 1000,
	READ_BYTES = 16 * 1024,
	WAITING_ENOUGH = 64 * 1024 /* facts without room: steps are not listened to for now */
};

/* Places in what is polled. */
enum {
	AT_SIGNAL,
	AT_ORDERS,
	AT_PIDFD,
	AT_OUT,
	AT_ERR,
	AT_CHANNEL,
	AT_COUNT
};

void
child_init(struct child *child)
{
	*child =
	    (struct child){ .pidfd = -1, .out_fd = -1, .err_fd = -1, .progress = PROGRESS_NONE };
	channel_init(&child->channel, -1, 0, 0);
	prompt_init(&child->prompt);
}

void
child_fini(struct child *child)
{
	fd_close(&child->pidfd);
	fd_close(&child->out_fd);
	fd_close(&child->err_fd);
	channel_fini(&child->channel);
	growth_fini(&child->growth);
	prompt_fini(&child->prompt);
	free(child->bars);
	child->bars = NULL;
}

void
child_reap(struct child *child)
{
	siginfo_t info;

	if (child->pid > 0)
		waitid(P_PID, (id_t)child->pid, &info, WEXITED | __WALL);
	child->pid = 0;
}

static void
note_exit(struct attempt *attempt, struct child *child, uint64_t now_ms)
{
	siginfo_t info = { .si_pid = 0 };

	if (child->exited ||
	    waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) < 0 ||
	    info.si_pid == 0)
		return;
	child->exited = true;
	child->drain_ms = now_ms + DRAIN_MS;
	child->exit.known = true;
	child->exit.code = info.si_code == CLD_EXITED ? info.si_status : 0;
	child->exit.signal = info.si_code == CLD_EXITED ? 0 : info.si_status;
	fd_close(&child->pidfd);
	prompt_end(&child->prompt, attempt);
}

static void
read_signals(struct attempt *attempt, struct child *child)
{
	struct signalfd_siginfo info[8];
	ssize_t n;

	while ((n = read(attempt->signal_fd, info, sizeof info)) > 0) {
		for (size_t i = 0; i < (size_t)n / sizeof info[0]; i++) {
			if (info[i].ssi_signo == SIGUSR1)
				attempt_reopen_fifos(attempt);
			else if (info[i].ssi_signo != SIGCHLD)
				log_warn("%s: signal %u is ignored: a worker ends with its task",
				    attempt->name, info[i].ssi_signo);
		}
		if ((size_t)n < sizeof info)
			break;
	}
	kill_reap(child ? child->pid : 0);
}

/* As many lines as last time are the whole. */
static void
count_lines(struct attempt *attempt, const struct child *child)
{
	uint64_t before = attempt->brief.steps.v[child->channel.step].lines;
	double fraction = before ? (double)attempt->output.line_ends / (double)before : NAN;

	bulletin_fraction(&attempt->bulletin, fraction > PROGRESS_MOST ? PROGRESS_MOST : fraction);
}

static void
read_bars(struct attempt *attempt, struct child *child, int stream, const void *data, size_t len)
{
	bool risen;

	if (!child->bars) {
		child->bars = malloc(sizeof *child->bars);
		if (!child->bars)
			return;
		progress_init(child->bars, child->progress);
	}
	risen = progress_feed(child->bars, stream, data, len);
	if (len < READ_BYTES)
		risen |= progress_settle(child->bars);
	if (risen)
		bulletin_fraction(&attempt->bulletin, child->bars->fraction);
}

/* What is known of the child so far decides whose word on progress is taken. */
static void
read_progress(
    struct attempt *attempt, struct child *child, int stream, const void *data, size_t len)
{
	if (!child->channel.has_progress && child->progress != PROGRESS_NONE &&
	    child->progress != PROGRESS_FILE && child->progress != PROGRESS_LINES)
		read_bars(attempt, child, stream, data, len);
}

static void
read_output(struct attempt *attempt, struct child *child, enum log_stream stream)
{
	int *fd = stream == LOG_STREAM_OUT ? &child->out_fd : &child->err_fd;
	char data[READ_BYTES];
	ssize_t n = read(*fd, data, sizeof data);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		fd_close(fd);
		return;
	}
	read_progress(attempt, child, stream == LOG_STREAM_ERR, data, (size_t)n);
	if (child->is_on_tty)
		n = (ssize_t)prompt_take(&child->prompt, data, (size_t)n, clock_boot_ms());
	output_feed(&attempt->output, stream, data, (size_t)n);
	bulletin_log_bytes(&attempt->bulletin, attempt->output.end);
	if (child->progress == PROGRESS_LINES && !child->channel.has_progress)
		count_lines(attempt, child);
}

/* Closes what is still open once the child is dead and its pipes are empty or it took too long. */
static bool
is_over(struct attempt *attempt, struct child *child, uint64_t now_ms)
{
	bool is_open = child->out_fd >= 0 || child->err_fd >= 0 || child->channel.fd >= 0;

	if (!child->exited || (is_open && now_ms < child->drain_ms))
		return false;
	fd_close(&child->out_fd);
	fd_close(&child->err_fd);
	fd_close(&child->channel.fd);
	output_end(&attempt->output);
	bulletin_log_bytes(&attempt->bulletin, attempt->output.end);
	child->over = true;
	return true;
}

static int
sooner(int wait_ms, int other_ms)
{
	return wait_ms < 0 || (other_ms >= 0 && other_ms < wait_ms) ? other_ms : wait_ms;
}

static int
until(uint64_t then_ms, uint64_t now_ms)
{
	uint64_t wait_ms = then_ms > now_ms ? then_ms - now_ms : 0;

	return wait_ms > HOUR_MS ? HOUR_MS : (int)wait_ms;
}

/* Not while the step floods, nor while facts find no room on the disk; its last words always. */
static bool
may_listen(struct attempt *attempt, const struct child *child, uint64_t now_ms)
{
	if (child->channel.fd < 0 || child->exited)
		return child->channel.fd >= 0;
	return attempt_may_take(attempt, now_ms) &&
	       journal_waiting(&attempt->journal) < WAITING_ENOUGH;
}

static void
fill_polls(struct attempt *attempt, const struct child *child, struct pollfd *polls, bool listen)
{
	for (int i = 0; i < AT_COUNT; i++)
		polls[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
	polls[AT_SIGNAL].fd = attempt->signal_fd;
	polls[AT_ORDERS].fd = attempt->orders.fd;
	if (!child || child->over)
		return;
	polls[AT_PIDFD].fd = child->pidfd;
	polls[AT_OUT].fd = child->out_fd;
	polls[AT_ERR].fd = child->err_fd;
	polls[AT_CHANNEL].fd = listen ? child->channel.fd : -1;
}

static void
serve_child(struct attempt *attempt, struct child *child, const struct pollfd *polls)
{
	if (polls[AT_OUT].revents)
		read_output(attempt, child, LOG_STREAM_OUT);
	if (polls[AT_ERR].revents)
		read_output(attempt, child, LOG_STREAM_ERR);
	if (polls[AT_CHANNEL].revents)
		channel_read(&child->channel, attempt);
	if (polls[AT_PIDFD].revents)
		note_exit(attempt, child, clock_boot_ms());
}

static void
answer(struct attempt *attempt, struct child *child)
{
	channel_answer(&child->channel, attempt);
	prompt_answer(&child->prompt, attempt);
}

static void
serve(struct attempt *attempt, struct child *child, const struct pollfd *polls)
{
	if (child && !child->over)
		serve_child(attempt, child, polls);
	if (polls[AT_SIGNAL].revents)
		read_signals(attempt, child);
	if (polls[AT_ORDERS].revents)
		attempt_hear(attempt);
	if (child && !child->over)
		answer(attempt, child);
}

/* One round: what is due is done, then whatever comes first is awaited. */
static void
turn(struct attempt *attempt, struct child *child, uint64_t deadline_ms, uint64_t now_ms)
{
	bool is_live = child && !child->over;
	bool listen = is_live && may_listen(attempt, child, now_ms);
	struct pollfd polls[AT_COUNT];
	int wait_ms = -1;

	if (journal_waiting(&attempt->journal) > 0 && journal_retry(&attempt->journal) == -EAGAIN)
		wait_ms = DISK_MS;
	wait_ms = sooner(wait_ms, bulletin_flush(&attempt->bulletin, now_ms));
	if (is_live)
		wait_ms = sooner(wait_ms, output_flush_old(&attempt->output, now_ms));
	if (is_live && !child->exited)
		wait_ms = sooner(wait_ms, vigil_turn(&child->vigil, attempt, now_ms));
	if (is_live && !child->channel.has_progress)
		wait_ms = sooner(wait_ms, growth_look(&child->growth, attempt, now_ms));
	if (is_live && !child->exited)
		wait_ms = sooner(
		    wait_ms, prompt_turn(&child->prompt, attempt, child->vigil.spared, now_ms));
	if (is_live && child->channel.fd >= 0 && !listen)
		wait_ms = sooner(wait_ms, SLOW_MS);
	if (is_live && child->exited)
		wait_ms = sooner(wait_ms, until(child->drain_ms, now_ms));
	if (deadline_ms)
		wait_ms = sooner(wait_ms, until(deadline_ms, now_ms));
	fill_polls(attempt, child, polls, listen);
	if (poll(polls, AT_COUNT, wait_ms) > 0)
		serve(attempt, child, polls);
}

enum pump_event
pump(struct attempt *attempt, struct child *child, uint64_t deadline_ms)
{
	for (;;) {
		uint64_t now_ms = clock_boot_ms();

		if (attempt->journal.error)
			return PUMP_BROKEN;
		if (child && !child->over && is_over(attempt, child, now_ms))
			return PUMP_EXITED;
		if (attempt->orders.is_new)
			return PUMP_WISH;
		if (deadline_ms && now_ms >= deadline_ms)
			return PUMP_DEADLINE;
		turn(attempt, child, deadline_ms, now_ms);
	}
}

int
pump_sync(struct attempt *attempt, bool may_stop)
{
	bool told = false;
	int r;

	while ((r = journal_sync(&attempt->journal)) == -EAGAIN) {
		if (!told)
			bulletin_blocked(&attempt->bulletin, BLOCK_DISK,
			    "the service's state directory is full", clock_wall_ms());
		told = true;
		if (pump(attempt, NULL, clock_boot_ms() + DISK_MS) != PUMP_WISH)
			continue;
		if (may_stop)
			return -ECANCELED;
		attempt->orders.is_new = false;
	}
	if (told)
		bulletin_blocked(&attempt->bulletin, 0, NULL, 0);
	return r;
}
