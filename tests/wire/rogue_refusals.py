"""Scenarios: rejects and handshakes that fail."""

from harness import equal, true
from rogue import SP_REP, ok, reject
from rogue_probe import expect, fine, good, run, said, scenario

# --- rejects -------------------------------------------------------------------------


def rejected_with(code, reason, **fields):
    status = said(reason, "code")
    true("not_run" in said(reason, "ran"), "what the page says")

    def script(frame):
        if any(frame.text(call_id) == "refused" for call_id in frame.calls):
            frame.raw(reject(code, **fields))
        else:
            good(frame)

    def steps(probe, _):
        equal(probe.call("first"), fine("first"))
        probe.start("refused", 10000)
        expect(probe, "refused", status, "not_run", reason)
        equal(probe.call("last"), fine("last"))

    run(script, steps)


for number, wanted, more in (
    (1, "FRAME_REFUSED", {}),
    (2, "VERSION_MISMATCH", {"detail": 7}),
    (3, "REQUEST_TOO_LARGE", {"detail": 1 << 20}),
    (4, "SESSION_REQUIRED", {}),
    (5, "ACCESS_DENIED", {}),
    (77, "FRAME_REFUSED", {}),
):
    scenario(f"reject {number} ends the calls of its frame: {wanted}, not_run")(
        lambda _, number=number, wanted=wanted, more=more: rejected_with(number, wanted, **more)
    )


@scenario("a call that is rejected BUSY goes again, until it is taken")
def busy_at_first(_):
    refused = []

    def script(frame):
        if frame.calls and len(refused) < 3:
            refused.append(frame)
            frame.raw(reject(6, retry_ms=20))
        else:
            good(frame)

    def steps(probe, _):
        equal(probe.call("one"), fine("one"))
        equal(len(refused), 3)

    run(script, steps)


@scenario("a call that is rejected BUSY for ever ends by its deadline, not_run")
def busy_for_ever(_):
    rejected = []

    def script(frame):
        # The last pause is longer than the call: its end does not find the frame under way.
        rejected.append(frame)
        frame.raw(reject(6, retry_ms=20 if len(rejected) <= 3 else 60000))

    def steps(probe, _):
        probe.start("one", 900)
        status, ran, _, reason, _ = probe.end("one").split()
        true((status, reason) in (("UNAVAILABLE", "SERVER_BUSY"), ("DEADLINE_EXCEEDED", "DEADLINE")), reason)
        equal(ran, "not_run")

    run(script, steps)


@scenario("a poll that is rejected does not hurt the calls that are outstanding")
def poll_rejected(_):
    state = {"rejects": 0, "late": None}

    def script(frame):
        if frame.calls:
            (call_id,) = frame.calls
            state["late"] = ok(call_id, frame.text(call_id))
            frame.answer()
        elif state["rejects"] < 3:
            state["rejects"] += 1
            frame.raw(reject(6, retry_ms=10))
        elif state["late"]:
            frame.answer(state["late"])
            state["late"] = None
        else:
            good(frame)

    def steps(probe, _):
        equal(probe.call("one"), fine("one"))
        equal(state["rejects"], 3)

    run(script, steps)


@scenario("a poll that is refused for good ends what is outstanding, may_have_run")
def poll_refused(_):
    def script(frame):
        if any(frame.text(call_id) == "waits" for call_id in frame.calls):
            frame.answer()
        elif frame.calls:
            frame.answer_calls()
        else:
            frame.raw(reject(5))

    def steps(probe, _):
        probe.start("waits", 10000)
        expect(probe, "waits", "PERMISSION_DENIED", "may_have_run", "ACCESS_DENIED")
        equal(probe.call("last"), fine("last"))

    run(script, steps)


# --- handshakes -----------------------------------------------------------------------


def greeted_by(greeting, sentence, often):
    """Connections are greeted so, the first @often of them, and then well."""

    def on_accept(peer):
        if peer.rogue.n_accepted <= often:
            greeting(peer)
        else:
            peer.write(SP_REP)

    def steps(probe, _):
        equal(probe.call("one", 30000, wait=True), fine("one"), sentence)
        equal(probe.call("two"), fine("two"), sentence)

    run(good, steps, on_accept)


def never_greeted(greeting):
    """No connection ever comes about: not_run, by the deadline, whether waiting or not."""

    def steps(probe, _):
        for name, wait in (("fast", False), ("waits", True)):
            probe.start(name, 700, wait)
            status, ran, _, reason, _ = probe.end(name).split()
            true((status, reason) in (("UNAVAILABLE", "NOT_CONNECTED"), ("DEADLINE_EXCEEDED", "DEADLINE")), reason)
            equal(ran, "not_run")

    run(good, steps, greeting)


GREETINGS = {
    "closes": lambda peer: peer.close(),
    "resets half-way": lambda peer: (peer.write(b"\0SP"), peer.close()),
    "speaks HTTP": lambda peer: peer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "is no REP": lambda peer: peer.write(b"\0SP\0\0\x30\0\0"),
    "is of another SP": lambda peer: peer.write(b"\0SP\1\0\x31\0\0"),
}

for what, how in GREETINGS.items():
    for times in (1, 2, 5):
        scenario(f"a server that {what} in the handshake, {times} times, is reached then")(
            lambda _, what=what, how=how, times=times: greeted_by(how, what, times)
        )
    scenario(f"calls to a server that only {what} in the handshake end by their deadline, not_run")(
        lambda _, how=how: never_greeted(how)
    )

scenario("calls to a server that says nothing in the handshake end by their deadline, not_run")(
    lambda _: never_greeted(lambda peer: None)
)


@scenario("nobody at the address: a call fails fast or waits, not_run either way")
def nobody(_):
    def steps(probe, rogue):
        rogue.order(rogue.unlisten)
        rogue.until(lambda: rogue.listener is None)
        probe.start("fast", 2000)
        expect(probe, "fast", "UNAVAILABLE", "not_run", "NOT_CONNECTED", "transport")
        probe.start("waits", 60000, wait=True)
        rogue.order(rogue.listen)
        equal(probe.end("waits"), fine("waits"))

    run(good, steps)
