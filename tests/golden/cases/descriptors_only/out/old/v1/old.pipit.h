/* Written by protoc-gen-pipit from old/v1/old.proto: changes made here are lost. */
/* Of any syntax, as nothing but the descriptor is written. */

#ifndef OLD_V1_OLD_PIPIT_H
#define OLD_V1_OLD_PIPIT_H

#include <pipit/service.h>

PIPIT_BEGIN_DECLS

/* The .proto file itself, for reflection. */
extern const struct pipit_file old_v1_old_proto;

PIPIT_END_DECLS

#endif
