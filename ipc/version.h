/* ipc/version.h - the one place that says which build this is. */
#ifndef IPC_VERSION_H
#define IPC_VERSION_H

#define REEVE_VERSION "0.1.0"

#endif
