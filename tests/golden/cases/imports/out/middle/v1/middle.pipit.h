/* Written by protoc-gen-pipit from middle/v1/middle.proto: changes made here are lost. */

#ifndef MIDDLE_V1_MIDDLE_PIPIT_H
#define MIDDLE_V1_MIDDLE_PIPIT_H

#include <pipit/service.h>

PIPIT_BEGIN_DECLS

/* The .proto file itself, for reflection. */
extern const struct pipit_file middle_v1_middle_proto;

PIPIT_END_DECLS

#endif
