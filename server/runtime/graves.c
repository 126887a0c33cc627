#include "server/runtime/graves.h"

void graves_bury(struct graves *graves, uint64_t name, int64_t now_us, int64_t until_us)
{
        struct grave *grave = &graves->graves[graves->next];

        graves->next = (graves->next + 1) % GRAVES_MAX;
        if (grave->until_us > now_us && grave->until_us > graves->all_until_us)
                graves->all_until_us = grave->until_us;
        *grave = (struct grave){name, until_us};
}

int64_t graves_until(const struct graves *graves, uint64_t name)
{
        int64_t until_us = graves->all_until_us;

        for (size_t i = 0; i < GRAVES_MAX; ++i) {
                if (graves->graves[i].name == name && graves->graves[i].until_us > until_us)
                        until_us = graves->graves[i].until_us;
        }

        return until_us;
}
