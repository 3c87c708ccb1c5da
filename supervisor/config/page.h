/* supervisor/config/page.h - the table of keys as two documents that ship. */
#ifndef SUPERVISOR_CONFIG_PAGE_H
#define SUPERVISOR_CONFIG_PAGE_H

#include "ipc/buf.h"

/* Appends contrib/CONFIG.md, the reference. buf_error() tells. */
void config_page(struct buf *out);

/* Appends contrib/reeve.yaml, a file in which every key stands, commented out, with its default. */
void config_default_file(struct buf *out);

#endif
