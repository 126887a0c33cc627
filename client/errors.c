#include "client/errors.h"

#include <stdio.h>

static const struct {
        enum pipit_status status;
        enum pipit_origin origin;
        const char *name;
        const char *message;
} reasons[] = {
#define CLIENT_REASON_ROW(name, status, origin, message)                                           \
        [CLIENT_REASON_##name] = {PIPIT_##status, PIPIT_ORIGIN_##origin, #name, message},
        PIPIT_CLIENT_REASON_MAP(CLIENT_REASON_ROW)
#undef CLIENT_REASON_ROW
};

struct pipit_error client_error(enum client_reason reason, enum pipit_ran ran)
{
        return (struct pipit_error){
                .status = reasons[reason].status,
                .ran = ran,
                .origin = reasons[reason].origin,
                .reason = reasons[reason].name,
                .message = reasons[reason].message,
        };
}

struct pipit_error client_error_at(enum client_reason reason,
                                   enum pipit_ran ran,
                                   struct pipit_arena *arena,
                                   const char *peer,
                                   const char *detail)
{
        struct pipit_error error = client_error(reason, ran);
        const char *text = detail ? detail : error.message;
        const char *message;

        if (peer)
                message = pipit_arena_printf(arena, "%s: %s", peer, text);
        else
                message = pipit_arena_strdup(arena, text);
        if (message)
                error.message = message;

        return error;
}

struct pipit_error client_error_too_large(struct pipit_arena *arena,
                                          const char *peer,
                                          size_t n_bytes,
                                          size_t n_bytes_max)
{
        enum client_reason reason = CLIENT_REASON_REQUEST_TOO_LARGE;
        char detail[128];

        (void)snprintf(detail,
                       sizeof(detail),
                       "%s: it takes %zu bytes, and %zu fit",
                       reasons[reason].message,
                       n_bytes,
                       n_bytes_max);

        return client_error_at(reason, PIPIT_NOT_RUN, arena, peer, detail);
}

enum client_reason client_reason_of_reject(enum pipit_reject_code code)
{
        switch (code) {
        case PIPIT_REJECT_VERSION:
                return CLIENT_REASON_VERSION_MISMATCH;
        case PIPIT_REJECT_TOO_LARGE:
                return CLIENT_REASON_REQUEST_TOO_LARGE;
        case PIPIT_REJECT_NO_SESSION:
                return CLIENT_REASON_SESSION_REQUIRED;
        case PIPIT_REJECT_DENIED:
                return CLIENT_REASON_ACCESS_DENIED;
        case PIPIT_REJECT_BUSY:
                return CLIENT_REASON_SERVER_BUSY;
        case PIPIT_REJECT_BAD_FRAME:
                break;
        }

        return CLIENT_REASON_FRAME_REFUSED;
}
