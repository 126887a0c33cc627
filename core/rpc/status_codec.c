#include "core/rpc/status_codec.h"

#include <string.h>

#include "core/base/utf8.h"
#include "core/rpc/message.h"
#include "core/rpc/wire_check.h"
#include "google/protobuf/any.pb-c.h"
#include "google/rpc/error_details.pb-c.h"

#define TYPE_URL_PREFIX "type.googleapis.com/"
#define METADATA_RAN    "ran"

#define MS_PER_S  1000
#define NS_PER_MS 1000000

#define DETAILS_MAX 3

/* U+FFFD: what stands for bytes that are no UTF-8. */
static const char replacement[] = "\xef\xbf\xbd";

/* Peers refuse a frame over one bad string, so whatever a handler said is made good here. */
static char *copy_replacing(struct pipit_arena *arena, const char *string)
{
        size_t n_bytes = strlen(string);
        char *copy = NULL;
        char *to;

        if (n_bytes <= SIZE_MAX / 4)
                copy = pipit_arena_alloc(arena, n_bytes * (sizeof(replacement) - 1) + 1);
        if (!copy)
                return NULL;

        to = copy;
        while (n_bytes > 0) {
                uint32_t code_point;
                size_t n = pipit_utf8_decode((const uint8_t *)string, n_bytes, &code_point);
                const char *from = n > 0 ? string : replacement;
                size_t n_copied = n > 0 ? n : sizeof(replacement) - 1;

                memcpy(to, from, n_copied);
                to += n_copied;
                string += n > 0 ? n : 1;
                n_bytes -= n > 0 ? n : 1;
        }
        *to = '\0';

        return copy;
}

static char *copy_text(struct pipit_arena *arena, const char *string)
{
        if (!string)
                string = "";

        return pipit_utf8_check((const uint8_t *)string, strlen(string), NULL)
                       ? pipit_arena_strdup(arena, string)
                       : copy_replacing(arena, string);
}

/* "type.googleapis.com/NAME" of what @detail is, and its bytes. NULL: out of memory. */
static Google__Protobuf__Any *any_pack(struct pipit_arena *arena, const ProtobufCMessage *detail)
{
        Google__Protobuf__Any *any = pipit_arena_alloc(arena, sizeof(*any));
        size_t n_bytes = protobuf_c_message_get_packed_size(detail);
        uint8_t *bytes = pipit_arena_alloc(arena, n_bytes);

        if (!any || !bytes)
                return NULL;

        google__protobuf__any__init(any);
        any->type_url = pipit_arena_printf(arena, TYPE_URL_PREFIX "%s", detail->descriptor->name);
        if (!any->type_url)
                return NULL;
        any->value.len = protobuf_c_message_pack(detail, bytes);
        any->value.data = bytes;

        return any;
}

static Google__Protobuf__Any *encode_error_info(const struct pipit_error *error,
                                                struct pipit_arena *arena)
{
        Google__Rpc__ErrorInfo info = GOOGLE__RPC__ERROR_INFO__INIT;
        Google__Rpc__ErrorInfo__MetadataEntry ran = GOOGLE__RPC__ERROR_INFO__METADATA_ENTRY__INIT;
        Google__Rpc__ErrorInfo__MetadataEntry *entries[] = {&ran};
        char key[] = METADATA_RAN;

        ran.key = key;
        ran.value = pipit_arena_strdup(arena, pipit_ran_name(error->ran));
        info.reason = copy_text(arena, error->reason);
        info.domain = copy_text(arena, error->domain ? error->domain : PIPIT_ERROR_DOMAIN);
        info.n_metadata = PIPIT_N_ELEMENTS(entries);
        info.metadata = entries;
        if (!ran.value || !info.reason || !info.domain)
                return NULL;

        return any_pack(arena, &info.base);
}

