#include "datapath/drop_reason.h"

#include <stddef.h>

static const char *const names[] = {
#define X(symbol, name, meaning) [DROP_##symbol] = name,
    DROP_REASONS(X)
#undef X
};

static const char *const meanings[] = {
#define X(symbol, name, meaning) [DROP_##symbol] = meaning,
    DROP_REASONS(X)
#undef X
};

const char *drop_reason_name(unsigned reason) {
    return reason < DROP_N_REASONS ? names[reason] : "unknown";
}

const char *drop_reason_meaning(unsigned reason) {
    return reason < DROP_N_REASONS ? meanings[reason] : "unknown";
}
