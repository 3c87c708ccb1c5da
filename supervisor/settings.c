#include "supervisor/settings.h"

#include "ipc/fd.h"
#include "ipc/log.h"
#include "supervisor/config/file.h"
#include "supervisor/people.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	MIN_SLOTS = 4
};

uint64_t
settings_slots(const struct config *config)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (config->slots != CONFIG_AUTO)
		return config->slots;
	return cores > MIN_SLOTS ? (uint64_t)cores : MIN_SLOTS;
}

gid_t
settings_admin_gid(const struct config *config)
{
	return people_group_id(config->admin_group);
}

int
settings_library(const struct config *config, struct recipe_library *ret_library)
{
	return recipe_library_init(ret_library, getenv("REEVE_CONFIG_DIR"), &config->recipes);
}

void
settings_export(const struct config *config)
{
	for (size_t i = 0; i < CONFIG_KEYS; i++)
		if (!config_keys[i].reloads)
			setenv(config_keys[i].env, config->origins[i].text, 1);
}

/* The environment as it is now: settings_export changes it. */
static int
find_layers(struct settings *settings)
{
	struct config_layers *layers = &settings->layers;

	settings->path = config_file_path(&layers->file_is_named);
	layers->file = settings->path;
	config_layers_take_env(layers);
	memcpy(layers->flags, settings->flags.values, sizeof layers->flags);
	return settings->path ? 0 : -ENOMEM;
}

/* Owned; NULL: no memory. */
static char *
good_path(const struct settings *settings)
{
	char *path = NULL;

	return asprintf(&path, "%s/config.good", settings->flags.state_dir) < 0 ? NULL : path;
}

static void
remember(const struct settings *settings, const char *text)
{
	char *path = good_path(settings);
	int r = path ? fd_write_file(AT_FDCWD, path, text, strlen(text), 0600, false) : -ENOMEM;

	if (r < 0)
		log_warn("the configuration is not remembered: %s", strerror(-r));
	free(path);
}

static int
load_good(struct settings *settings, struct recipe_error *error)
{
	struct config_layers layers = settings->layers;
	char *path = good_path(settings);
	int r;

	layers.file = path;
	layers.file_is_named = true;
	r = path ? config_load(&settings->config, &layers, NULL, error) : -ENOMEM;
	free(path);
	return r;
}

/* Whoever edits the file must not be surprised by a supervisor that dies meanwhile. */
static int
fall_back(struct settings *settings, const struct recipe_error *error)
{
	struct recipe_error second;

	log_error("%s", error->message);
	if (!settings->flags.again || load_good(settings, &second) < 0)
		return -EINVAL;
	log_warn("what was last good is in force");
	memcpy(settings->problem, error->message, sizeof settings->problem);
	return 0;
}

int
settings_load(struct settings *settings, const struct flags *flags)
{
	struct recipe_error error;
	char *text = NULL;
	int r;

	*settings = (struct settings){ .flags = *flags };
	r = find_layers(settings);
	if (r < 0)
		return r;
	r = config_load(&settings->config, &settings->layers, &text, &error);
	if (r == 0)
		remember(settings, text);
	else if (r == -EINVAL)
		r = fall_back(settings, &error);
	free(text);
	if (r < 0)
		settings_fini(settings);
	return r;
}

void
settings_fini(struct settings *settings)
{
	config_fini(&settings->config);
	for (size_t i = 0; i < CONFIG_KEYS; i++) {
		free(settings->waiting[i]);
		settings->waiting[i] = NULL;
	}
	free(settings->path);
	settings->path = NULL;
}

int
settings_read(const struct settings *settings, struct settings_found *ret_found)
{
	char *text = NULL;
	int r;

	*ret_found = (struct settings_found){ .admin_gid = (gid_t)-1 };
	r = config_load(&ret_found->config, &settings->layers, &text, &ret_found->error);
	if (r < 0)
		return r;
	r = settings_library(&ret_found->config, &ret_found->library);
	if (r < 0) {
		config_fini(&ret_found->config);
	} else {
		ret_found->admin_gid = settings_admin_gid(&ret_found->config);
		remember(settings, text);
	}
	free(text);
	return r;
}

/* The value in force stays until the restart; the new one waits. */
static void
put_off(struct settings *settings, struct config *found, size_t i)
{
	struct config_origin found_origin = found->origins[i];

	settings->waiting[i] = found_origin.text;
	found->origins[i] = settings->config.origins[i];
	settings->config.origins[i] = (struct config_origin){ .text = NULL };
}

uint64_t
settings_take(struct settings *settings, struct settings_found *found)
{
	uint64_t changed = config_diff(&settings->config, &found->config);

	for (size_t i = 0; i < CONFIG_KEYS; i++) {
		bool differs = changed & UINT64_C(1) << i;

		free(settings->waiting[i]);
		settings->waiting[i] = NULL;
		if (!differs || config_keys[i].reloads)
			continue;
		put_off(settings, &found->config, i);
		changed &= ~(UINT64_C(1) << i);
	}
	config_fini(&settings->config);
	settings->config = found->config;
	found->config = (struct config){ .slots = 0 };
	settings->problem[0] = '\0';
	return changed;
}
