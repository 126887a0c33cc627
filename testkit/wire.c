#include "testkit/wire.h"

#include <stdlib.h>
#include <string.h>

#define TYPE_VARINT 0
#define TYPE_64     1
#define TYPE_DATA   2
#define TYPE_32     5

/* google.rpc */
#define STATUS_CODE          1
#define STATUS_MESSAGE       2
#define STATUS_DETAILS       3
#define ANY_TYPE_URL         1
#define ANY_VALUE            2
#define ERROR_INFO_REASON    1
#define ERROR_INFO_DOMAIN    2
#define ERROR_INFO_METADATA  3
#define METADATA_ENTRY_KEY   1
#define METADATA_ENTRY_VALUE 2
#define RETRY_INFO_DELAY     1
#define DURATION_SECONDS     1
#define DURATION_NANOS       2
#define REPLY_STATUS         2

void bytes_add(struct bytes *bytes, const void *data, size_t n)
{
        size_t capacity = bytes->capacity ? bytes->capacity : 256;
        uint8_t *grown;

        if (bytes->has_failed || n == 0)
                return;
        while (capacity < bytes->n + n)
                capacity *= 2;
        if (capacity > bytes->capacity) {
                grown = realloc(bytes->data, capacity);
                if (!grown) {
                        bytes->has_failed = true;
                        return;
                }
                bytes->data = grown;
                bytes->capacity = capacity;
        }
        memcpy(bytes->data + bytes->n, data, n);
        bytes->n += n;
}

void bytes_take(struct bytes *bytes, size_t n)
{
        if (n == 0)
                return;
        memmove(bytes->data, bytes->data + n, bytes->n - n);
        bytes->n -= n;
}

void bytes_deinit(struct bytes *bytes)
{
        free(bytes->data);
        *bytes = (struct bytes){0};
}

/* --- reading --- */

static bool malformed(struct wire_reader *reader)
{
        reader->is_malformed = true;

        return false;
}

static bool read_varint(struct wire_reader *reader, uint64_t *ret_number)
{
        uint64_t number = 0;

        for (unsigned int shift = 0; shift < 64 && reader->at < reader->end; shift += 7) {
                uint8_t byte = *reader->at++;

                number |= (uint64_t)(byte & 0x7f) << shift;
                if (byte < 0x80) {
                        *ret_number = number;
                        return true;
                }
        }

        return malformed(reader);
}

static bool read_fixed(struct wire_reader *reader, size_t n, uint64_t *ret_number)
{
        uint64_t number = 0;

        if ((size_t)(reader->end - reader->at) < n)
                return malformed(reader);
        for (size_t i = n; i-- > 0;)
                number = number << 8 | reader->at[i];
        reader->at += n;
        *ret_number = number;

        return true;
}

static bool read_data(struct wire_reader *reader, struct wire_field *field)
{
        uint64_t n;

        if (!read_varint(reader, &n))
                return false;
        if (n > (size_t)(reader->end - reader->at))
                return malformed(reader);
        field->data = reader->at;
        field->n_data = (size_t)n;
        reader->at += n;

        return true;
}

bool wire_next(struct wire_reader *reader, struct wire_field *ret_field)
{
        struct wire_field field = {.record = reader->at};
        uint64_t tag;
        bool is_read;

        if (reader->is_malformed || reader->at == reader->end || !read_varint(reader, &tag))
                return false;
        field.number = (uint32_t)(tag >> 3);
        switch (tag & 7) {
        case TYPE_VARINT:
                is_read = read_varint(reader, &field.value);
                break;
        case TYPE_64:
                is_read = read_fixed(reader, 8, &field.value);
                break;
        case TYPE_DATA:
                is_read = read_data(reader, &field);
                break;
        case TYPE_32:
                is_read = read_fixed(reader, 4, &field.value);
                break;
        default:
                return malformed(reader);
        }
        if (!is_read)
                return false;
        field.n_record = (size_t)(reader->at - field.record);
        *ret_field = field;

        return true;
}

size_t wire_words(const uint8_t *message, size_t n_message)
{
        for (size_t n = 4; n <= n_message && n <= WIRE_WORDS_MAX; n += 4)
                if (message[n - 4] & 0x80)
                        return n;

        return 0;
}

