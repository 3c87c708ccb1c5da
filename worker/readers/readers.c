#include "worker/readers/readers.h"

static const struct reader table[] = {
	{ PROGRESS_GIT, read_git },
	{ PROGRESS_CURL, read_curl },
	{ PROGRESS_WGET, read_wget },
	{ PROGRESS_RSYNC, read_rsync },
	{ PROGRESS_PIP, read_pip },
	{ PROGRESS_NPM, read_npm },
	{ PROGRESS_DOCKER, read_docker },
	{ PROGRESS_FFMPEG, read_ffmpeg },
	{ PROGRESS_PERCENT, read_percent },
	{ PROGRESS_COUNT, read_count },
};

const struct reader *
readers(size_t *ret_n)
{
	*ret_n = sizeof table / sizeof table[0];
	return table;
}
