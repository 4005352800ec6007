// Every way in which the switch can lose a packet, by name. One list: the enum, the names that
// people read and the meanings come from it. A drop is charged to the port the packet came in on.

#ifndef RINGSIDE_DATAPATH_DROP_REASON_H
#define RINGSIDE_DATAPATH_DROP_REASON_H

// X(symbol, "name", "what happened")
#define DROP_REASONS(X)                                                                            \
    X(RUNT, "rx_runt", "shorter than an Ethernet header")                                          \
    X(BAD_DESC, "rx_bad_desc", "the kernel handed over a descriptor outside its frame")            \
    X(NO_RULE, "no_rule", "no rule of the flow table matched")                                     \
    X(RULE_DROP, "rule_drop", "the rule's action is drop")                                         \
    X(NO_OUTPUT, "no_output", "the actions name no port that exists, or only the input port")      \
    X(PORT_NO_RECV, "port_no_recv", "the input port is set to no-receive")                         \
    X(TOO_DEEP, "xlate_too_deep", "the tables resubmit deeper than 64 levels")                     \
    X(TOO_MANY_RESUBMITS, "xlate_too_many_resubmits", "the tables resubmit more than 4096 times")  \
    X(STACK_TOO_DEEP, "xlate_stack_too_deep", "the actions pushed more than 64 kB on the stack")   \
    X(RECIRC_UNKNOWN, "recirc_unknown", "it came back with a recirculation id that is gone")       \
    X(RECIRC_FULL, "recirc_full", "no recirculation id or memory for a frozen state was left")     \
    X(RECIRC_DEPTH, "recirc_too_deep", "recirculated more often than six times")                   \
    X(MPLS_TOO_DEEP, "mpls_too_deep", "more MPLS labels than the key holds")                       \
    X(PACKET_TYPE, "packet_type", "an encap or decap that this type of packet does not allow")     \
    X(TUNNEL_METADATA, "tunnel_metadata", "tunnel options that the TLV map does not know")         \
    X(CONGESTION, "congestion", "a tunnel marked congestion on a packet that is not ECN capable")  \
    X(TTL, "ttl", "its TTL ran out")                                                               \
    X(NO_BUCKET, "no_live_bucket", "no bucket of the group is alive")                              \
    X(NO_MEMORY, "no_memory", "no memory for its translation")                                     \
    X(VLAN_INGRESS, "vlan_ingress", "the port does not carry the packet's VLAN")                   \
    X(VLAN_PUSH, "vlan_push", "no headroom left for a VLAN tag")                                   \
    X(NO_HEADROOM, "no_headroom", "no headroom left for an MPLS, Ethernet or NSH header")          \
    X(DECAP, "decap", "nothing that is known is inside the header to be removed")                  \
    X(METER, "meter", "over the rate of a meter")                                                  \
    X(TO_CONTROLLER, "to_controller", "went to a controller's queue and to no port")               \
    X(NOT_SAMPLED, "not_sampled", "a sample action left it out, and no other took it")             \
    X(NOT_SUPPORTED, "not_supported", "connection tracking or a tunnel, which the datapath lacks") \
    X(SAME_PORT, "same_port", "learned destination is the port the packet came in on")             \
    X(RESERVED_MAC, "reserved_mac", "destination is a link-local bridge address (802.1D)")         \
    X(TOO_MANY_ACTIONS, "too_many_actions", "the packet needs more outputs than one batch allows") \
    X(NO_FRAME, "no_frame", "the umem had no free frame for a copy")                               \
    X(TX_RING_FULL, "tx_ring_full", "the kernel did not free the TX ring in time")                 \
    X(TX_TOO_LONG, "tx_too_long", "longer than the output port's MTU or frame")                    \
    X(TX_DOWN, "tx_down", "the output port is down")                                               \
    X(TX_ERROR, "tx_error", "the kernel refused the packet")                                       \
    X(SINK_FULL, "sink_full", "a dummy port's reader did not take the packet in time")

enum drop_reason {
#define X(symbol, name, meaning) DROP_##symbol,
    DROP_REASONS(X)
#undef X
        DROP_N_REASONS,
    DROP_NONE = 0xff // Not dropped.
};

// Name ("rx_runt") and meaning of a reason; "unknown" for a value outside the list.
const char *drop_reason_name(unsigned reason);
const char *drop_reason_meaning(unsigned reason);

#endif
