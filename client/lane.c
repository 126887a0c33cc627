#include "client/lane.h"

#include "client/address.h"

void lane_land(struct lane *lane)
{
        lane->state = LANE_LANDED;
        lane->address->n_flying--;
        if (lane->frame == LANE_FRAME_HELLO)
                lane->address->n_hellos--;
}

void lane_rest(struct lane *lane)
{
        struct lane **idle = lane->is_callers ? &lane->address->idle_callers : &lane->address->idle;

        lane->state = LANE_IDLE;
        lane->next_idle = *idle;
        *idle = lane;
}
