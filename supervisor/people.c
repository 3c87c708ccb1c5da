#include "supervisor/people.h"

#include "ipc/clock.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	KNOWN = 64,
	FRESH_MS = 60 * 1000,
	NSS_BYTES = 64 * 1024,
	MAX_GROUPS = 256
};

struct people {
	struct jobs *jobs;
	struct person known[KNOWN]; /* by uid modulo; name NULL: empty */
};

struct look_up {
	struct job job;
	struct people *people;
	struct person person;
	void (*done)(const struct person *person, void *arg);
	void *arg;
};

static void
free_person(struct person *person)
{
	free(person->name);
	free(person->home);
	free(person->shell);
	free(person->groups);
	*person = (struct person){ 0 };
}

static void
find_groups(struct person *person)
{
	int n = MAX_GROUPS;

	person->groups = calloc(MAX_GROUPS, sizeof *person->groups);
	if (person->groups && getgrouplist(person->name, person->gid, person->groups, &n) >= 0)
		person->ngroups = (size_t)n;
}

/* getpwuid_r(3) asks whatever nsswitch.conf names; it may take its time. */
static void
look_up(struct job *job)
{
	struct look_up *look = (struct look_up *)job;
	struct person *person = &look->person;
	struct passwd entry, *found = NULL;
	char *text = malloc(NSS_BYTES);
	char number[16];

	snprintf(number, sizeof number, "%u", (unsigned)person->uid);
	if (text && getpwuid_r(person->uid, &entry, text, NSS_BYTES, &found) == 0 && found) {
		person->gid = entry.pw_gid;
		person->name = strdup(entry.pw_name);
		person->home = strdup(entry.pw_dir && *entry.pw_dir ? entry.pw_dir : "/");
		person->shell =
		    strdup(entry.pw_shell && *entry.pw_shell ? entry.pw_shell : "/bin/sh");
		if (person->name)
			find_groups(person);
	} else {
		person->gid = (gid_t)person->uid;
		person->name = strdup(number);
		person->home = strdup("/");
		person->shell = strdup("/bin/sh");
	}
	free(text);
}

/* Otherwise memory was short. */
static bool
is_complete(const struct person *person)
{
	return person->name && person->home && person->shell;
}

static void
deliver(struct job *job)
{
	struct look_up *look = (struct look_up *)job;
	struct person *slot = &look->people->known[look->person.uid % KNOWN];

	if (is_complete(&look->person)) {
		look->person.known_ms = clock_boot_ms();
		free_person(slot);
		*slot = look->person;
		look->done(slot, look->arg);
	} else {
		free_person(&look->person);
		look->done(NULL, look->arg);
	}
	free(look);
}

int
people_new(struct jobs *jobs, struct people **ret_people)
{
	struct people *people = calloc(1, sizeof *people);

	if (!people)
		return -ENOMEM;
	people->jobs = jobs;
	*ret_people = people;
	return 0;
}

void
people_free(struct people *people)
{
	if (!people)
		return;
	for (size_t i = 0; i < KNOWN; i++)
		free_person(&people->known[i]);
	free(people);
}

void
people_look_up(struct people *people, uid_t uid,
    void (*done)(const struct person *person, void *arg), void *arg)
{
	struct person *slot = &people->known[uid % KNOWN];
	struct look_up *look;

	if (slot->name && slot->uid == uid && clock_boot_ms() < slot->known_ms + FRESH_MS) {
		done(slot, arg);
		return;
	}
	look = calloc(1, sizeof *look);
	if (!look) {
		done(NULL, arg);
		return;
	}
	look->job = (struct job){ .work = look_up, .done = deliver };
	look->people = people;
	look->person.uid = uid;
	look->done = done;
	look->arg = arg;
	jobs_add(people->jobs, &look->job);
}

int
people_user_id(const char *name, uid_t *ret_uid)
{
	struct passwd entry, *found = NULL;
	char *text = malloc(NSS_BYTES);

	if (text && getpwnam_r(name, &entry, text, NSS_BYTES, &found) == 0 && found)
		*ret_uid = found->pw_uid;
	free(text);
	return found ? 0 : -ENOENT;
}

gid_t
people_group_id(const char *name)
{
	struct group entry, *found = NULL;
	char *text = malloc(NSS_BYTES);
	gid_t gid = (gid_t)-1;

	if (text && getgrnam_r(name, &entry, text, NSS_BYTES, &found) == 0 && found)
		gid = found->gr_gid;
	free(text);
	return gid;
}
