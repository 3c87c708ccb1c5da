/*
 * ipc/inherit.h - the fds and arguments that are a contract between two of our programs.
 * Nothing else is inherited by anybody.
 */
#ifndef IPC_INHERIT_H
#define IPC_INHERIT_H

#include <stdint.h>

/* reeved -> reeve-supervisor. argv: reeve-supervisor --state-dir D --run-dir D, what reeved was
 * given of --slots N and --log-level L, and --again when a supervisor has served before.
 * REEVE_CONFIG_DIR and REEVE_CONFIG_FILE say where the configuration is. */
enum keeper_fd {
	KEEPER_FD_LISTEN = 3, /* the control socket, listening */
	KEEPER_FD_REAPS = 4,  /* memfd: struct reap_ring, read-only use */
	KEEPER_FD_LINK = 5,   /* SOCK_SEQPACKET pair; messages are struct keeper_msg */
	KEEPER_FD_COUNT = 3,
	/* memfd: kept for the supervisors, who alone know what is in it (supervisor/vault.h). Older
	 * keepers have none. */
	KEEPER_FD_VAULT = 6
};

/* reeve-supervisor -> reeve-worker. argv: reeve-worker ID.N */
enum worker_fd {
	WORKER_FD_JOURNAL = 3,  /* O_RDWR, locked: the lock is the proof of life */
	WORKER_FD_NEWS = 4,     /* FIFO to the supervisor, O_RDWR|O_NONBLOCK */
	WORKER_FD_ORDERS = 5,   /* FIFO from the supervisor, O_RDWR|O_NONBLOCK */
	WORKER_FD_ATTEMPTS = 6, /* STATE/attempts, where ID.N/ is made for the log */
	WORKER_FD_CGROUP =
	    7, /* directory of the task's cgroup, with w/ and s/ in it; may be closed */
	WORKER_FD_BRIEF = 8 /* memfd: one encoded struct brief, sealed */
};

/* What the keeper and a supervisor say to each other, one datagram each. */
enum keeper_msg_kind {
	KEEPER_REAPED = 1, /* keeper -> supervisor: the ring has grown */
	KEEPER_READY =
	    2, /* supervisor -> keeper: serving; its death no longer counts for back-off */
	KEEPER_STOP = 3,    /* supervisor -> keeper: end the service once I have exited */
	KEEPER_RESTART = 4, /* supervisor -> keeper: then become the program installed now */
	KEEPER_SUSPEND =
	    5 /* keeper -> supervisor: stop every task at a checkpoint, then the service */
};
struct keeper_msg {
	uint32_t kind;
};

/* One child's end, noted by the keeper before it reaped it. */
struct reap_record {
	int32_t pid;
	int32_t code;   /* CLD_EXITED, CLD_KILLED, CLD_DUMPED */
	int32_t status; /* exit status or signal */
	int32_t pad;
	uint64_t start_ticks;
};

enum {
	REAP_RING_SIZE = 8192,
	KEEPER_INSTANCE_TEXT = 33
};

/*
 * Written by the keeper alone: the fields of a record, then `count`, each with release order; a
 * record is overwritten REAP_RING_SIZE deaths later. Lives as long as the keeper, which is what
 * `instance` names.
 */
struct reap_ring {
	uint64_t magic;    /* REAP_RING_MAGIC */
	char instance[40]; /* 32 hex digits drawn at start: pid and boot id repeat in containers */
	int32_t keeper_pid;
	int32_t pad;
	uint64_t keeper_start_ticks;
	uint64_t count; /* records written ever; record i is records[i % REAP_RING_SIZE] */
	struct reap_record records[REAP_RING_SIZE];
};
#define REAP_RING_MAGIC UINT64_C(0x31676e6972706572)

/* Exit statuses of the supervisor that the keeper understands; every other one is a death. */
enum {
	SUPERVISOR_EXIT_STOP = 0,
	SUPERVISOR_EXIT_USAGE = 2,
	SUPERVISOR_EXIT_IO = 75,
	SUPERVISOR_EXIT_UNUSABLE = 78 /* damaged, or a newer build's: another start cannot help */
};

#endif
