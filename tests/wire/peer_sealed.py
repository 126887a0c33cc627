"""Scenarios: sessions. docs/wire.md, section 14, and its table of answers."""

import os
import time

import bad_frames
import echo
import noise
import sealed
import users
import wire
import wire_doc
from channel import Channel, rejected, simple
from harness import equal, true
from scenarios import ANY, ECHO, SEALED, USERSD, scenario
from wire import call, request_frame

LONG_MS = 60000
SLOWLY_SEALED = 20000  # bytes: cipher.py does about 50 kB a second


def other_key(server, name):
    """The same server for another key."""
    return server.keys.url(server.tcp_url, server.keys.secrets[name])


@scenario("a welcome says what its table has, and is 92 bytes", ANY, SEALED)
def welcome_fields(server):
    with wire.Pipe.connect(server.url) as pipe:
        first, second = pipe.shake(), pipe.shake()
        equal(len(first), 40)
        true(first[:16] != second[:16], "session ids differ")
        equal(sealed.little_endian(first, 16, 4), server.limits["frame_bytes"], "max_frame")
        equal(sealed.little_endian(first, 20, 2), 1, "proto")
        equal([sealed.little_endian(first, at, 4) for at in (24, 28)], [120, 180], "rekey_s, reject_s")
        equal(sealed.little_endian(first, 32, 8), 0, "features")
        equal(str(simple(pipe, call(1, users.HEALTH)).replies[1]), "OK")


@scenario("features that a client offers and nobody knows are not taken", ANY, SEALED)
def welcome_features(server):
    with wire.Pipe.connect(server.url) as pipe:
        equal(sealed.little_endian(pipe.shake(noise.hello(features=2**64 - 1)), 32, 8), 0)


@scenario("answer.hello: a key that is not listed is DENIED", ANY, SEALED)
def unlisted(server):
    with wire.Pipe.connect(server.tcp_url) as pipe:
        stranger = noise.Initiator(os.urandom(32), sealed.cipher.public(server.keys.server))
        reject = sealed.reject_of(pipe.recv(pipe.send(noise.HELLO + stranger.first(noise.hello()))))
        equal((reject.name, reject.detail, reject.retry_ms), ("DENIED", 0, 0))


@scenario("answer.hello: fields that break their table are DENIED", ANY, SEALED)
def hello_fields(server):
    for fields in ({"max_frame": (1 << 20) - 1}, {"proto_min": 0}, {"proto_min": 2, "proto_max": 1}):
        with wire.Pipe.connect(server.url) as pipe:
            try:
                pipe.shake(noise.hello(**fields))
                raise AssertionError(f"{fields} are taken")
            except wire.Rejected as reject:
                equal(reject.name, "DENIED", str(fields))


@scenario("versions that have nothing in common are VERSION, with the highest that is spoken", ANY, SEALED)
def hello_version(server):
    with wire.Pipe.connect(server.url) as pipe:
        try:
            pipe.shake(noise.hello(proto_min=2, proto_max=9))
            raise AssertionError("it is taken")
        except wire.Rejected as reject:
            equal((reject.name, reject.detail), ("VERSION", 1))


@scenario("answer.plain: a plain request is DENIED and runs nothing", ECHO, SEALED)
def plain(server):
    with wire.Pipe.connect(server.tcp_url) as pipe:
        reject = rejected(pipe, request_frame(calls=[call(1, echo.ECHO, echo.echo("plainly"))]))
        equal((reject.name, reject.detail, reject.retry_ms), ("DENIED", 0, 0))
    with wire.Pipe.connect(server.url) as pipe:
        simple(pipe, call(1, echo.ECHO, echo.echo("after-plainly")))
    server.line("ran after-plainly")
    equal(server.count("ran plainly"), 0)


@scenario("answer.unknown: a session of another pipe is NO_SESSION", ANY, SEALED)
def other_pipe(server):
    with wire.Pipe.connect(server.url) as pipe, wire.Pipe.connect(server.url) as other:
        frame, _ = pipe.seal(request_frame()[4:])
        equal(sealed.reject_of(other.recv(wire.Pipe.send(other, frame))).name, "NO_SESSION")
        equal(str(simple(pipe, call(1, users.HEALTH)).replies[1]), "OK")


@scenario("answer.unopened: what was sealed with other flags, kind or reply inside is NO_SESSION", ANY, SEALED)
def unopened(server):
    with wire.Pipe.connect(server.url) as pipe:
        body = request_frame()[4:]
        clear = noise.SEALED_REQUEST + pipe.session_id

        def sealed_as(counter, plain_head):
            head = clear + counter.to_bytes(8, "little")
            return head + sealed.cipher.encrypt(pipe.seals, counter, head, plain_head + body)

        for frame in (
            sealed_as(0, b"\3\1" + bytes(8)),
            sealed_as(0, b"\4\0" + bytes(8)),
            sealed_as(0, b"\3\0" + b"\1" + bytes(7)),
            sealed_as(2**64 - 8193, b"\3\0" + bytes(8)),
        ):
            equal(sealed.reject_of(pipe.recv(wire.Pipe.send(pipe, frame))).name, "NO_SESSION")
        # none of them has used its counter up
        good = pipe.recv(wire.Pipe.send(pipe, sealed_as(0, b"\3\0" + bytes(8))))
        equal(good[:4], noise.SEALED_RESPONSE)