uint8_t wire_frame_kind(const uint8_t *frame, size_t n_frame)
{
        static const uint8_t magic[] = {'P', 'I', 1};

        if (n_frame < WIRE_FRAME_BYTES || memcmp(frame, magic, sizeof(magic)) != 0)
                return 0;

        return frame[3];
}

/* --- writing --- */

void wire_add_frame_header(struct bytes *bytes, uint8_t kind)
{
        const uint8_t header[WIRE_FRAME_BYTES] = {'P', 'I', 1, kind};

        bytes_add(bytes, header, sizeof(header));
}

static void add_varint(struct bytes *bytes, uint64_t number)
{
        uint8_t buffer[10];
        size_t n = 0;

        while (number >= 0x80) {
                buffer[n++] = (uint8_t)(number | 0x80);
                number >>= 7;
        }
        buffer[n++] = (uint8_t)number;
        bytes_add(bytes, buffer, n);
}

void wire_add_number(struct bytes *bytes, uint32_t field, uint64_t number)
{
        add_varint(bytes, (uint64_t)field << 3 | TYPE_VARINT);
        add_varint(bytes, number);
}

void wire_add_fixed64(struct bytes *bytes, uint32_t field, uint64_t number)
{
        uint8_t buffer[8];

        for (size_t i = 0; i < sizeof(buffer); i++)
                buffer[i] = (uint8_t)(number >> 8 * i);
        add_varint(bytes, (uint64_t)field << 3 | TYPE_64);
        bytes_add(bytes, buffer, sizeof(buffer));
}

void wire_add_data(struct bytes *bytes, uint32_t field, const void *data, size_t n)
{
        add_varint(bytes, (uint64_t)field << 3 | TYPE_DATA);
        add_varint(bytes, n);
        bytes_add(bytes, data, n);
}

static void add_text(struct bytes *bytes, uint32_t field, const char *text)
{
        if (text)
                wire_add_data(bytes, field, text, strlen(text));
}

/* Adds @inner as a field, and empties it. */
static void add_nested(struct bytes *bytes, uint32_t field, struct bytes *inner)
{
        wire_add_data(bytes, field, inner->data, inner->n);
        bytes->has_failed |= inner->has_failed;
        bytes_deinit(inner);
}

static void add_detail(struct bytes *status, const char *type_url, struct bytes *value)
{
        struct bytes any = {0};

        add_text(&any, ANY_TYPE_URL, type_url);
        add_nested(&any, ANY_VALUE, value);
        add_nested(status, STATUS_DETAILS, &any);
}

static void add_error_info(struct bytes *status, const struct pipit_error *error)
{
        struct bytes info = {0}, entry = {0};

        add_text(&info, ERROR_INFO_REASON, error->reason);
        add_text(&info, ERROR_INFO_DOMAIN, error->domain ? error->domain : "pipit");
        add_text(&entry, METADATA_ENTRY_KEY, "ran");
        add_text(&entry, METADATA_ENTRY_VALUE, pipit_ran_name(error->ran));
        add_nested(&info, ERROR_INFO_METADATA, &entry);
        add_detail(status, "type.googleapis.com/google.rpc.ErrorInfo", &info);
}

static void add_retry_info(struct bytes *status, const struct pipit_error *error)
{
        struct bytes info = {0}, delay = {0};

        if (error->retry_after_ms == 0)
                return;
        wire_add_number(&delay, DURATION_SECONDS, error->retry_after_ms / 1000);
        wire_add_number(&delay, DURATION_NANOS, (uint64_t)error->retry_after_ms % 1000 * 1000000);
        add_nested(&info, RETRY_INFO_DELAY, &delay);
        add_detail(status, "type.googleapis.com/google.rpc.RetryInfo", &info);
}

void wire_add_failure(struct bytes *bytes, uint64_t id, const struct pipit_error *error)
{
        struct bytes reply = {0}, status = {0};

        wire_add_number(&status, STATUS_CODE, error->status);
        add_text(&status, STATUS_MESSAGE, error->message);
        add_error_info(&status, error);
        add_retry_info(&status, error);
        wire_add_number(&reply, WIRE_REPLY_ID, id);
        add_nested(&reply, REPLY_STATUS, &status);
        add_nested(bytes, WIRE_RESPONSE_REPLIES, &reply);
}
