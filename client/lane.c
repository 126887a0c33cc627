#include "client/lane.h"

#include "client/address.h"

void lane_land(struct lane *lane)
{
        lane->state = LANE_LANDED;
        lane->address->n_flying--;
}

void lane_rest(struct lane *lane)
{
        lane->state = LANE_IDLE;
        lane->next_idle = lane->address->idle;
        lane->address->idle = lane;
}
