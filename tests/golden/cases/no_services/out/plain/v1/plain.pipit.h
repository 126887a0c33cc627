/* Written by protoc-gen-pipit from plain/v1/plain.proto: changes made here are lost. */
/* Only messages. */

#ifndef PLAIN_V1_PLAIN_PIPIT_H
#define PLAIN_V1_PLAIN_PIPIT_H

#include <pipit/service.h>

PIPIT_BEGIN_DECLS

/* The .proto file itself, for reflection. */
extern const struct pipit_file plain_v1_plain_proto;

PIPIT_END_DECLS

#endif
