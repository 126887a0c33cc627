"""Scenarios: replies, silence, broken pipes and awaits, right and wrong."""

from harness import equal, true
from rogue import failed, ok, reject, response
from rogue_probe import expect, fine, good, run, said, scenario
from wire import HEADER, RESPONSE

# --- replies -------------------------------------------------------------------


@scenario("an honest server's replies end their calls")
def honest(_):
    def steps(probe, _):
        for n in range(20):
            equal(probe.call(f"c{n}"), fine(f"c{n}"))

    run(good, steps)


@scenario("replies may come with other frames than their calls")
def swapped(_):
    first = []

    def script(frame):
        if not frame.calls:
            good(frame)
        elif not first:
            first.append(frame)
        else:
            (one,), (two,) = first[0].calls, frame.calls
            frame.answer(ok(one, first[0].text(one)))
            first[0].answer(ok(two, frame.text(two)))

    def steps(probe, rogue):
        probe.start("one")
        rogue.until(lambda: first)
        probe.start("two")
        equal(probe.end("one"), fine("one"))
        equal(probe.end("two"), fine("two"))

    run(script, steps)


@scenario("a reply may come with a poll, long after its frame was answered")
def with_a_poll(_):
    late = []

    def script(frame):
        if frame.calls:
            late.extend(ok(call_id, frame.text(call_id)) for call_id in frame.calls)
            frame.answer()
        elif late:
            frame.answer(late.pop())
        else:
            good(frame)

    run(script, lambda probe, _: equal(probe.call("late"), fine("late")))


@scenario("replies to ids that nobody waits for are passed over")
def unknown_ids(_):
    def script(frame):
        if frame.calls:
            (call_id,) = frame.calls
            strange = [ok(n, "strange") for n in (0, call_id + 1000, 2**64 - 1)]
            frame.answer(*strange, ok(call_id, frame.text(call_id)), *strange)
        else:
            good(frame)

    def steps(probe, _):
        for n in range(5):
            equal(probe.call(f"c{n}"), fine(f"c{n}"))

    run(script, steps)


@scenario("a second reply to a call is passed over")
def duplicates(_):
    seen = []

    def script(frame):
        if frame.calls:
            (call_id,) = frame.calls
            mine = ok(call_id, frame.text(call_id))
            frame.answer(mine, failed(call_id, 5, "SECOND", "ran"), mine, *seen)
            seen.append(mine)
        else:
            good(frame)

    def steps(probe, _):
        for n in range(5):
            equal(probe.call(f"c{n}"), fine(f"c{n}"))

    run(script, steps)


@scenario("a status tells code, reason and whether the call ran, with or without details")
def statuses(_):
    cases = [
        (lambda i: failed(i, 5, "GONE", "ran", "x.v1"), "NOT_FOUND ran server GONE -"),
        (lambda i: failed(i, 14, "SOON", "not_run", "x.v1"), "UNAVAILABLE not_run server SOON -"),
        (lambda i: failed(i, 10, "HM", "may_have_run", "x.v1"), "ABORTED may_have_run server HM -"),
        (lambda i: failed(i, 9, "HM", "another_word", "x.v1"), "FAILED_PRECONDITION may_have_run server HM -"),
        (lambda i: failed(i, 9, "HM", None, "x.v1"), "FAILED_PRECONDITION ran server HM -"),
        (lambda i: failed(i, 13), "INTERNAL ran server - -"),
        (lambda i: failed(i, 99), "UNKNOWN ran server - -"),
        (lambda i: failed(i, -1), "UNKNOWN ran server - -"),
        (lambda i: {"id": i, "status": {"code": 3, "details": [{"type_url": "x/y", "value": b"\xff"}]}},
         "INVALID_ARGUMENT ran server - -"),
    ]
    left = [make for make, _ in cases]

    def script(frame):
        if frame.calls:
            frame.answer(*[left.pop(0)(call_id) for call_id in frame.calls])
        else:
            good(frame)

    def steps(probe, _):
        for n, (_, want) in enumerate(cases):
            equal(probe.call(f"c{n}"), want)

    run(script, steps)


@scenario("a payload that cannot be read is RESPONSE_MALFORMED, ran, for its call alone")
def bad_payload(_):
    payloads = [b"\xff", b"\x0a\x05ab", b"\x0a\x01\xff", b"\x0a\x02a\0", b"\x0b" * 20000]

    def script(frame):
        if frame.calls:
            payload = payloads.pop(0) if payloads else None
            frame.answer(*[
                ok(i, frame.text(i)) if payload is None else {"id": i, "payload": payload} for i in frame.calls
            ])
        else:
            good(frame)

    def steps(probe, _):
        for n in range(5):
            probe.start(f"bad{n}")
            expect(probe, f"bad{n}", "INTERNAL", "ran", "RESPONSE_MALFORMED")
        equal(probe.call("good"), fine("good"))

    run(script, steps)


