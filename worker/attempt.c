#include "worker/attempt.h"

#include "ipc/clock.h"
#include "ipc/fd.h"
#include "ipc/frame.h"
#include "ipc/inherit.h"
#include "ipc/log.h"
#include "ipc/mp.h"
#include "ipc/secrets.h"
#include "worker/oracle.h"
#include "worker/outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	BRIEF_MAX = 4 * 1024 * 1024
};
enum {
	ALLOWED_FACTS = 20000,
	ALLOWED_BYTES = 16 * 1024 * 1024
};
enum {
	FACTS_PER_S = 10,
	BYTES_PER_S = 16 * 1024
};

/* Those of the parameters, and those that were answered before. */
static int
make_mask(struct attempt *attempt)
{
	const struct brief *brief = &attempt->brief;
	int r = mask_init(&attempt->mask, &brief->secrets);

	for (size_t i = 0; i < brief->spec.steps.n && i < brief->steps.n; i++) {
		const struct question *question = &brief->spec.steps.v[i].confirm;
		const struct pairs *answered = outputs_answered(brief, i);

		for (size_t k = 0; r == 0 && answered && k < question->fields.n; k++) {
			const struct question_field *field = &question->fields.v[k];
			const char *value = pairs_get(answered, field->name);

			if (value && field_type_parse(field->type) == FIELD_SECRET)
				r = mask_add(&attempt->mask, value);
		}
	}
	return r;
}

static int
read_brief(struct attempt *attempt)
{
	struct codec_error error;
	size_t len;
	char *data;
	int r = fd_read_whole(WORKER_FD_BRIEF, BRIEF_MAX, &data, &len);

	close(WORKER_FD_BRIEF);
	if (r < 0)
		return r;
	r = codec_decode(&brief_codec, data, len, &attempt->brief, &error);
	if (r < 0) {
		codec_init(&brief_codec, &attempt->brief);
		log_error(
		    "%s: its brief is damaged: %s: %s", attempt->name, error.field, error.problem);
	}
	explicit_bzero(data, len);
	free(data);
	return r < 0 ? r : make_mask(attempt);
}

/* A step that earlier attempts said nothing of is pending. */
static int
complete_steps(struct brief *brief)
{
	struct brief_steps *steps = &brief->steps;

	if (steps->n > brief->spec.steps.n || brief->spec.steps.n == 0)
		return -EBADMSG;
	if (steps->n < brief->spec.steps.n) {
		struct brief_step *v = reallocarray(steps->v, brief->spec.steps.n, sizeof *v);

		if (!v)
			return -ENOMEM;
		memset(v + steps->n, 0, (brief->spec.steps.n - steps->n) * sizeof *v);
		steps->v = v;
		steps->n = brief->spec.steps.n;
	}
	for (size_t i = 0; i < steps->n; i++)
		if (steps->v[i].state == 0)
			steps->v[i].state = STEP_PENDING;
	return 0;
}

static int
read_groups(struct attempt *attempt)
{
	const struct blob *blob = &attempt->brief.groups;
	const msgpack_object_array *array;
	struct mp_doc doc;
	int r;

	if (!blob->data)
		return 0;
	if ((r = mp_parse(&doc, blob->data, blob->len, &walk_frame_limits)) < 0)
		return r;
	array = &doc.root.via.array;
	if (doc.root.type != MSGPACK_OBJECT_ARRAY || array->size > LIMIT_GROUPS) {
		r = -EBADMSG;
		goto out;
	}
	attempt->groups = calloc(array->size + 1, sizeof *attempt->groups);
	if (!attempt->groups) {
		r = -ENOMEM;
		goto out;
	}
	for (uint32_t i = 0; i < array->size && r == 0; i++) {
		uint64_t gid = mp_uint(&array->ptr[i], UINT64_MAX);

		r = gid < UINT32_MAX ? 0 : -EBADMSG;
		attempt->groups[attempt->ngroups++] = (gid_t)gid;
	}
out:
	mp_free(&doc);
	return r;
}

