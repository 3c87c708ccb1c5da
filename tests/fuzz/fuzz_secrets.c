/* Decodes what a client passes as secrets; what is accepted encodes to the same again. */
#include "ipc/secrets.h"

#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t once[SECRETS_MAX], twice[SECRETS_MAX];
	struct pairs secrets = { .v = NULL };
	int n;

	if (secrets_decode(data, size, &secrets) < 0)
		return 0;
	n = secrets_encode(&secrets, once);
	secrets_wipe(&secrets);
	REQUIRE(n >= 0);
	REQUIRE(secrets_decode(once, (size_t)n, &secrets) == 0);
	REQUIRE(secrets_encode(&secrets, twice) == n && memcmp(once, twice, (size_t)n) == 0);
	secrets_wipe(&secrets);
	return 0;
}