static Google__Rpc__BadRequest__FieldViolation *encode_violation(
        const struct pipit_violation *violation, struct pipit_arena *arena)
{
        Google__Rpc__BadRequest__FieldViolation *encoded =
                pipit_arena_alloc(arena, sizeof(*encoded));

        if (!encoded)
                return NULL;

        google__rpc__bad_request__field_violation__init(encoded);
        encoded->field = copy_text(arena, violation->field);
        encoded->description = copy_text(arena, violation->description);

        return encoded->field && encoded->description ? encoded : NULL;
}

static Google__Protobuf__Any *encode_bad_request(const struct pipit_error *error,
                                                 struct pipit_arena *arena)
{
        Google__Rpc__BadRequest request = GOOGLE__RPC__BAD_REQUEST__INIT;
        Google__Rpc__BadRequest__FieldViolation **violations;

        violations = pipit_arena_alloc(arena, error->n_violations * sizeof(*violations));
        if (!violations)
                return NULL;

        for (size_t i = 0; i < error->n_violations; i++) {
                violations[i] = encode_violation(&error->violations[i], arena);
                if (!violations[i])
                        return NULL;
        }
        request.n_field_violations = error->n_violations;
        request.field_violations = violations;

        return any_pack(arena, &request.base);
}

static Google__Protobuf__Any *encode_retry_info(const struct pipit_error *error,
                                                struct pipit_arena *arena)
{
        Google__Rpc__RetryInfo info = GOOGLE__RPC__RETRY_INFO__INIT;
        Google__Protobuf__Duration delay = GOOGLE__PROTOBUF__DURATION__INIT;

        delay.seconds = error->retry_after_ms / MS_PER_S;
        delay.nanos = (int32_t)(error->retry_after_ms % MS_PER_S) * NS_PER_MS;
        info.retry_delay = &delay;

        return any_pack(arena, &info.base);
}

Google__Rpc__Status *pipit_status_encode(const struct pipit_error *error, struct pipit_arena *arena)
{
        Google__Rpc__Status *status = pipit_arena_alloc(arena, sizeof(*status));
        Google__Protobuf__Any **details = pipit_arena_alloc(arena, DETAILS_MAX * sizeof(*details));
        size_t n_details = 0;

        if (!status || !details)
                return NULL;

        google__rpc__status__init(status);
        status->code = (int32_t)error->status;
        status->message = copy_text(arena, error->message);
        if (!status->message)
                return NULL;

        details[n_details++] = encode_error_info(error, arena);
        if (error->n_violations > 0)
                details[n_details++] = encode_bad_request(error, arena);
        if (error->retry_after_ms > 0)
                details[n_details++] = encode_retry_info(error, arena);
        for (size_t i = 0; i < n_details; i++) {
                if (!details[i])
                        return NULL;
        }
        status->n_details = n_details;
        status->details = details;

        return status;
}

static bool any_is(const Google__Protobuf__Any *any, const ProtobufCMessageDescriptor *descriptor)
{
        const char *slash = any->type_url ? strrchr(any->type_url, '/') : NULL;
        struct pipit_wire_report report;

        return slash && strcmp(slash + 1, descriptor->name) == 0 &&
               pipit_wire_check(descriptor,
                                any->value.data,
                                any->value.len,
                                &pipit_wire_limits_default,
                                &report);
}

/*
 * The first of @status's details that is a good @descriptor: *ret_detail, or
 * NULL where there is none. False: out of memory.
 */
static bool find_detail(const Google__Rpc__Status *status,
                        const ProtobufCMessageDescriptor *descriptor,
                        struct pipit_arena *arena,
                        const ProtobufCMessage **ret_detail)
{
        *ret_detail = NULL;
        for (size_t i = 0; i < status->n_details; i++) {
                const Google__Protobuf__Any *any = status->details[i];

                if (!any_is(any, descriptor))
                        continue;
                *ret_detail =
                        pipit_message_unpack(descriptor, arena, any->value.data, any->value.len);
                return *ret_detail != NULL;
        }

        return true;
}

static const char *text_or_null(const char *string)
{
        return string && string[0] != '\0' ? string : NULL;
}

