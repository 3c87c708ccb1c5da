/*
 * worker/pull/digest.h - SHA-256 of bytes as they pass.
 */
#ifndef WORKER_PULL_DIGEST_H
#define WORKER_PULL_DIGEST_H

#include <openssl/evp.h>
#include <stddef.h>

enum {
	DIGEST_TEXT = 65
}; /* 64 lower-case hex digits and a NUL */

struct digest {
	EVP_MD_CTX *ctx; /* NULL before _init and after _fini */
};

int digest_init(struct digest *digest); /* 0 or -ENOMEM */
void digest_fini(struct digest *digest);

/* Forgets what was fed. 0 or -EIO (the crypto library refused). */
int digest_restart(struct digest *digest);
int digest_update(struct digest *digest, const void *data, size_t len); /* 0 or -EIO */

/* The digest of what was fed so far; feeding may go on. 0 or -EIO. */
int digest_hex(const struct digest *digest, char ret_text[static DIGEST_TEXT]);

/* 64 hex digits in either case, `sha256:` before them allowed. 0 or -EINVAL. */
int digest_parse(const char *text, char ret_text[static DIGEST_TEXT]);

#endif
