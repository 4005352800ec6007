#include "datapath/lookup/smc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int smc_init(struct smc *smc) {
    size_t bytes = SMC_BUCKETS * sizeof *smc->buckets;
    smc->buckets = aligned_alloc(RS_CACHE_LINE, bytes);
    if (!smc->buckets) {
        return -ENOMEM;
    }
    memset(smc->buckets, 0, bytes);
    return 0;
}

void smc_destroy(struct smc *smc) {
    free(smc->buckets);
    smc->buckets = NULL;
}

void smc_insert(struct smc *smc, uint32_t hash, const struct megaflow *m) {
    struct smc_bucket *b = smc_bucket(smc, hash);
    uint16_t signature = (uint16_t)(hash >> 16);
    unsigned way = b->next % SMC_WAYS;
    for (unsigned i = 0; i < SMC_WAYS; i++) {
        if (b->slots[i] == 0 || b->signatures[i] == signature) {
            way = i;
            break;
        }
    }
    b->next += way == b->next % SMC_WAYS;
    b->signatures[way] = signature;
    b->slots[way] = m->slot + 1;
}
