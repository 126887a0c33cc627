/*
 * Descriptors of unknown origin, made fit for a terminal
 */

#ifndef TOOLS_CLI_PRINTABLE_H
#define TOOLS_CLI_PRINTABLE_H

#include <protobuf-c/protobuf-c.h>

/*
 * Replaces each control character in the strings of @message and below, but for
 * tabs and ends of lines, by '?': no name that protoc would take has one. What
 * is printed with escapes, defaults of fields, stays.
 */
void cli_make_printable(ProtobufCMessage *message);

#endif
