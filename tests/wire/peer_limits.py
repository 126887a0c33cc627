"""Scenarios: limits and sizes. docs/wire.md, sections 3 and 8."""

import os

import echo
import users
import wire
from channel import Channel, rejected, simple
from harness import equal, true
from pb import data
from scenarios import ANY, EACH, ECHO, TRANSPORTS, scenario
from wire import Pipe, call, request_frame

LONG_MS = 60000
TOO_MANY_CALLS = "RESOURCE_EXHAUSTED/TOO_MANY_CALLS/not_run"
TOO_LARGE = "RESOURCE_EXHAUSTED/RESPONSE_TOO_LARGE/ran"


def padded(frame, size):
    """@frame with an unknown field that makes it @size bytes long."""
    for fill in range(size - len(frame) - 6, size - len(frame)):
        whole = frame + data(15, bytes(fill))
        if len(whole) == size:
            return whole
    raise AssertionError("no such size")


@scenario("a frame as large as the limit is served, one byte more is TOO_LARGE", ANY, TRANSPORTS)
def request_too_large(server):
    limit = server.limits["frame_bytes"]
    pipe = Pipe.connect(server.url)
    frame = request_frame(calls=[call(1, users.HEALTH)])
    response = wire.read_response(pipe.recv(pipe.send(padded(frame, limit))))
    equal(str(response.replies[1]), "OK")
    reject = rejected(pipe, padded(frame, limit + 1))
    equal((reject.name, reject.detail), ("TOO_LARGE", limit))
    reject = rejected(pipe, padded(frame, server.limits["recv_bytes"] - 4))
    equal((reject.name, reject.detail), ("TOO_LARGE", limit))
    equal(str(simple(pipe, call(1, users.HEALTH)).replies[1]), "OK")
    pipe.close()


@scenario("a message over recv_bytes closes the pipe before it is read", ANY, TRANSPORTS)
def over_recv_bytes(server):
    pipe = Pipe.connect(server.url)
    size = server.limits["recv_bytes"] + 1
    pipe.write((b"\1" if pipe.ipc else b"") + size.to_bytes(8, "big"))
    true(pipe.closes(), "the pipe is closed")
    pipe = Pipe.connect(server.url)
    pipe.write((b"\1" if pipe.ipc else b"") + b"\xff" * 8)
    true(pipe.closes(), "the pipe is closed")
    pipe = Pipe.connect(server.url)
    equal(str(simple(pipe, call(1, users.HEALTH)).replies[1]), "OK")
    pipe.close()


@scenario("a reply that is too large by itself is RESPONSE_TOO_LARGE, ran", ECHO, EACH)
def response_too_large(server):
    limit = server.limits["frame_bytes"]
    with Channel(server.url) as channel:
        large = channel.call(echo.ECHO, echo.grow(limit))
        equal((str(large), large.payload), (TOO_LARGE, b""))
        fits = channel.call(echo.ECHO, echo.grow(limit - 200))
        equal((str(fits), len(echo.data_of(fits))), ("OK", limit - 200))
    pipe = Pipe.connect(server.url)
    replies = simple(pipe, call(1, echo.ECHO, echo.grow(limit)), call(2, echo.ECHO)).replies
    equal([str(replies[n]) for n in (1, 2)], [TOO_LARGE, "OK"])
    pipe.close()


@scenario("no response is larger than max_response_bytes, and none is lost", ECHO)
def max_response_bytes(server):
    least = server.limits["response_min"]
    with Channel(server.url) as channel:
        count, size = 10, least // 3
        calls = [call(channel.new_id(), echo.ECHO, echo.grow(size)) for _ in range(count)]
        request_id = channel.send(calls=calls, max_response_bytes=least)
        order = []
        while len(order) < count:
            response = channel.response(request_id)
            true(response.frame_bytes <= least, f"{response.frame_bytes} bytes")
            true(response.order, "something comes each time")
            order += response.order
            request_id = channel.send(max_response_bytes=least)
        equal(order, [one["id"] for one in calls], "oldest first")


