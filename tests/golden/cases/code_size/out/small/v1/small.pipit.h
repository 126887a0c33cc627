/* Written by protoc-gen-pipit from small/v1/small.proto: changes made here are lost. */

#ifndef SMALL_V1_SMALL_PIPIT_H
#define SMALL_V1_SMALL_PIPIT_H

#include <pipit/service.h>

PIPIT_BEGIN_DECLS

/* The .proto file itself, for reflection. */
extern const struct pipit_file small_v1_small_proto;

PIPIT_END_DECLS

#endif
