"""Scenarios: the simple client, errors and rejects. docs/wire.md, sections 1 to 4, 9, 10."""

import os
import socket
import struct

import echo
import users
import wire
from channel import Channel, rejected, simple
from harness import equal, true
from scenarios import ANY, EACH, ECHO, TRANSPORTS, USERSD, scenario
from wire import Pipe, call, request_frame

LONG_MS = 60000


def one(url, method, payload=b"", **options):
    """One call of a simple client on a pipe of its own: its Reply."""
    pipe = Pipe.connect(url)
    try:
        response = simple(pipe, call(1, method, payload, **options))
        equal(list(response.replies), [1], "replies")
        true(response.instance != 0, "the instance is not 0")
        equal(response.draining, False, "draining")
        return response.replies[1]
    finally:
        pipe.close()


@scenario("a simple client's call is answered", ANY, EACH)
def simple_success(server):
    reply = one(server.url, users.HEALTH)
    equal(str(reply), "OK")
    equal(users.HEALTH_RESPONSE.decode(reply.payload), {"status": users.SERVING})


@scenario("a frame of no calls is answered by no replies", ANY, EACH)
def simple_nothing(server):
    pipe = Pipe.connect(server.url)
    equal(simple(pipe).order, [])
    pipe.close()


@scenario("a simple client's frame of 256 calls is answered by 256 replies", ANY, EACH)
def simple_256(server):
    pipe = Pipe.connect(server.url)
    response = simple(pipe, *[call(n, users.HEALTH) for n in range(1, 257)])
    equal(sorted(response.replies), list(range(1, 257)))
    equal({str(reply) for reply in response.replies.values()}, {"OK"})
    pipe.close()


@scenario("257 calls in a frame are rejected, and the pipe goes on", ANY, EACH)
def simple_257(server):
    pipe = Pipe.connect(server.url)
    frame = request_frame(calls=[call(n, users.HEALTH) for n in range(1, 258)])
    equal(rejected(pipe, frame).name, "BAD_FRAME")
    equal(str(simple(pipe, call(1, users.HEALTH)).replies[1]), "OK")
    pipe.close()


@scenario("ids of a simple client are those of its frame only", ANY)
def simple_same_ids(server):
    pipe = Pipe.connect(server.url)
    for _ in range(3):
        equal(str(simple(pipe, call(2**64 - 1, users.HEALTH)).replies[2**64 - 1]), "OK")
    pipe.close()


@scenario("requests on one pipe are answered each under its own id, whatever the order", ANY, EACH)
def simple_interleaved(server):
    pipe = Pipe.connect(server.url)
    ids = [pipe.send(request_frame(calls=[call(n, users.HEALTH)])) for n in range(1, 51)]
    for n, request_id in reversed(list(enumerate(ids, 1))):
        equal(wire.read_response(pipe.recv(request_id)).order, [n])
    pipe.close()


@scenario("a request through 7 devices is answered with their words", ANY, TRANSPORTS)
def backtrace_of_8(server):
    pipe = Pipe.connect(server.url)
    words = struct.pack(">8I", *range(1, 8), 0x80000001)
    pipe.send_message(words + request_frame(calls=[call(1, users.HEALTH)]))
    answer = pipe.recv_message()
    equal(answer[:32], words)
    equal(str(wire.read_response(answer[32:]).replies[1]), "OK")
    pipe.close()


@scenario("a request through 8 devices is dropped, and the pipe goes on", ANY)
def backtrace_of_9(server):
    pipe = Pipe.connect(server.url)
    pipe.send_message(struct.pack(">9I", *range(1, 9), 0x80000001) + request_frame())
    equal(str(simple(pipe, call(1, users.HEALTH)).replies[1]), "OK")
    pipe.close()


@scenario("a message without an end of its words closes the pipe", ANY, TRANSPORTS)
def backtrace_without_end(server):
    pipe = Pipe.connect(server.url)
    pipe.send_message(b"\0\0\1")
    true(pipe.closes(), "the pipe is closed")


@scenario("another handshake than SP's closes the pipe, and others are served", ANY, TRANSPORTS)
def bad_handshakes(server):
    for handshake in (b"GET / HTTP/1.1\r\n\r\n", b"\0SP\1\0\x30\0\0", b"\0SP\0\0\x31\0\0", b"\0SP\0\0\x30\0\1"):
        pipe = Pipe.connect(server.url, handshake)
        try:
            pipe.read(8, wire.time.monotonic() + 20)
            true(pipe.closes(), f"{handshake} closes the pipe")
        except wire.Closed:
            pass
        equal(str(one(server.url, users.HEALTH)), "OK")


