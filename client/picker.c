#include "client/picker.h"

#include "core/base/uuid.h"

static struct address *draw(struct address *addresses, size_t n_addresses, bool is_draining)
{
        size_t first = n_addresses > 1 ? (size_t)(pipit_random_u64() % n_addresses) : 0;

        for (size_t i = 0; i < n_addresses; i++) {
                struct address *address = &addresses[(first + i) % n_addresses];

                if (address->state == ADDRESS_UP && address->is_draining == is_draining)
                        return address;
        }

        return NULL;
}

static size_t load(const struct address *address)
{
        return address->n_queued + address->n_sent;
}

struct address *picker_pick(struct address *addresses, size_t n_addresses, bool avoid_draining)
{
        struct address *one = draw(addresses, n_addresses, false);
        struct address *other;

        if (!one)
                return avoid_draining ? NULL : draw(addresses, n_addresses, true);
        if (n_addresses == 1)
                return one;

        other = draw(addresses, n_addresses, false);

        return load(other) < load(one) ? other : one;
}