static enum pipit_ran decode_ran(const Google__Rpc__ErrorInfo *info)
{
        enum pipit_ran ran = PIPIT_RAN;

        for (size_t i = 0; i < info->n_metadata; i++) {
                if (strcmp(info->metadata[i]->key, METADATA_RAN) != 0)
                        continue;
                if (!pipit_ran_parse(info->metadata[i]->value, &ran))
                        ran = PIPIT_MAY_HAVE_RUN;
        }

        return ran;
}

static bool decode_error_info(const Google__Rpc__Status *status,
                              struct pipit_arena *arena,
                              struct pipit_error *error)
{
        const Google__Rpc__ErrorInfo *info;
        const ProtobufCMessage *detail;

        if (!find_detail(status, &google__rpc__error_info__descriptor, arena, &detail))
                return false;
        if (!detail)
                return true;

        info = (const Google__Rpc__ErrorInfo *)detail;
        error->reason = text_or_null(info->reason);
        error->domain = text_or_null(info->domain);
        error->ran = decode_ran(info);

        return true;
}

static bool decode_bad_request(const Google__Rpc__Status *status,
                               struct pipit_arena *arena,
                               struct pipit_error *error)
{
        const Google__Rpc__BadRequest *request;
        const ProtobufCMessage *detail;
        struct pipit_violation *violations;

        if (!find_detail(status, &google__rpc__bad_request__descriptor, arena, &detail))
                return false;
        if (!detail)
                return true;

        request = (const Google__Rpc__BadRequest *)detail;
        violations = pipit_arena_alloc(arena, request->n_field_violations * sizeof(*violations));
        if (!violations)
                return false;
        for (size_t i = 0; i < request->n_field_violations; i++) {
                violations[i].field = request->field_violations[i]->field;
                violations[i].description = request->field_violations[i]->description;
        }
        error->violations = violations;
        error->n_violations = request->n_field_violations;

        return true;
}

/* Rounded up: who waits as long as told must not come early. */
static uint32_t decode_delay_ms(const Google__Protobuf__Duration *delay)
{
        int64_t ms;

        if (!delay || delay->seconds < 0 || delay->nanos < 0)
                return 0;
        if (delay->seconds > UINT32_MAX / MS_PER_S)
                return UINT32_MAX;

        ms = delay->seconds * MS_PER_S + ((int64_t)delay->nanos + NS_PER_MS - 1) / NS_PER_MS;

        return ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX;
}

static bool decode_retry_info(const Google__Rpc__Status *status,
                              struct pipit_arena *arena,
                              struct pipit_error *error)
{
        const ProtobufCMessage *detail;

        if (!find_detail(status, &google__rpc__retry_info__descriptor, arena, &detail))
                return false;
        if (detail)
                error->retry_after_ms =
                        decode_delay_ms(((const Google__Rpc__RetryInfo *)detail)->retry_delay);

        return true;
}

static bool decode_message(const Google__Rpc__Status *status,
                           struct pipit_arena *arena,
                           struct pipit_error *error)
{
        if (!text_or_null(status->message))
                return true;

        error->message = pipit_arena_strdup(arena, status->message);

        return error->message != NULL;
}

void pipit_status_decode(const Google__Rpc__Status *status,
                         struct pipit_arena *arena,
                         struct pipit_error *ret_error)
{
        struct pipit_error error = {
                .status = status->code >= 0 && status->code <= PIPIT_STATUS_MAX
                                  ? (enum pipit_status)status->code
                                  : PIPIT_UNKNOWN,
                .ran = PIPIT_RAN,
                .origin = PIPIT_ORIGIN_SERVER,
        };

        *ret_error = error;
        ret_error->ran = PIPIT_MAY_HAVE_RUN;
        if (decode_message(status, arena, &error) && decode_error_info(status, arena, &error) &&
            decode_bad_request(status, arena, &error) && decode_retry_info(status, arena, &error))
                *ret_error = error;
}