/* The supervisor may have left it out. */
static void
take_cgroup(struct attempt *attempt)
{
	if (fcntl(WORKER_FD_CGROUP, F_SETFD, FD_CLOEXEC) < 0)
		return;
	attempt->cgroup_fd = WORKER_FD_CGROUP;
	attempt->steps_fd = openat(attempt->cgroup_fd, "s", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int
block_signals(void)
{
	static const int taken[] = { SIGCHLD, SIGTERM, SIGUSR1, SIGINT, SIGHUP };
	sigset_t set;
	int fd;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
		sigaddset(&set, taken[i]);
	if (sigprocmask(SIG_SETMASK, &set, NULL) < 0)
		return -errno;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

int
attempt_open(struct attempt *attempt, const char *name)
{
	int r;

	*attempt = (struct attempt){
		.name = name, .cgroup_fd = -1, .steps_fd = -1, .null_fd = -1, .signal_fd = -1
	};
	codec_init(&brief_codec, &attempt->brief);
	asking_init(&attempt->asking);
	orders_init(&attempt->orders, -1, 0);
	attempt->allowance = (struct allowance){ .facts = ALLOWED_FACTS, .bytes = ALLOWED_BYTES };
	output_init(&attempt->output, WORKER_FD_ATTEMPTS, name, &attempt->mask);
	for (int fd = WORKER_FD_JOURNAL; fd <= WORKER_FD_ATTEMPTS; fd++)
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
			return -errno;
	if (fcntl(WORKER_FD_BRIEF, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	take_cgroup(attempt);
	if ((r = read_brief(attempt)) < 0 || (r = complete_steps(&attempt->brief)) < 0 ||
	    (r = read_groups(attempt)) < 0)
		return r;
	r = journal_open(&attempt->journal, WORKER_FD_JOURNAL,
	    journal_first_seq(attempt->brief.task, attempt->brief.attempt));
	if (r < 0)
		return r;
	if ((r = attempt->signal_fd = block_signals()) < 0)
		return r;
	attempt->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (attempt->null_fd < 0)
		return -errno;
	bulletin_init(&attempt->bulletin, WORKER_FD_NEWS, &attempt->brief, &attempt->mask);
	orders_init(&attempt->orders, WORKER_FD_ORDERS, attempt->brief.order_rev);
	oracle_open(name);
	return 0;
}

void
attempt_close(struct attempt *attempt)
{
	journal_fini(&attempt->journal);
	output_fini(&attempt->output);
	bulletin_fini(&attempt->bulletin);
	orders_fini(&attempt->orders);
	asking_fini(&attempt->asking);
	mask_fini(&attempt->mask);
	secrets_wipe(&attempt->brief.secrets);
	codec_free(&brief_codec, &attempt->brief);
	free(attempt->groups);
	fd_close(&attempt->steps_fd);
	fd_close(&attempt->null_fd);
	fd_close(&attempt->signal_fd);
}

int
attempt_fact(struct attempt *attempt, struct fact *fact)
{
	char **const texts[] = { &fact->name, &fact->text, &fact->detail, &fact->message,
		&fact->tail };
	enum {
		TEXTS = sizeof texts / sizeof texts[0]
	};
	char *plain[TEXTS], *masked[TEXTS];
	int r = 0;

	fact->ts_ms = clock_wall_ms();
	bulletin_ring(&attempt->bulletin);
	for (size_t i = 0; i < TEXTS; i++) {
		int error = 0;

		plain[i] = *texts[i];
		masked[i] = plain[i] ? mask_text(&attempt->mask, plain[i], &error) : NULL;
		if (masked[i] || error < 0)
			*texts[i] = masked[i];
	}
	r = journal_add(&attempt->journal, fact);
	for (size_t i = 0; i < TEXTS; i++) {
		*texts[i] = plain[i];
		free(masked[i]);
	}
	return r;
}

void
attempt_warn(struct attempt *attempt, uint64_t step, const char *text)
{
	char *cut = strndup(text, LIMIT_TEXT);
	struct fact fact;

	codec_init(&fact_codec, &fact);
	fact.kind = FACT_WARNING;
	fact.step = step;
	fact.text = cut;
	attempt_fact(attempt, &fact);
	attempt->has_warned = true;
	free(cut);
}

void
attempt_hear(struct attempt *attempt)
{
	if (orders_read(&attempt->orders))
		bulletin_ring(&attempt->bulletin);
	asking_hear(attempt);
}

void
attempt_obey(struct attempt *attempt, enum want want)
{
	struct fact fact;

	attempt->orders.is_new = false;
	if (want == WANT_PAUSE)
		return;
	if (attempt->cancel_ms == 0 && orders_want_cancel(&attempt->orders))
		attempt->cancel_ms = clock_boot_ms();
	codec_init(&fact_codec, &fact);
	fact.kind = FACT_OBEYED;
	fact.rev = attempt->orders.rev;
	fact.want = want;
	attempt_fact(attempt, &fact);
}

static double
smaller(double a, double b)
{
	return a < b ? a : b;
}

bool
attempt_may_take(struct attempt *attempt, uint64_t now_ms)
{
	struct allowance *left = &attempt->allowance;
	double seconds = left->at_ms ? (double)(now_ms - left->at_ms) / 1000 : 0;

	left->at_ms = now_ms;
	left->facts = smaller(left->facts + seconds * FACTS_PER_S, ALLOWED_FACTS);
	left->bytes = smaller(left->bytes + seconds * BYTES_PER_S, ALLOWED_BYTES);
	return left->facts > 0 && left->bytes > 0;
}

static void
reopen(const char *path, int onto)
{
	int fd = path ? open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW) : -1;
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode))
		dup3(fd, onto, O_CLOEXEC);
	else
		log_warn("cannot open the pipe %s again", path ? path : "that has no path");
	fd_close(&fd);
}

void
attempt_reopen_fifos(struct attempt *attempt)
{
	reopen(attempt->brief.news_path, WORKER_FD_NEWS);
	reopen(attempt->brief.orders_path, WORKER_FD_ORDERS);
	bulletin_ring(&attempt->bulletin);
}
