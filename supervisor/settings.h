/*
 * supervisor/settings.h - the configuration that is in force, and how another comes into force.
 *
 * Read at start and whenever somebody asks; a file with anything wrong in it changes nothing. What
 * was good is remembered in STATE/config.good, for a supervisor that has to take over from one that
 * died while the file was being edited.
 */
#ifndef SUPERVISOR_SETTINGS_H
#define SUPERVISOR_SETTINGS_H

#include "supervisor/config/config.h"
#include "supervisor/flags.h"
#include "supervisor/recipe/library.h"

struct settings {
	struct config_layers layers; /* above the default; file is path */
	struct flags flags;
	struct config config;
	char *path; /* of the file; owned */
	/* Why what the file holds now is not what is in force; "": it is. */
	char problem[sizeof((struct recipe_error *)NULL)->message];
	char *
	    waiting[CONFIG_KEYS]; /* a value that comes into force with a restart; owned, or NULL */
};

/* At start. 0; -EINVAL after logging what is wrong; -ENOMEM. */
int settings_load(struct settings *settings, const struct flags *flags);
void settings_fini(struct settings *settings);

/* What another reading found. Made on any thread by settings_read, then taken by settings_take. */
struct settings_found {
	struct config config;
	struct recipe_library library;
	gid_t admin_gid;
	struct recipe_error error;
};

/* 0; -EINVAL with ->error; -ENOMEM. Blocks on files and name services; changes nothing. */
int settings_read(const struct settings *settings, struct settings_found *ret_found);

/* FOUND's config comes into force, but for what takes a restart: that is in ->waiting. Returns the
 * rows that have changed, as bits. */
uint64_t settings_take(struct settings *settings, struct settings_found *found);

/* ---- values that follow from the configuration --------------------------------------- */

uint64_t settings_slots(const struct config *config);
gid_t settings_admin_gid(const struct config *config); /* blocks; (gid_t)-1: no such group */
/* To our own environment, for workers and modules that look there. Before there are threads. */
void settings_export(const struct config *config);
int settings_library(const struct config *config, struct recipe_library *ret_library);

#endif
