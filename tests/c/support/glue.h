// Doors into what joins datapath and OpenFlow: MAC table, packet-ins, texts of keys.

#ifndef RINGSIDE_TESTS_GLUE_H
#define RINGSIDE_TESTS_GLUE_H

#include "ofproto/mac_table.h"
#include "ofproto/packet_in.h"

struct mac_table *mac_test_new(uint32_t cap, uint64_t ageing_ms); // NULL: refused.
void mac_test_free(struct mac_table *t);

#endif
