// A whole switch with its threads through the doors of the API: packets come in on dummy ports and are learned from
// while rules, groups, meters, ports and limits change, texts are made of all of it, and controllers answer.
// For ThreadSanitizer and AddressSanitizer; what it checks itself is that every packet is accounted for.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/switch_api.h"

enum { PORTS = 4, ROUNDS = 1000, FRAME = 60 };

static struct rs_error err;
static uint64_t seed = 1;

static void die(const char *what) {
    fprintf(stderr, "%s: %s: %s\n", what, err.field, err.message);
    exit(1);
}

static void must(int result, const char *what) {
    if (result < 0) {
        die(what);
    }
}

static uint32_t any(uint32_t below) {
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33) % below;
}

static void make_frame(uint8_t frame[FRAME]) {
    static const uint8_t head[] = {2,    0, 0,  0,  0, 0, 2, 0,   0,  0,  0, 0,  8,  0,
                                   0x45, 0, 0,  46, 0, 0, 0, 0,   64, 17, 0, 0,  10, 0,
                                   0,    0, 10, 0,  0, 0, 3, 232, 0,  80, 0, 26, 0,  0};
    memset(frame, 'x', FRAME);
    memcpy(frame, head, sizeof head);
    frame[5] = (uint8_t)any(8);
    frame[11] = (uint8_t)any(8);
    frame[29] = (uint8_t)any(64);
    frame[33] = (uint8_t)any(4);
    frame[37] = (uint8_t)(80 + any(3));
}

static uint64_t inject(rs_switch *sw, unsigned n) {
    uint64_t sent = 0;
    uint8_t frame[FRAME];
    for (unsigned i = 0; i < n; i++) {
        make_frame(frame);
        sent += rs_dummy_inject(sw, 1 + any(PORTS - 1), frame, sizeof frame) == 0;
    }
    return sent;
}

static void take(rs_switch *sw) {
    uint8_t frame[4096];
    for (uint32_t port = 1; port < PORTS; port++) {
        while (rs_dummy_take(sw, port, frame, sizeof frame) > 0) {
        }
    }
}

static void open_port(rs_switch *sw, uint32_t ofport) {
    struct rs_port_config c = {.type = RS_PORT_DUMMY, .ofport = ofport, .n_queues = 1, .mtu = 1500};
    snprintf(c.name, sizeof c.name, "h%u", ofport);
    must(rs_port_open(sw, &c, NULL, &err), "port");
    must(rs_port_start(sw, ofport, &err), "start");
}

// -- changes --

static void change_rule(rs_switch *sw) {
    static const char *const rules[] = {
        "priority=%u,udp,nw_src=10.0.0.%u,actions=output:2,output:3",
        "priority=%u,udp,nw_dst=10.0.0.%u/31,actions=resubmit(,1)",
        "priority=%u,in_port=1,udp,tp_dst=%u,actions=set_field:1->metadata,resubmit(,1)",
        "table=1,priority=%u,metadata=1,udp,nw_src=10.0.0.%u,actions=controller(max_len=20),NORMAL",
        ("table=1,priority=%u,udp,tp_dst=%u,actions=learn(table=2,hard_timeout=1,dl_type=0x800,"
         "NXM_OF_IP_SRC[],output:NXM_OF_IN_PORT[]),resubmit(,2)"),
        "table=2,priority=%u,udp,nw_src=10.0.0.%u,actions=debug_recirc,dec_ttl,2",
        "priority=%u,udp,nw_src=10.0.0.%u,idle_timeout=1,actions=group:1",
        "priority=%u,conj_id=%u,udp,actions=3",
        "priority=%u,udp,nw_src=10.0.0.%u,actions=conjunction(2,1/2)",
        "priority=%u,udp,tp_dst=%u,actions=conjunction(2,2/2)",
        "priority=%u,udp,nw_src=10.0.0.%u,actions=meter:1,NORMAL",
    };
    char text[256];
    unsigned i = any(sizeof rules / sizeof *rules);
    unsigned low = i == 2 || i == 4 || i == 9 ? 80 + any(3) : any(8);
    snprintf(text, sizeof text, rules[i], 10 + any(5), low);
    int command = any(3) == 0 ? RS_FLOW_DELETE_STRICT : any(4) == 0 ? RS_FLOW_MODIFY : RS_FLOW_ADD;
    if (command == RS_FLOW_DELETE_STRICT) {
        *strstr(text, ",actions") = '\0';
    }
    rs_flow_mod(sw, text, command, &err); // Refused when it clashes: fine.
}

static void change_tables(rs_switch *sw) {
    static const char changes[] = "add table=3,priority=1,actions=2\ndelete table=3\n"
                                  "add table=3,priority=2,arp,actions=drop\n";
    static const char replacement[] = "priority=0,actions=NORMAL\n"
                                      "priority=20,udp,tp_dst=80,actions=resubmit(,1)\n"
                                      "table=1,priority=1,actions=group:1\n";
    must(rs_flows_apply(sw, changes, sizeof changes - 1, RS_FLOW_ADD, any(2), &err), "apply");
    if (any(8) == 0) {
        must(rs_flow_replace(sw, replacement, sizeof replacement - 1, &err), "replace");
    }
    struct rs_table_config config = {.max_flows = 5 + any(100), .evict = any(2)};
    must(rs_table_set(sw, 2, &config, &err), "table");
}

