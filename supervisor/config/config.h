/*
 * supervisor/config/config.h - what is set, and where each value comes from.
 *
 * Four layers, the first that has a value wins: a flag of reeved, the environment, the
 * configuration file, the default. keys.h lists what there is. The file is YAML read by the fence
 * that recipes are read by (supervisor/recipe/node.h). Blocks on the file system.
 */
#ifndef SUPERVISOR_CONFIG_CONFIG_H
#define SUPERVISOR_CONFIG_CONFIG_H

#include "ipc/codec.h"
#include "supervisor/config/keys.h"
#include "supervisor/recipe/recipe.h"

/* What the words of keys.h mean where a number stands. */
#define CONFIG_AUTO      (UINT64_MAX - 1)
#define CONFIG_UNLIMITED UINT64_MAX

enum config_source {
	CONFIG_FROM_DEFAULT,
	CONFIG_FROM_FILE,
	CONFIG_FROM_ENV,
	CONFIG_FROM_FLAG
};

struct config_origin {
	enum config_source source;
	uint32_t line; /* in the file; 0 elsewhere */
	char *text;    /* the value as it was written there, owned; a list joined by colons */
};

/* How long a task is kept after each kind of end. */
struct config_keep {
	uint64_t completed, failed, cancelled, interrupted;
};

struct config {
	uint64_t slots; /* 0: start nothing */
	unsigned log_level;
	uint64_t grace_ms;
	uint64_t max_processes;
	uint64_t user_tasks;
	struct config_keep keep_ms;
	uint64_t keep_tasks, keep_bytes; /* CONFIG_UNLIMITED: all */
	char *admin_group;
	struct strs recipes; /* none: where they usually are */
	unsigned cgroups;    /* n-th of auto, off */
	unsigned spawn;      /* n-th of auto, clone3, clone, fork */
	struct config_origin origins[CONFIG_KEYS];
};

/* The layers above the default. All borrowed. */
struct config_layers {
	const char *file;     /* read when it is there; NULL: none */
	bool file_is_named;   /* it was asked for: it must be there */
	bool file_is_trusted; /* else it must belong to root or us, writable by nobody else */
	/* By row of config_keys; NULL: not given. */
	const char *env[CONFIG_KEYS], *flags[CONFIG_KEYS];
};

/* Fills in what the environment says now; borrowed from it. */
void config_layers_take_env(struct config_layers *layers);

/* 0; -EINVAL with *ret_error, whose message says where; -ENOMEM. On failure *ret_config is
 * untouched. *ret_text (NULL: not wanted) is what the file held, owned; "" without one. */
int config_load(struct config *ret_config, const struct config_layers *layers, char **ret_text,
    struct recipe_error *ret_error);
void config_fini(struct config *config);

/* "default", "file", "environment", "flag". Static. */
const char *config_source_name(enum config_source source);

/* The rows of config_keys that A and B differ in, as bits. */
uint64_t config_diff(const struct config *a, const struct config *b);

/* Row NAME's place in config_keys, or CONFIG_KEYS. */
size_t config_key_index(const char *name);

#endif
