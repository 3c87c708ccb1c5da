#include "worker/pull/digest.h"

#include <errno.h>
#include <string.h>

int
digest_init(struct digest *digest)
{
	digest->ctx = EVP_MD_CTX_new();
	if (!digest->ctx || digest_restart(digest) != 0) {
		digest_fini(digest);
		return -ENOMEM;
	}
	return 0;
}

void
digest_fini(struct digest *digest)
{
	EVP_MD_CTX_free(digest->ctx);
	digest->ctx = NULL;
}

int
digest_restart(struct digest *digest)
{
	return EVP_DigestInit_ex(digest->ctx, EVP_sha256(), NULL) == 1 ? 0 : -EIO;
}

int
digest_update(struct digest *digest, const void *data, size_t len)
{
	return EVP_DigestUpdate(digest->ctx, data, len) == 1 ? 0 : -EIO;
}

int
digest_hex(const struct digest *digest, char ret_text[static DIGEST_TEXT])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char sum[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *copy = EVP_MD_CTX_new();
	unsigned int len = 0;
	int r = -EIO;

	if (copy && EVP_MD_CTX_copy_ex(copy, digest->ctx) == 1 &&
	    EVP_DigestFinal_ex(copy, sum, &len) == 1 && len * 2 + 1 == DIGEST_TEXT) {
		for (unsigned int i = 0; i < len; i++) {
			ret_text[(size_t)i * 2] = digits[sum[i] >> 4];
			ret_text[(size_t)i * 2 + 1] = digits[sum[i] & 15];
		}
		ret_text[DIGEST_TEXT - 1] = '\0';
		r = 0;
	}
	EVP_MD_CTX_free(copy);
	return r;
}

int
digest_parse(const char *text, char ret_text[static DIGEST_TEXT])
{
	static const char prefix[] = "sha256:";
	static const char digits[] = "0123456789abcdefABCDEF";

	if (strncmp(text, prefix, sizeof prefix - 1) == 0)
		text += sizeof prefix - 1;
	if (strlen(text) != DIGEST_TEXT - 1 || strspn(text, digits) != DIGEST_TEXT - 1)
		return -EINVAL;
	for (size_t i = 0; i < DIGEST_TEXT; i++)
		ret_text[i] =
		    (char)(text[i] >= 'A' && text[i] <= 'F' ? text[i] - 'A' + 'a' : text[i]);
	return 0;
}