@scenario("reserved fields and unknown fields of a response are passed over")
def reserved(_):
    def script(frame):
        if frame.calls:
            (call_id,) = frame.calls
            extra = b"\x20\x07" + b"\xfa\x01\x03abc"  # seq, field 31
            more = ok(call_id, frame.text(call_id))
            frame.raw(response(more, instance=frame.rogue.instance) + extra)
        else:
            good(frame)

    run(script, lambda probe, _: equal(probe.call("one"), fine("one")))


# --- silence -------------------------------------------------------------------


@scenario("a call that is never answered ends at its deadline, may_have_run, and is cancelled")
def never(_):
    calls, cancels = set(), set()

    def script(frame):
        calls.update(frame.calls)
        cancels.update(frame.cancels)
        if frame.cancels and not frame.calls:
            frame.answer()
        else:
            frame.rogue.hold(frame)

    def steps(probe, rogue):
        probe.start("never", 300)
        expect(probe, "never", "DEADLINE_EXCEEDED", "may_have_run", "DEADLINE")
        rogue.until(lambda: cancels)
        equal(cancels, calls, "the id is cancelled")

    run(script, steps)


@scenario("a call that its caller cancels ends at once, and is cancelled at the server")
def cancelled(_):
    calls, cancels = set(), set()

    def script(frame):
        calls.update(frame.calls)
        cancels.update(frame.cancels)
        if frame.cancels and not frame.calls:
            frame.answer()
        else:
            frame.rogue.hold(frame)

    def steps(probe, rogue):
        probe.start("one", 60000)
        rogue.until(lambda: calls)
        probe.cancel("one")
        expect(probe, "one", "CANCELLED", "may_have_run", "CANCELLED")
        rogue.until(lambda: cancels)
        equal(cancels, calls)

    run(script, steps)


@scenario("a pipe that answers no frame is given up, and the call is awaited on the next")
def silent_pipe(_):
    silent = []

    def script(frame):
        if not silent or frame.peer is silent[0]:
            silent.append(frame.peer)
        elif frame.awaits:
            frame.answer(*[ok(call_id, "found") for call_id in frame.awaits])
        else:
            good(frame)

    def steps(probe, _):
        equal(probe.call("one", 20000), fine("found"))

    run(script, steps)


@scenario("a server that answers every poll at once with nothing is not flooded")
def empty_answers(_):
    count = []

    def script(frame):
        count.append(frame)
        frame.answer()

    def steps(probe, _):
        probe.start("one", 500)
        expect(probe, "one", "DEADLINE_EXCEEDED", "may_have_run", "DEADLINE")
        true(len(count) < 1000, f"{len(count)} frames in half a second")

    run(script, steps)


# --- broken pipes ----------------------------------------------------------------


def breaks_first(breaking, found="found"):
    """A server that does @breaking(frame) with the first call after an honest one, and is honest on the next pipe."""
    broken = []

    def script(frame):
        if frame.calls and any(frame.text(call_id) == "broken" for call_id in frame.calls) and not broken:
            broken.append(frame.peer)
            breaking(frame)
        elif broken and frame.peer is broken[0]:
            pass
        elif frame.awaits:
            frame.answer(*[ok(call_id, found) for call_id in frame.awaits])
        else:
            good(frame)

    return script


def survives(breaking):
    """The call is awaited on the next pipe, and its reply comes there."""

    def steps(probe, _):
        equal(probe.call("first"), fine("first"))
        equal(probe.call("broken", 20000), fine("found"))
        equal(probe.call("last"), fine("last"))

    run(breaks_first(breaking), steps)


def message_of(frame, octets):
    return (0x80000000 | frame.request_id & 0x7FFFFFFF).to_bytes(4, "big") + octets


BREAKS = {
    "closes before it answers": lambda frame: frame.close(),
    "closes in the middle of its answer": lambda frame: (
        frame.peer.write(b"\1" + (1000).to_bytes(8, "big") + message_of(frame, b"PI\x01\x11") + bytes(10)),
        frame.close(),
    ),
    "closes in the middle of a length": lambda frame: (frame.peer.write(b"\1\0\0\0"), frame.close()),
    "answers with a longer message than is allowed": lambda frame: frame.peer.write(
        b"\1" + (1 << 40).to_bytes(8, "big") + bytes(100)
    ),
    "answers with the length of everything": lambda frame: frame.peer.write(b"\1" + b"\xff" * 8),
    "answers with another type of ipc message": lambda frame: frame.peer.write(b"\7" + bytes(8)),
    "answers with three bytes": lambda frame: frame.peer.message(b"\x80\0\0"),
}

