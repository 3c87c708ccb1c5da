/*
 * worker/pull/pull.h - one download from beginning to end: what is there already, the lock, going
 * on, tries and waits, the proof, the rename.
 */
#ifndef WORKER_PULL_PULL_H
#define WORKER_PULL_PULL_H

#include "worker/pull/failure.h"
#include "worker/pull/options.h"
#include "worker/pull/report.h"

/* Blocks. PULL_OK, or why not, with *ret_failure saying it in words. */
enum pull_exit pull_run(
    const struct options *options, struct report *report, struct failure *ret_failure);

#endif
