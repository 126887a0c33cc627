#include "core/base/uuid.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "core/base/clock.h"

/* The bits of the counter that orders ids of one millisecond: rand_a, and four of rand_b. */
#define COUNTER_BITS 16

/* A counter starts in its lower half, so that a busy millisecond has room to count. */
#define COUNTER_START_MASK UINT64_C(0x7fff)

#define UNIX_MS_MAX ((INT64_C(1) << 48) - 1)

/*
 * The last id's milliseconds and counter. One word, so that one compare and
 * exchange gives out the next id in order; a counter that runs over carries
 * into the milliseconds, as RFC 9562 allows. No other memory hangs on it, hence
 * relaxed.
 */
static _Atomic uint64_t last_id;

static uint64_t next_id(int64_t wall_us, uint64_t random)
{
        int64_t wall_ms = wall_us > 0 ? wall_us / PIPIT_US_PER_MS : 0;
        uint64_t last = atomic_load_explicit(&last_id, memory_order_relaxed);
        uint64_t fresh;
        uint64_t next;

        if (wall_ms > UNIX_MS_MAX)
                wall_ms = UNIX_MS_MAX;
        fresh = (uint64_t)wall_ms << COUNTER_BITS | (random & COUNTER_START_MASK);

        do {
                next = fresh >> COUNTER_BITS > last >> COUNTER_BITS ? fresh : last + 1;
        } while (!atomic_compare_exchange_weak_explicit(
                &last_id, &last, next, memory_order_relaxed, memory_order_relaxed));

        return next;
}

struct pipit_uuid pipit_uuid_v7(int64_t wall_us)
{
        struct pipit_uuid uuid;
        uint8_t random[10]; /* two for the counter's start, eight for rand_b */
        uint64_t id;

        pipit_random_bytes(random, sizeof(random));
        id = next_id(wall_us, (uint64_t)random[0] << 8 | random[1]);

        for (size_t i = 0; i < 6; i++)
                uuid.bytes[i] = (uint8_t)(id >> (56 - 8 * i));
        uuid.bytes[6] = (uint8_t)(0x70 | ((id >> 12) & 0x0f));
        uuid.bytes[7] = (uint8_t)(id >> 4);
        uuid.bytes[8] = (uint8_t)(0x80 | ((id & 0x0f) << 2) | (random[2] & 0x03));
        memcpy(uuid.bytes + 9, random + 3, 7);

        return uuid;
}

static bool dash_follows(size_t i)
{
        return i == 3 || i == 5 || i == 7 || i == 9;
}

void pipit_uuid_format(const struct pipit_uuid *uuid, char ret_text[PIPIT_UUID_TEXT_SIZE])
{
        static const char digits[] = "0123456789abcdef";
        char *text = ret_text;

        for (size_t i = 0; i < PIPIT_UUID_BYTES; i++) {
                *text++ = digits[uuid->bytes[i] >> 4];
                *text++ = digits[uuid->bytes[i] & 0x0f];
                if (dash_follows(i))
                        *text++ = '-';
        }
        *text = '\0';
}

/* 1 more than the digit's value, so that all that is no digit is 0. */
static const uint8_t digit_values[256] = {
        ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,
        ['6'] = 7,  ['7'] = 8,  ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
        ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16, ['A'] = 11, ['B'] = 12,
        ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

bool pipit_uuid_parse(const char *text, struct pipit_uuid *ret_uuid)
{
        struct pipit_uuid uuid;
        const unsigned char *at = (const unsigned char *)text;

        /* In order, one byte after the other: the NUL of a short text stops it. */
        for (size_t i = 0; i < PIPIT_UUID_BYTES; i++) {
                unsigned int high = digit_values[at[0]];
                unsigned int low = high ? digit_values[at[1]] : 0;

                if (low == 0)
                        return false;
                uuid.bytes[i] = (uint8_t)((high - 1) << 4 | (low - 1));
                at += 2;
                if (dash_follows(i) && *at++ != '-')
                        return false;
        }
        if (*at != '\0')
                return false;

        *ret_uuid = uuid;

        return true;
}

static uint64_t mix(uint64_t x)
{
        x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);

        return x ^ (x >> 31);
}

/* Where getrandom is forbidden (a sandbox): how many bytes the device gave. */
static size_t read_urandom(uint8_t *bytes, size_t n_bytes)
{
        size_t n_read = 0;
        int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);

        if (fd < 0)
                return 0;

        while (n_read < n_bytes) {
                ssize_t n = read(fd, bytes + n_read, n_bytes - n_read);

                if (n > 0)
                        n_read += (size_t)n;
                else if (n == 0 || errno != EINTR)
                        break;
        }
        (void)close(fd);

        return n_read;
}

/* Without a generator and without /dev: ids must differ still. */
static void fill_from_clocks(uint8_t *bytes, size_t n_bytes)
{
        uint64_t seed = (uint64_t)pipit_clock_wall_us() ^ (uint64_t)getpid() << 48 ^
                        (uint64_t)(uintptr_t)&seed;

        for (size_t i = 0; i < n_bytes; i++) {
                seed += UINT64_C(0x9e3779b97f4a7c15) ^ (uint64_t)pipit_clock_now_us();
                bytes[i] = (uint8_t)mix(seed);
        }
}

void pipit_random_bytes(void *bytes, size_t n_bytes)
{
        uint8_t *to = bytes;
        size_t n_filled = 0;

        while (n_filled < n_bytes) {
                ssize_t n = getrandom(to + n_filled, n_bytes - n_filled, 0);

                if (n > 0)
                        n_filled += (size_t)n;
                else if (n == 0 || errno != EINTR)
                        break;
        }

        if (n_filled < n_bytes)
                n_filled += read_urandom(to + n_filled, n_bytes - n_filled);
        if (n_filled < n_bytes)
                fill_from_clocks(to + n_filled, n_bytes - n_filled);
}

uint64_t pipit_random_u64(void)
{
        static _Thread_local uint64_t state;

        if (state == 0)
                pipit_random_bytes(&state, sizeof(state));
        state += UINT64_C(0x9e3779b97f4a7c15);

        return mix(state);
}
