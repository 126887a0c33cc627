/* Written by protoc-gen-pipit from base/v1/base.proto: changes made here are lost. */

#ifndef BASE_V1_BASE_PIPIT_H
#define BASE_V1_BASE_PIPIT_H

#include <pipit/service.h>

PIPIT_BEGIN_DECLS

/* The .proto file itself, for reflection. */
extern const struct pipit_file base_v1_base_proto;

PIPIT_END_DECLS

#endif
