#include "core/json/status_json.h"

#include "core/rpc/status_codec.h"

enum pipit_status pipit_json_write_status(const struct pipit_error *error,
                                          const struct pipit_json_style *style,
                                          struct pipit_arena *arena,
                                          char **ret_text,
                                          struct pipit_error *ret_error)
{
        Google__Rpc__Status *status = pipit_status_encode(error, arena);

        if (!status) {
                *ret_error = pipit_error_make(
                        PIPIT_RESOURCE_EXHAUSTED, PIPIT_NOT_RUN, "OUT_OF_MEMORY", "out of memory");
                return PIPIT_RESOURCE_EXHAUSTED;
        }

        return pipit_json_write(&status->base, NULL, style, arena, ret_text, ret_error);
}
