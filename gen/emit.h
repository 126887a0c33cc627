/*
 * Emit: the text of generated files
 *
 * Thin code, by the shape of <pipit/client.h>, <pipit/server.h> and
 * <pipit/service.h>. The same model gives the same bytes.
 */

#ifndef GEN_EMIT_H
#define GEN_EMIT_H

#include <stdbool.h>
#include <stddef.h>

#include "gen/index.h"
#include "gen/model.h"
#include "gen/text.h"

/* FOO.pipit.h: all that the others declare. */
void emit_header(struct text *text, const struct model_file *file, const struct index *index);

/* FOO.pipit.c: the file's descriptor and its services' tables. */
void emit_tables(struct text *text, const struct model_file *file);

/* FOO.client.pipit.c; the file has services. */
void emit_client(struct text *text, const struct model_file *file);

/* FOO.server.pipit.c; the file has services. */
void emit_server(struct text *text, const struct model_file *file);

/* --- shared ---------------------------------------------------------------- */

/* "Written by ..., do not edit". */
void emit_notice(struct text *text, const struct model_file *file);

/* The comments at an element as C ones, each line behind @indent; those before it and behind it as one. */
void emit_comments(struct text *text, const char *indent, const struct source_comments *comments);

/* Those that stand before it by themselves, with an empty line behind each. */
void emit_detached(struct text *text, const char *indent, const struct source_comments *comments);

/*
 * "HEAD(PARAMETER, ...)TAIL" and a newline: on one line if it is short, else a
 * parameter a line. @qualifier stands before it, on a line of its own if need be.
 */
void emit_function(struct text *text,
                   const char *qualifier,
                   const char *head,
                   const char *const *parameters,
                   size_t n_parameters,
                   const char *tail);

/* The four functions of a method, as prototypes (tail ";") or as heads of definitions (""). */
void emit_call(struct text *text, const struct model_method *method, const char *tail);
void emit_start(struct text *text, const struct model_method *method, const char *tail);
void emit_response(struct text *text, const struct model_method *method, const char *tail);
void emit_reply(struct text *text, const struct model_method *method, const char *tail);

/* The same for a service's register function. */
void emit_register(struct text *text, const struct model_service *service, const char *tail);

#endif