@scenario("counters are taken once, in any order, within the window", ANY, SEALED)
def window(server):
    with wire.Pipe.connect(server.url) as pipe:
        def send(counter):
            pipe.counter = counter
            frame, _ = pipe.seal(request_frame()[4:])
            answer = pipe.recv(wire.Pipe.send(pipe, frame))
            return "taken" if answer[:4] == noise.SEALED_RESPONSE else sealed.reject_of(answer).name

        size = server.constants["window"]
        steps = [(5, "taken"), (3, "taken"), (5, "NO_SESSION"), (size, "taken"), (0, "NO_SESSION"),
                 (1, "taken"), (1, "NO_SESSION"), (size + 2, "taken"), (2, "NO_SESSION"), (2**63, "taken"),
                 (2**63 - size, "NO_SESSION"), (2**63 - size + 1, "taken"), (6, "NO_SESSION")]
        for counter, want in steps:
            equal(send(counter), want, f"counter {counter}")


@scenario("bad requests are answered in a session as section 13 has them without one", ANY, SEALED)
def bad_requests(server):
    limit, n_sent = server.limits["frame_bytes"], 0
    for row in wire_doc.table(13, "recipe", "answer").values():
        body = wire_doc.Recipe(limit, bad_frames.CLIENT_ID).body(row["recipe"])
        if body[:4] != wire.HEADER + bytes([wire.REQUEST]) or len(body) > SLOWLY_SEALED:
            continue
        with wire.Pipe.connect(server.url) as pipe:
            equal(bad_frames.shown(pipe.recv(pipe.send(body))), row["answer"], row["recipe"])
        n_sent += 1
    true(n_sent > 20, f"{n_sent} of them are short enough")


@scenario("a handshake that is denied is logged, with the key, the source, and why", USERSD, SEALED)
def denials_are_logged(server):
    secret = os.urandom(32)
    with wire.Pipe.connect(server.tcp_url) as pipe:
        stranger = noise.Initiator(secret, sealed.cipher.public(server.keys.server))
        equal(sealed.reject_of(pipe.recv(pipe.send(noise.HELLO + stranger.first(noise.hello())))).name, "DENIED")
        source = "%s:%d" % pipe.socket.getsockname()
    key = sealed.key_text("pipit-pk1_", sealed.cipher.public(secret))
    line = server.log_line(f'"key":"{key}"')
    for part in ('"msg":"handshake denied"', '"reason":"the key is not listed"', f'"source":"{source}"'):
        true(part in line, f"{part} in {line}")


@scenario("a mailbox is the key's: another key with its client_id, on the same pipe, finds another", ECHO, SEALED)
def mailbox_of_key(server):
    name = "alice-" + os.urandom(4).hex()
    with Channel(server.url) as alice:
        call_id, poll = alice.start(echo.SLEEP, echo.sleep(LONG_MS, name), LONG_MS)
        server.line("ran " + name)
        pipe = alice.pipe
        hers, pipe.secret = pipe.secret, server.keys.secrets["bob"]
        pipe.shake()
        response = alice.response(alice.send(cancels=[call_id], awaits=[call_id]))
        equal(str(response.replies[call_id]), "UNAVAILABLE/CALL_NOT_RECEIVED/not_run")
        alice.replies.clear()

        pipe.secret = hers
        pipe.shake()
        simple(pipe, call(1, echo.ECHO, echo.echo("wake " + name)))
        equal(str(alice.response(poll).replies[call_id]), "OK")
        equal(server.count("cancelled " + name), 0)


def denied_at_last(pipe, timeout=20):
    """The reject of the first frame that is not answered otherwise."""
    until = time.monotonic() + timeout
    while time.monotonic() < until:
        try:
            simple(pipe)
        except wire.Rejected as reject:
            return reject.name
    raise wire.TimedOut


@scenario("a key that is revoked is DENIED at its next request, and another goes on", USERSD, SEALED, own=True)
def revoked(server):
    with wire.Pipe.connect(server.url) as pipe, wire.Pipe.connect(other_key(server, "bob")) as bob:
        equal(str(simple(pipe, call(1, users.HEALTH)).replies[1]), "OK")
        server.reload(["bob"])
        equal(denied_at_last(pipe), "DENIED")
        equal(rejected(pipe, request_frame()).name, "NO_SESSION")
        try:
            pipe.shake()
            raise AssertionError("it is let in")
        except wire.Rejected as reject:
            equal(reject.name, "DENIED")
        equal(str(simple(bob, call(1, users.HEALTH)).replies[1]), "OK")