for what, how in BREAKS.items():
    scenario(f"the call to a server that {what} is answered on the next pipe")(lambda _, how=how: survives(how))


def unreadable(breaking):
    """What was outstanding ends, and the next call gets through."""

    def steps(probe, rogue):
        equal(probe.call("first"), fine("first"))
        probe.start("beside", 20000)
        rogue.until(lambda: rogue.held)
        probe.start("broken", 20000)
        for name in ("broken", "beside"):
            expect(probe, name, said("RESPONSE_MALFORMED", "code"), "may_have_run", "RESPONSE_MALFORMED")
        equal(probe.call("last"), fine("last"))

    script = breaks_first(breaking)

    def holding(frame):
        if any(frame.text(call_id) == "beside" for call_id in frame.calls):
            frame.rogue.hold(frame)
        elif frame.calls or frame.awaits or frame.cancels:
            script(frame)

    run(holding, steps)


GARBAGE = {
    "answers without the magic": lambda frame: frame.raw(b"XX\x01\x11"),
    "answers with nothing": lambda frame: frame.raw(b""),
    "answers with another version": lambda frame: frame.raw(b"PI\x02\x11"),
    "answers with a request": lambda frame: frame.raw(b"PI\x01\x10"),
    "answers with an unknown kind": lambda frame: frame.raw(b"PI\x01\x77"),
    "answers with a sealed response": lambda frame: frame.raw(b"PI\x01\x04" + bytes(40)),
    "answers with a short reject": lambda frame: frame.raw(reject(1)[:-1]),
    "answers with a long reject": lambda frame: frame.raw(reject(1) + b"\0"),
    "answers with a truncated protobuf": lambda frame: frame.raw(
        response(*[ok(i, "cut") for i in frame.calls], instance=frame.rogue.instance)[:-3]
    ),
    "answers with garbage": lambda frame: frame.raw(HEADER + bytes([RESPONSE]) + b"\xff" * 100),
    "answers with groups": lambda frame: frame.raw(HEADER + bytes([RESPONSE]) + b"\xa3\x01" * 10000),
    "answers with a million empty replies": lambda frame: frame.raw(
        HEADER + bytes([RESPONSE]) + b"\x0a\x00" * 500000
    ),
    "answers with a status merged 20,000 times": lambda frame: frame.raw(
        HEADER + bytes([RESPONSE]) + b"\x0a\xc0\xf1\x04" + b"\x12\x02\x08\x01" * 20000
    ),
}

for what, how in GARBAGE.items():
    scenario(f"a server that {what} loses the pipe, and what was outstanding on it")(lambda _, how=how: unreadable(how))


@scenario("an answer to a request that was never made is passed over")
def strange_answer(_):
    def script(frame):
        if frame.calls:
            frame.peer.message(b"\xff\xff\xff\xff" + b"PI\x01\x11")
        good(frame)

    run(script, lambda probe, _: equal(probe.call("one"), fine("one")))


@scenario("an answer that comes byte by byte is an answer")
def slowly(_):
    def script(frame):
        if frame.calls:
            body = response(*[ok(i, frame.text(i)) for i in frame.calls], instance=frame.rogue.instance)
            message = message_of(frame, body)
            for octet in b"\1" + len(message).to_bytes(8, "big") + message:
                frame.peer.write(bytes([octet]))
        else:
            good(frame)

    run(script, lambda probe, _: equal(probe.call("one"), fine("one")))


@scenario("a call whose server is gone for good ends before its deadline or at it, may_have_run")
def gone_for_good(_):
    def script(frame):
        if frame.calls and any(frame.text(call_id) == "broken" for call_id in frame.calls):
            frame.rogue.unlisten()
        else:
            good(frame)

    def steps(probe, _):
        equal(probe.call("first"), fine("first"))
        probe.start("broken", 4000)
        status, ran, _, reason, _ = probe.end("broken").split()
        true((status, reason) in (("UNAVAILABLE", "CONNECTION_LOST"), ("DEADLINE_EXCEEDED", "DEADLINE")), reason)
        equal(ran, "may_have_run")
        # what was never sent has not run
        probe.start("next", 300)
        status, ran, _, reason, _ = probe.end("next").split()
        true((status, reason) in (("UNAVAILABLE", "NOT_CONNECTED"), ("DEADLINE_EXCEEDED", "DEADLINE")), reason)
        equal(ran, "not_run")

    run(script, steps)


