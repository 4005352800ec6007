// The decider behind the datapath's door: struct upcall_ops in terms of a bridge.

#ifndef RINGSIDE_OFPROTO_UPCALL_H
#define RINGSIDE_OFPROTO_UPCALL_H

#include "datapath/upcall.h"
#include "ofproto/bridge.h"

// The bridge must outlive every use of the answer.
struct upcall_ops upcall_ops_of(struct bridge *bridge);

#endif