static void change_groups(rs_switch *sw) {
    char text[128];
    snprintf(text, sizeof text,
             "group_id=1,type=%s,bucket=actions=output:%u,bucket=actions=output:%u",
             any(2) ? "select" : "all", 1 + any(3), 1 + any(3));
    must(rs_group_mod(sw, text, RS_GROUP_MODIFY, &err), "group");
    snprintf(text, sizeof text, "meter=1,pktps,bands=type=drop,rate=%u", 1000 + any(100000));
    must(rs_meter_mod(sw, text, RS_METER_MODIFY, &err), "meter");
}

static void change_ports(rs_switch *sw) {
    struct rs_vlan_config vlan = {.mode = any(2) ? RS_VLAN_TRUNK : RS_VLAN_ACCESS};
    vlan.tag = vlan.mode == RS_VLAN_ACCESS ? 10 : 0;
    must(rs_port_set_vlan(sw, 3, &vlan, &err), "vlan");
    must(rs_port_set_up(sw, 2, any(4), &err), "up");
    must(rs_port_set_ofp_config(sw, 2, any(2) ? 16 : 0, &err), "config");
    open_port(sw, 9);
    must(rs_port_close(sw, 9, &err), "close");
    must(rs_revalidator_set(sw, 20 + any(1000), 100 + any(1000), &err), "limit");
}

// -- reading --

static void read_flows(rs_switch *sw) {
    rs_flow_dump *dump;
    struct rs_text text;
    struct rs_flow_stats stats;
    must(rs_flow_dump_open(sw, any(2) ? "" : "udp", true, &dump, &err), "dump");
    rs_flow_dump_lines(dump, 5, true, &text);
    change_rule(sw);
    while (rs_flow_dump_next(dump, &text, &stats) > 0) {
    }
    rs_flow_dump_close(dump);
    struct rs_table_stats table;
    must(rs_table_stats(sw, any(4), &table), "table");
}

static void read_texts(rs_switch *sw) {
    struct rs_text text;
    uint64_t cursor = 0;
    do {
        must(rs_megaflow_dump(sw, &cursor, any(2) ? "" : "udp", true, any(2), &text, &err),
             "megaflows");
        rs_text_free(&text);
    } while (cursor != 0);
    must(rs_group_dump(sw, 0xfffffffc, any(2), false, &text, &err), "groups");
    rs_text_free(&text);
    must(rs_meter_dump(sw, UINT32_MAX, any(2), &text, &err), "meters");
    rs_text_free(&text);
    must(rs_trace_flow(sw, "in_port=1,udp,nw_src=10.0.0.3,tp_dst=80", NULL, &text, &err), "trace");
    rs_text_free(&text);
    struct rs_fdb_entry entries[64];
    rs_fdb_list(sw, entries, 64);
    struct rs_revalidator_stats stats;
    rs_revalidator_stats(sw, &stats);
}

static void answer(rs_switch *sw) {
    struct rs_packet_in in;
    uint8_t data[4096], frame[FRAME];
    while (rs_packet_in_take(sw, &in, data, sizeof data) > 0) {
    }
    make_frame(frame);
    must(rs_packet_out(sw, 1, "resubmit(,0)", frame, sizeof frame, &err), "packet-out");
}

static void setup(rs_switch *sw) {
    for (uint32_t port = 1; port < PORTS; port++) {
        open_port(sw, port);
    }
    must(rs_group_mod(sw, "group_id=1,type=all,bucket=actions=2", RS_GROUP_ADD, &err), "group");
    must(rs_meter_mod(sw, "meter=1,pktps,bands=type=drop,rate=1000", RS_METER_ADD, &err), "meter");
    must(rs_flow_add(sw, "priority=0,actions=NORMAL", &err), "flow");
}

static void check_balance(rs_switch *sw, uint64_t sent) {
    struct rs_port_stats ports[PORTS];
    uint64_t received = 0;
    for (unsigned waited = 0; received < sent && waited < 100000; waited++) {
        received = 0;
        rs_stats(sw, ports, PORTS, NULL);
        for (unsigned i = 0; i < PORTS - 1; i++) {
            received += ports[i].received;
        }
    }
    for (unsigned i = 0; i < PORTS - 1; i++) {
        uint64_t out = ports[i].sent + ports[i].delivered;
        for (unsigned k = 0; k < RS_N_DROPS; k++) {
            out += ports[i].drops[k];
        }
        if (ports[i].received + ports[i].copies != out || received != sent) {
            fprintf(stderr, "port %u does not balance\n", ports[i].ofport);
            exit(1);
        }
    }
}

int main(void) {
    static void (*const steps[])(rs_switch *) = {
        change_rule,  change_rule, change_rule, change_tables, change_groups,
        change_ports, read_flows,  read_texts,  answer,        rs_sync,
    };
    struct rs_switch_config config = {.name = "s1",
                                      .threaded = true,
                                      .cpu = -1,
                                      .umem_frames = 4096,
                                      .mac_ageing_ms = 300,
                                      .mac_entries = 6};
    rs_switch *sw;
    uint64_t sent = 0;
    must(rs_switch_create(&config, &sw, &err), "switch");
    setup(sw);
    for (unsigned i = 0; i < ROUNDS; i++) {
        sent += inject(sw, 64);
        steps[any(sizeof steps / sizeof *steps)](sw);
        take(sw);
        if (i % 50 == 49) {
            rs_megaflow_flush(sw);
        }
    }
    rs_sync(sw);
    check_balance(sw, sent);
    rs_switch_destroy(sw);
    return 0;
}