@scenario("strangers that connect and leave do not deafen the server", ANY, TRANSPORTS)
def strangers(server):
    for step in range(20):
        scheme, address = server.url.split("://")
        if scheme == "ipc":
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(address)
        else:
            sock = socket.create_connection(address.rsplit(":", 1))
            if step % 2:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                sock.shutdown(socket.SHUT_WR)
        sock.close()
    equal(str(one(server.url, users.HEALTH)), "OK")


@scenario("a message of another ipc type closes the pipe", ANY)
def ipc_type(server):
    pipe = Pipe.connect(server.url)
    pipe.write(b"\2" + struct.pack(">Q", 8) + bytes(8))
    true(pipe.closes(), "the pipe is closed")


# --- errors -------------------------------------------------------------------


@scenario("an unknown method is UNIMPLEMENTED, not run", ANY)
def method_not_found(server):
    for method in ("x.Y/Z", "", "grpc.health.v1.Health/", "grpc.health.v1.Health", "m" * 300):
        equal(str(one(server.url, method)), "UNIMPLEMENTED/METHOD_NOT_FOUND/not_run", method)


@scenario("a malformed payload fails its call alone", ANY)
def malformed(server):
    pipe = Pipe.connect(server.url)
    calls = [call(1, users.HEALTH), call(2, users.HEALTH, b"\x0a\xff"), call(3, users.HEALTH)]
    replies = simple(pipe, *calls).replies
    equal([str(replies[n]) for n in (1, 2, 3)], ["OK", "INVALID_ARGUMENT/MALFORMED/not_run", "OK"])
    equal(replies[2].domain, "pipit")
    pipe.close()


@scenario("health of an unknown service is NOT_FOUND", ANY)
def unknown_service(server):
    reply = one(server.url, users.HEALTH, users.HEALTH_REQUEST.encode(service="no.such.Service"))
    equal(str(reply), "NOT_FOUND/SERVICE_UNKNOWN/ran")


@scenario("metadata that breaks its limits fails its call alone", ANY)
def metadata_invalid(server):
    bad = "INVALID_ARGUMENT/METADATA_INVALID/not_run"
    for metadata, want in (
        ([("a-b_c.9", b"\0\xff")], "OK"),
        ([("k", b"")] * 64, "OK"),
        ([("k", b"")] * 65, bad),
        ([("k" * 64, b"")], "OK"),
        ([("k" * 65, b"")], bad),
        ([("", b"v")], bad),
        ([("Key", b"v")], bad),
        ([("k", b"v" * 8191)], "OK"),
        ([("k", b"v" * 8192)], bad),
    ):
        equal(str(one(server.url, users.HEALTH, metadata=metadata)), want, str(metadata)[:40])


@scenario("a deadline that passes while the call runs is may_have_run", ECHO)
def deadline_running(server):
    reply = one(server.url, echo.SLEEP, echo.sleep(LONG_MS), timeout_ms=50)
    equal(str(reply), "DEADLINE_EXCEEDED/DEADLINE/may_have_run")


@scenario("a handler's own status comes as it gave it", ECHO)
def fail_every_code(server):
    for code, name in list(enumerate(wire.STATUSES))[1:]:
        reply = one(server.url, echo.FAIL, echo.FAIL_REQUEST.encode(code=code, message="so it is"))
        equal(str(reply), f"{name}/ASKED_FOR/ran")
        equal((reply.domain, reply.message, reply.payload), ("echo.v1", "so it is", b""))


@scenario("metadata comes back in order", ECHO)
def metadata_back(server):
    metadata = [("b", b"\0\xff"), ("a", b""), ("b", b"2")]
    equal(one(server.url, echo.ECHO, echo.echo("x"), metadata=metadata).metadata, metadata)


