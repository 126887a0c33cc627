/*
 * Filter: what protoc-c can be told, and what is embedded
 */

#ifndef GEN_FILTER_H
#define GEN_FILTER_H

#include "core/base/arena.h"
#include "gen/index.h"

/*
 * Takes out of @file, for good, what protoc-c's generator cannot have: proto3's
 * `optional` (its one-field oneof stays), extensions, custom options, imports
 * that nothing else needs, services, and what source_code_info says of these.
 * Fields that C or C++ could not have as members get another name.
 */
void filter_for_messages(struct pipit_arena *arena, const struct index *index, size_t file);

/*
 * Takes out what a descriptor that is embedded does not hold: source_code_info,
 * extensions, and imports that nothing else needs, so that a set of files is
 * complete without them. Custom options stay, as bytes.
 */
void filter_for_embedding(struct pipit_arena *arena, const struct index *index, size_t file);

#endif