# --- awaits ------------------------------------------------------------------------


@scenario("a call that the server did not receive goes again, under a new id")
def not_received(_):
    broken, ids = [], []

    def script(frame):
        for call_id in frame.calls:
            if frame.text(call_id) == "lost":
                ids.append(call_id)
        if frame.calls and ids and not broken:
            broken.append(frame.peer)
            frame.close()
        elif frame.awaits:
            frame.answer(*[failed(i, 14, "CALL_NOT_RECEIVED", "not_run") for i in frame.awaits])
        else:
            good(frame)

    def steps(probe, _):
        equal(probe.call("first"), fine("first"))
        equal(probe.call("lost", 20000), fine("lost"))
        equal(len(set(ids)), 2, "ids of the call")

    run(script, steps)


@scenario("a call that the server never receives ends, not_run or unknown, by its deadline")
def never_received(_):
    ids = []

    def script(frame):
        lost = [call_id for call_id in frame.calls if frame.text(call_id) == "lost"]
        ids.extend(lost)
        if lost:
            frame.close()
        elif frame.awaits:
            frame.answer(*[failed(i, 14, "CALL_NOT_RECEIVED", "not_run") for i in frame.awaits])
        else:
            good(frame)

    def steps(probe, _):
        equal(probe.call("first"), fine("first"))
        probe.start("lost", 5000)
        status, ran, _, reason, _ = probe.end("lost").split()
        equal((status, ran, reason), ("UNAVAILABLE", "not_run", "CALL_NOT_RECEIVED"))
        true(1 < len(ids) < 20, f"{len(ids)} copies")
        equal(len(set(ids)), len(ids), "each under an id of its own")

    run(script, steps)


@scenario("a call that the server has forgotten is CALL_FORGOTTEN, may_have_run")
def forgotten(_):
    def breaking(frame):
        frame.close()

    script = breaks_first(breaking)

    def forgetting(frame):
        if frame.awaits:
            frame.answer(*[failed(i, 14, "CALL_FORGOTTEN", "may_have_run") for i in frame.awaits])
        else:
            script(frame)

    def steps(probe, _):
        equal(probe.call("first"), fine("first"))
        probe.start("broken")
        expect(probe, "broken", "UNAVAILABLE", "may_have_run", "CALL_FORGOTTEN", "server")
        equal(probe.call("last"), fine("last"))

    run(forgetting, steps)


@scenario("CALL_NOT_RECEIVED is not believed of a server that the call did not go to")
def not_received_by_another(_):
    broken = []

    def script(frame):
        if frame.calls and not broken:
            broken.append(frame.peer)
            frame.rogue.become_another()
            frame.close()
        elif frame.awaits:
            frame.answer(*[failed(i, 14, "CALL_NOT_RECEIVED", "not_run") for i in frame.awaits])
        else:
            good(frame)

    def steps(probe, _):
        # the first call ever: no response has told the instance that it went to
        got = probe.call("one").split()
        equal((got[0], got[1]), ("UNAVAILABLE", "may_have_run"))
        equal(probe.call("next"), fine("next"))

    run(script, steps)


@scenario("another instance ends what went to the one before: SERVER_RESTARTED, may_have_run")
def restarted(_):
    broken = []

    def script(frame):
        if any(frame.text(call_id) == "broken" for call_id in frame.calls):
            broken.append(frame.peer)
            frame.rogue.become_another()
            frame.close()
        elif frame.awaits:
            # looked at after the instance: must not be believed
            frame.answer(*[failed(i, 14, "CALL_NOT_RECEIVED", "not_run") for i in frame.awaits])
        else:
            good(frame)

    def steps(probe, _):
        equal(probe.call("first"), fine("first"))
        probe.start("broken", 20000)
        expect(probe, "broken", "UNAVAILABLE", "may_have_run", "SERVER_RESTARTED")
        equal(probe.call("last"), fine("last"))

    run(script, steps)


@scenario("another instance on the same pipe ends all that was outstanding")
def restarted_on_one_pipe(_):
    held = []

    def script(frame):
        if any(frame.text(call_id) == "held" for call_id in frame.calls):
            held.append(frame)
        elif frame.calls and held:
            frame.rogue.become_another()
            frame.answer_calls()
        else:
            good(frame)

    def steps(probe, rogue):
        equal(probe.call("first"), fine("first"))
        probe.start("held", 20000)
        rogue.until(lambda: held)
        probe.start("next", 20000)
        expect(probe, "held", "UNAVAILABLE", "may_have_run", "SERVER_RESTARTED")
        probe.end("next")

    run(script, steps)