@scenario("replies that together pass the limit come in several responses", ECHO)
def several_responses(server):
    limit = server.limits["frame_bytes"]
    with Channel(server.url) as channel:
        calls = [call(channel.new_id(), echo.ECHO, echo.grow(limit // 2)) for _ in range(5)]
        for request_id in [channel.send(calls=calls)] + [channel.send() for _ in range(4)]:
            response = channel.response(request_id)
            true(response.frame_bytes <= limit, "the limit is kept")
            equal(len(response.order), 1)
        equal(sorted(channel.replies), [one["id"] for one in calls])


@scenario("a reply over max_response_bytes is RESPONSE_TOO_LARGE, ran", ECHO)
def over_max_response(server):
    least = server.limits["response_min"]
    with Channel(server.url) as channel:
        call_id, request_id = channel.start(echo.ECHO, echo.grow(least), max_response_bytes=least)
        response = channel.response(request_id)
        equal({i: str(r) for i, r in response.replies.items()}, {call_id: TOO_LARGE})


@scenario("what does not fit a simple client's response is RESPONSE_TOO_LARGE, ran", ECHO)
def simple_over_limit(server):
    limit = server.limits["frame_bytes"]
    pipe = Pipe.connect(server.url)
    calls = [call(n, echo.ECHO, echo.grow(limit // 2 - 1000 if n < 3 else limit // 2)) for n in range(1, 6)]
    response = simple(pipe, *calls)
    true(response.frame_bytes <= limit, "the limit is kept")
    equal([str(response.replies[n]) for n in range(1, 6)], ["OK", "OK"] + [TOO_LARGE] * 3)
    pipe.close()


@scenario("calls over the limit of a mailbox are refused, and it recovers", ECHO, options=("--calls-per-mailbox-max", "4"))
def calls_mailbox(server):
    with Channel(server.url) as channel, Channel(server.url) as other:
        calls = [call(channel.new_id(), echo.SLEEP, echo.sleep(LONG_MS), LONG_MS) for _ in range(6)]
        response = channel.response(channel.send(calls=calls))
        equal({i: str(r) for i, r in response.replies.items()}, {5: TOO_MANY_CALLS, 6: TOO_MANY_CALLS})
        equal(str(other.call(echo.ECHO)), "OK")
        channel.response(channel.send(cancels=[1, 2, 3, 4]))
        while str(channel.call(echo.ECHO)) != "OK":
            pass
        equal(str(channel.call(echo.ECHO)), "OK")


@scenario("calls over the limit of the server are refused, and it recovers", ECHO, options=("--calls-max", "4"))
def calls_all(server):
    with Channel(server.url) as channel:
        calls = [call(channel.new_id(), echo.SLEEP, echo.sleep(LONG_MS), LONG_MS) for _ in range(5)]
        response = channel.response(channel.send(calls=calls))
        equal({i: str(r) for i, r in response.replies.items()}, {5: TOO_MANY_CALLS})
        pipe = Pipe.connect(server.url)
        equal(str(simple(pipe, call(1, echo.ECHO)).replies[1]), TOO_MANY_CALLS)
        channel.response(channel.send(cancels=[1, 2, 3, 4]))
        while str(simple(pipe, call(1, echo.ECHO)).replies[1]) != "OK":
            pass
        pipe.close()


@scenario("mailboxes over the limit of a principal are refused", ECHO, options=("--mailboxes-per-principal-max", "2"))
def mailboxes(server):
    with Channel(server.url) as one, Channel(server.url) as two, Channel(server.url) as three:
        equal([str(channel.call(echo.ECHO)) for channel in (one, two)], ["OK", "OK"])
        call_id, request_id = three.start(echo.ECHO)
        refused = three.response(request_id).replies
        equal(str(refused[call_id]), "RESOURCE_EXHAUSTED/TOO_MANY_MAILBOXES/not_run")
        equal(str(simple(three.pipe, call(1, echo.ECHO)).replies[1]), "OK")
        equal(str(one.call(echo.ECHO)), "OK")


@scenario("bytes in flight over the limit are refused", ECHO, options=("--decoded-bytes-peer-max", "1000000"))
def bytes_in_flight(server):
    with Channel(server.url) as channel:
        big = echo.sleep(LONG_MS, "x" * 200000)
        replies = {}
        for _ in range(3):
            call_id, request_id = channel.start(echo.SLEEP, big, LONG_MS, hold_ms=50)
            replies.update(channel.response(request_id).replies)
        equal({i: str(r) for i, r in replies.items()}, {3: "RESOURCE_EXHAUSTED/TOO_MANY_BYTES/not_run"})


@scenario("pipes over the limit are closed", ECHO, options=("--pipes-max", "2"))
def pipes(server):
    with Channel(server.url) as one, Channel(server.url) as two:
        equal([str(channel.call(echo.ECHO)) for channel in (one, two)], ["OK", "OK"])
        try:
            with Channel(server.url) as three:
                three.send()
                true(three.pipe.closes(), "the third pipe is closed")
        except wire.Closed:
            pass
        equal(str(one.call(echo.ECHO)), "OK")


@scenario("frames over the limit of contexts are rejected BUSY, with an advice", ECHO, options=("--contexts-max", "8"))
def busy(server):
    with Channel(server.url) as channel:
        polls = [channel.send(hold_ms=10000) for _ in range(12)]
        rejects = 0
        for _ in range(4):
            request_id, frame = channel.pipe.recv_any()
            true(request_id in polls, "a poll is answered")
            try:
                wire.read_response(frame)
            except wire.Rejected as reject:
                equal(reject.name, "BUSY")
                true(reject.retry_ms > 0, "retry_ms is set")
                rejects += 1
        true(rejects >= 4, "those over the limit are rejected")


@scenario("timeout_ms is capped", ECHO, options=("--timeout-ms-max", "50", "--timeout-ms-default", "50"))
def timeout_cap(server):
    with Channel(server.url) as channel:
        for timeout_ms in (0, LONG_MS, 4294967295):
            reply = channel.call(echo.SLEEP, echo.sleep(LONG_MS), timeout_ms=timeout_ms)
            equal(str(reply), "DEADLINE_EXCEEDED/DEADLINE/may_have_run")


@scenario("timeout_ms has a default", ECHO, options=("--timeout-ms-default", "50"))
def timeout_default(server):
    with Channel(server.url) as channel:
        reply = channel.call(echo.SLEEP, echo.sleep(LONG_MS))
        equal(str(reply), "DEADLINE_EXCEEDED/DEADLINE/may_have_run")
        text = os.urandom(4).hex()
        equal(str(channel.call(echo.SLEEP, echo.sleep(100, text), timeout_ms=10000)), "OK")


def linger(server, channel):
    text = os.urandom(4).hex()
    channel.send(calls=[call(1, echo.SLEEP, echo.sleep(LONG_MS, text), LONG_MS)])
    server.line("ran " + text)
    channel.pipe.close()
    server.line("cancelled " + text)
    channel.reconnect()
    response = channel.response(channel.send(awaits=[1, 2]))
    # the new mailbox cannot know what the old one had
    for call_id in (1, 2):
        equal(str(response.replies[call_id]), "UNAVAILABLE/CALL_FORGOTTEN/may_have_run")


@scenario("a mailbox is freed after its linger: calls cancelled, ids forgotten", ECHO, options=("--mailbox-linger-ms", "50"))
def linger_alone(server):
    with Channel(server.url) as channel:
        linger(server, channel)


@scenario("the same while its principal has other pipes", ECHO, options=("--mailbox-linger-ms", "50"))
def linger_beside(server):
    with Channel(server.url) as other, Channel(server.url) as channel:
        other.call(echo.ECHO)
        linger(server, channel)


@scenario("a client that comes back within the linger finds its mailbox", ECHO, options=("--mailbox-linger-ms", "20000"))
def linger_back(server):
    with Channel(server.url) as channel:
        text = os.urandom(4).hex()
        channel.send(calls=[call(1, echo.SLEEP, echo.sleep(100, text), LONG_MS)])
        server.line("ran " + text)
        channel.pipe.close()
        server.line("done " + text)
        channel.reconnect()
        equal(echo.text_of(channel.response(channel.send(awaits=[1])).replies[1]), text)
