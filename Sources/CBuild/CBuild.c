#include "CBuild.h"

const char *cbuild_commit(void) { return VAULT_COMMIT; }
