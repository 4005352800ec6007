struct mac_table {
    uint32_t n;
    ...;
};
struct mac_table *mac_test_new(uint32_t cap, uint64_t ageing_ms);
void mac_test_free(struct mac_table *t);
bool mac_learn(struct mac_table *t, const uint8_t mac[6], uint16_t vlan, uint32_t port, uint64_t now_ms);
uint32_t mac_lookup(struct mac_table *t, const uint8_t mac[6], uint16_t vlan, uint64_t now_ms);
uint32_t mac_expire(struct mac_table *t, uint64_t now_ms);
uint32_t mac_flush(struct mac_table *t, uint32_t port);
