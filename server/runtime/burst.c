#include "server/runtime/burst.h"

#include <pipit/server.h>

#include "server/runtime/box.h"

/* More mailboxes than these in one burst: those before are flushed early. */
#define BURST_BOXES_MAX 64

struct burst {
        unsigned depth;
        unsigned n_boxes;
        struct box *boxes[BURST_BOXES_MAX]; /* references */
};

static _Thread_local struct burst burst;

static void flush_marked(void)
{
        while (burst.n_boxes > 0) {
                struct box *box = burst.boxes[--burst.n_boxes];

                box_flush(box);
                box_unref(box);
        }
}

void burst_mark(struct box *box)
{
        if (burst.depth == 0) {
                box_flush(box);
                return;
        }

        for (unsigned i = burst.n_boxes; i > 0; --i) {
                if (burst.boxes[i - 1] == box)
                        return;
        }
        if (burst.n_boxes == BURST_BOXES_MAX)
                flush_marked();
        burst.boxes[burst.n_boxes++] = box_ref(box);
}

unsigned burst_suspend(void)
{
        unsigned depth = burst.depth;

        burst.depth = 0;

        return depth;
}

void burst_resume(unsigned depth)
{
        burst.depth = depth;
}

void pipit_server_cork(void)
{
        ++burst.depth;
}

void pipit_server_uncork(void)
{
        if (burst.depth > 0 && --burst.depth == 0)
                flush_marked();
}
