#include "tests/chaos/chaos.h"

#include "ipc/fd.h"
#include "ipc/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	COMM_LEN = 15
};

static void
start_keeper(struct chaos *chaos)
{
	char program[600], state[96], log[96];

	snprintf(program, sizeof program, "%s/reeved", chaos->bin);
	snprintf(state, sizeof state, "%s/state", chaos->root);
	snprintf(log, sizeof log, "%s/log", chaos->root);
	chaos->keeper = fork();
	if (chaos->keeper == 0) {
		int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(fd, STDERR_FILENO);
		setenv("REEVE_ORACLE", chaos->oracle, 1);
		execl(program, program, "--state-dir", state, "--run-dir", chaos->run, "--slots",
		    "30", "--log-level", "info", (char *)NULL);
		_exit(127);
	}
}

void
crew_start(struct chaos *chaos)
{
	snprintf(chaos->root, sizeof chaos->root, "/tmp/reeve-chaos.XXXXXX");
	snprintf(chaos->run, sizeof chaos->run, "/dev/shm/reeve-chaos.XXXXXX");
	if (!mkdtemp(chaos->root) || !mkdtemp(chaos->run))
		chaos_die(chaos, "making directories");
	snprintf(chaos->socket, sizeof chaos->socket, "%s/control.sock", chaos->run);
	snprintf(chaos->oracle, sizeof chaos->oracle, "%s/oracle", chaos->root);
	snprintf(chaos->record, sizeof chaos->record, "%s/record", chaos->root);
	if (fd_mkdir_all(chaos->oracle, 0700) < 0 || client_init(&chaos->client, chaos->socket) < 0)
		chaos_die(chaos, "making directories");
	start_keeper(chaos);
}

/* The PICK-th living child of PARENT that is called COMM, or 0. Its pidfd in *RET_PIDFD. */
static pid_t
child_called(pid_t parent, const char *comm, uint64_t pick, int *ret_pidfd)
{
	pid_t *pids, found = 0;
	struct proc_stat stat;
	size_t n, matching = 0;

	*ret_pidfd = -1;
	if (proc_children(parent, &pids, &n) < 0)
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (proc_stat(pids[i], &stat) < 0 || stat.state == 'Z' ||
		    strncmp(stat.comm, comm, COMM_LEN) != 0 || matching++ != pick)
			continue;
		*ret_pidfd = proc_pidfd_open_exact(pids[i], stat.start_ticks);
		found = *ret_pidfd >= 0 ? pids[i] : 0;
	}
	free(pids);
	return found;
}

void
crew_kill_supervisor(struct chaos *chaos)
{
	int pidfd;

	if (child_called(chaos->keeper, "reeve-supervisor", 0, &pidfd) == 0)
		return;
	if (proc_pidfd_signal(pidfd, SIGKILL) == 0)
		chaos->supervisor_kills++;
	fd_close(&pidfd);
}

/* The task a worker runs stands in its command line: `reeve-worker ID.N`. */
static uint64_t
task_of(pid_t worker)
{
	char path[64], text[128] = "";
	unsigned long long id = 0;
	size_t n;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%d/cmdline", (int)worker);
	file = fopen(path, "re");
	n = file ? fread(text, 1, sizeof text - 1, file) : 0;
	if (file)
		fclose(file);
	if (n > strlen(text) + 1 && sscanf(text + strlen(text) + 1, "%llu", &id) != 1)
		id = 0;
	return id < MAX_TASKS ? id : 0;
}

void
crew_kill_worker(struct chaos *chaos)
{
	int pidfd;
	pid_t pid = child_called(chaos->keeper, "reeve-worker", chaos_draw(chaos, 20), &pidfd);
	uint64_t id = pid ? task_of(pid) : 0;

	if (id > 0) {
		chaos->plans[id].worker_was_shot = true;
		if (proc_pidfd_signal(pidfd, SIGKILL) == 0)
			chaos->worker_kills++;
	}
	fd_close(&pidfd);
}

static void
wait_for_keeper(struct chaos *chaos)
{
	while (waitpid(chaos->keeper, NULL, 0) < 0 && errno == EINTR)
		;
	chaos->keeper_died = true;
	start_keeper(chaos);
}

void
crew_kill_keeper(struct chaos *chaos)
{
	kill(chaos->keeper, SIGKILL); /* our child, not reaped yet: nobody else has its pid */
	chaos->keeper_kills++;
	wait_for_keeper(chaos);
}

/* Tasks we have not heard of yet may be running, too. */
static void
mark_all_shot(struct chaos *chaos)
{
	for (uint64_t id = 1; id < chaos->last_id + 64 && id < MAX_TASKS; id++)
		if (!chaos->plans[id].ended)
			chaos->plans[id].worker_was_shot = true;
}

static void
kill_children(pid_t parent, pid_t but)
{
	struct proc_stat stat;
	pid_t *pids;
	size_t n;

	if (proc_children(parent, &pids, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		int pidfd = pids[i] != but && proc_stat(pids[i], &stat) == 0
				? proc_pidfd_open_exact(pids[i], stat.start_ticks)
				: -1;

		if (pidfd >= 0)
			proc_pidfd_signal(pidfd, SIGKILL);
		fd_close(&pidfd);
	}
	free(pids);
}

/* A machine that lost its power, as far as processes go. */
void
crew_kill_all(struct chaos *chaos)
{
	mark_all_shot(chaos);
	kill(chaos->keeper, SIGSTOP);
	kill_children(chaos->keeper, 0);
	kill_children(getpid(), chaos->keeper); /* what an earlier keeper started is ours by now */
	kill(chaos->keeper, SIGKILL);
	chaos->massacres++;
	wait_for_keeper(chaos);
}

static void
pack_shutdown(msgpack_packer *packer, void *arg)
{
	(void)arg;
	msgpack_pack_map(packer, 1);
	pack_kv_bool(packer, "tasks", true);
}

void
crew_stop(struct chaos *chaos)
{
	struct client_reply reply;

	if (desk_call(chaos, "shutdown", pack_shutdown, NULL, -1, &reply))
		client_reply_fini(&reply);
	waitpid(chaos->keeper, NULL, 0);
	client_fini(&chaos->client);
}
