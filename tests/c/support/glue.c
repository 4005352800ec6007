#include "glue.h"

#include <stdlib.h>

struct mac_table *mac_test_new(uint32_t cap, uint64_t ageing_ms) {
    struct mac_table *t = malloc(sizeof *t);
    if (t && mac_table_init(t, cap, ageing_ms) < 0) {
        free(t);
        return NULL;
    }
    return t;
}

void mac_test_free(struct mac_table *t) {
    if (t) {
        mac_table_destroy(t);
        free(t);
    }
}
