/*
 * The limits of the wire: docs/wire.md, "Limits"
 */

#ifndef CORE_RPC_WIRE_LIMITS_H
#define CORE_RPC_WIRE_LIMITS_H

#include <stddef.h>

#define PIPIT_FRAME_BYTES_DEFAULT      (1024 * 1024) /* every peer accepts at least this */
#define PIPIT_FRAME_BYTES_MAX          (64 * 1024 * 1024)
#define PIPIT_RECV_HEADROOM_BYTES      65536 /* RECVMAXSZ = frame + this: answered, not cut */
#define PIPIT_CALLS_PER_FRAME_MAX      256
#define PIPIT_NESTING_MAX              32
#define PIPIT_UNKNOWN_FIELDS_MAX       64                         /* a message */
#define PIPIT_DECODED_BYTES_MAX        ((size_t)16 * 1024 * 1024) /* a frame */
#define PIPIT_CALLS_PER_MAILBOX_MAX    10000
#define PIPIT_CALLS_MAX                100000
#define PIPIT_DECODED_BYTES_PEER_MAX   (64 * 1024 * 1024)
#define PIPIT_DECODED_BYTES_ALL_MAX    (512 * 1024 * 1024)
#define PIPIT_HELD_FRAMES_PER_PIPE_MAX 64
#define PIPIT_DENIED_PER_PIPE_MAX      64 /* frames, handshakes aside */
#define PIPIT_MAILBOXES_PER_PRINCIPAL  1024
#define PIPIT_PIPES_MAX                10000
#define PIPIT_CONTEXTS_MAX             65536
#define PIPIT_SEND_TIMEOUT_MS          5000
#define PIPIT_RECEIVE_TIMEOUT_MS       30000
#define PIPIT_SENDING_BYTES_PER_PIPE   ((size_t)64 * 1024 * 1024)
#define PIPIT_SENDING_OVERHEAD_BYTES   128 /* of memory, beside the frame of an answer */
#define PIPIT_TIMEOUT_MS_DEFAULT       5000
#define PIPIT_TIMEOUT_MS_MAX           60000
#define PIPIT_HOLD_MS_DEFAULT          2000
#define PIPIT_HOLD_MS_MAX              10000
#define PIPIT_HOLD_GRACE_MS            2000 /* no answer within hold_ms + this: the pipe is dead */
#define PIPIT_MAILBOX_LINGER_MS        10000
#define PIPIT_DRAIN_MS_DEFAULT         10000
#define PIPIT_DRAIN_LINGER_MS          200
#define PIPIT_METADATA_ENTRIES_MAX     64
#define PIPIT_METADATA_KEY_BYTES_MAX   64
#define PIPIT_METADATA_BYTES_MAX       8192 /* keys and values of one call, each way */
#define PIPIT_METHOD_BYTES_MAX         256

#endif