@scenario("a user is created, fetched, changed, listed and deleted", USERSD, EACH)
def user_life(server):
    email = f"{os.urandom(6).hex()}@example.com"
    reply = one(server.url, users.CREATE, users.create(email))
    equal(str(reply), "OK")
    user = users.USER.decode(reply.payload)
    for key in ({"id": user["id"]}, {"email": email.upper()}):
        found = one(server.url, users.GET, users.GET_REQUEST.encode(**key))
        equal(users.USER.decode(found.payload), user)
    change = users.UPDATE_REQUEST.encode(user={"id": user["id"], "age": 37, "etag": user["etag"]})
    equal(users.USER.decode(one(server.url, users.UPDATE, change).payload)["age"], 37)
    equal(str(one(server.url, users.UPDATE, change)), "ABORTED/ETAG_MISMATCH/ran")
    listed = users.LIST_RESPONSE.decode(one(server.url, users.LIST).payload)["users"]
    true(user["id"] in [u["id"] for u in listed], "it is listed")
    equal(str(one(server.url, users.DELETE, users.DELETE_REQUEST.encode(id=user["id"]))), "OK")
    gone = one(server.url, users.GET, users.GET_REQUEST.encode(id=user["id"]))
    equal(str(gone), "NOT_FOUND/USER_NOT_FOUND/ran")
    equal(gone.domain, "users.v1")


@scenario("each kind of error of the users service comes with its reason", USERSD)
def user_errors(server):
    email = f"{os.urandom(6).hex()}@example.com"
    one(server.url, users.CREATE, users.create(email))
    taken = one(server.url, users.CREATE, users.create(email.upper()))
    equal((taken.status, taken.reason, taken.domain), ("ALREADY_EXISTS", "EMAIL_TAKEN", "users.v1"))
    bad = one(server.url, users.CREATE, users.CREATE_REQUEST.encode(user={"email": "x", "age": 131}))
    equal((bad.status, bad.reason), ("INVALID_ARGUMENT", "FIELD_INVALID"))
    equal(sorted(bad.violations), ["user.age", "user.email", "user.name"])
    token = one(server.url, users.LIST, users.LIST_REQUEST.encode(page_token="forged"))
    equal((token.status, token.reason), ("INVALID_ARGUMENT", "PAGE_TOKEN_INVALID"))


# --- rejects ------------------------------------------------------------------


@scenario("each reject has its code, its detail and 14 bytes", ANY, TRANSPORTS)
def rejects(server):
    pipe = Pipe.connect(server.url)
    limit = server.limits["frame_bytes"]
    head = request_frame()
    for frame, name, detail in (
        (b"", "BAD_FRAME", 0),
        (b"HTTP", "BAD_FRAME", 0),
        (head + b"\xff", "BAD_FRAME", 0),
        (b"PI\x02\x10", "VERSION", 1),
        (head + bytes(limit - 3), "TOO_LARGE", limit),
        (b"PI\x01\x03" + bytes(40), "NO_SESSION", 0),
        (b"PI\x01\x01", "DENIED", 0),
    ):
        reject = rejected(pipe, frame)
        equal((reject.name, reject.detail, reject.retry_ms), (name, detail, 0))
    equal(str(simple(pipe, call(1, users.HEALTH)).replies[1]), "OK")
    pipe.close()


@scenario("a rejected frame runs nothing of what it holds", ECHO)
def reject_runs_nothing(server):
    pipe = Pipe.connect(server.url)
    frame = request_frame(calls=[call(1, echo.ECHO, echo.echo("rejected")), call(1, echo.ECHO)])
    equal(rejected(pipe, frame).name, "BAD_FRAME")
    simple(pipe, call(1, echo.ECHO, echo.echo("after-reject")))
    server.line("ran after-reject")
    equal(server.count("ran rejected"), 0)
    pipe.close()


@scenario("the calls of a simple client are cancelled when its pipe closes", ECHO, EACH)
def simple_leaves(server):
    name = "left-" + os.urandom(4).hex()
    pipe = Pipe.connect(server.url)
    pipe.send(request_frame(calls=[call(1, echo.SLEEP, echo.sleep(LONG_MS, name), LONG_MS)]))
    server.line("ran " + name)
    pipe.close()
    server.line("cancelled " + name)


@scenario("a simple client's frame is answered when the last of its calls is done", ECHO)
def simple_waits(server):
    pipe = Pipe.connect(server.url)
    calls = [call(1, echo.SLEEP, echo.sleep(100)), call(2, echo.ECHO), call(3, echo.SLEEP, echo.sleep(200))]
    equal(sorted(simple(pipe, *calls).replies), [1, 2, 3])
    pipe.close()


@scenario("simple and full client share a pipe", ECHO)
def simple_and_full(server):
    with Channel(server.url) as channel:
        poll = channel.send()
        equal(str(simple(channel.pipe, call(1, echo.ECHO)).replies[1]), "OK")
        true(not channel.pipe.answered(poll), "the poll is still held")
        equal(str(channel.call(echo.ECHO)), "OK")
