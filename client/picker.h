/*
 * Picker: which of the connected addresses a new call goes to
 *
 * Of two drawn at random, the one with fewer calls in flight. Where resolvers
 * and weights come one day, this is the place.
 */

#ifndef CLIENT_PICKER_H
#define CLIENT_PICKER_H

#include "client/address.h"

/*
 * NULL: none is connected. Addresses that drain come last, or with
 * @avoid_draining not at all. Mutex held.
 */
struct address *picker_pick(struct address *addresses, size_t n_addresses, bool avoid_draining);

#endif
