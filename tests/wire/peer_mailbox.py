"""Scenarios: the full client and its mailbox. docs/wire.md, sections 5 to 7."""

import os

import echo
import users
import wire
from channel import Channel, rejected, simple
from harness import Skip, equal, true
from scenarios import ANY, EACH, ECHO, scenario
from wire import call, request_frame

LONG_MS = 60000
NOT_RECEIVED = "UNAVAILABLE/CALL_NOT_RECEIVED/not_run"
FORGOTTEN = "UNAVAILABLE/CALL_FORGOTTEN/may_have_run"


def name():
    return os.urandom(4).hex()


def sleeping(channel, text, duration_ms=LONG_MS):
    """Starts a Sleep and a fast call with it, and takes the fast one's answer: the Sleep's id."""
    slow, fast = channel.new_id(), channel.new_id()
    calls = [call(slow, echo.SLEEP, echo.sleep(duration_ms, text), LONG_MS), call(fast, echo.ECHO)]
    response = channel.response(channel.send(calls=calls))
    equal(response.order, [fast], "replies beside the slow call")
    return slow


def wake(server, text):
    """Ends the Sleep of @text."""
    pipe = wire.Pipe.connect(server.url)
    simple(pipe, call(1, echo.ECHO, echo.echo("wake " + text)))
    pipe.close()


# --- replies --------------------------------------------------------------------


@scenario("a full client's call is answered", ANY, EACH)
def full_success(server):
    with Channel(server.url) as channel:
        call_id, request_id = channel.start(users.HEALTH)
        response = channel.response(request_id)
        equal(response.order, [call_id])
        equal(str(response.replies[call_id]), "OK")
        true(response.instance != 0 and not response.draining, "instance and draining")


@scenario("a full client's frame of 256 calls is answered in full, one of 257 is rejected", ANY)
def full_256(server):
    with Channel(server.url) as channel:
        channel.send(calls=[call(n, users.HEALTH) for n in range(1, 257)])
        while len(channel.replies) < 256:
            channel.next_response()
        too_many = [call(n, users.HEALTH) for n in range(1000, 1257)]
        frame = request_frame(client_id=channel.client_id, calls=too_many)
        equal(rejected(channel.pipe, frame).name, "BAD_FRAME")


@scenario("a slow call does not hold up the fast one of its frame", ECHO, EACH)
def partial_replies(server):
    with Channel(server.url) as channel:
        text = name()
        slow = sleeping(channel, text, 100)
        equal(echo.text_of(channel.reply(slow)), text)


@scenario("a reply comes with whichever frame is answered next", ECHO)
def reply_in_other_frame(server):
    with Channel(server.url) as channel:
        slow = sleeping(channel, name(), 50)
        poll = channel.send()
        request_id, response = channel.next_response()
        equal((request_id, response.order), (poll, [slow]))


@scenario("a reply that became ready while no frame was held comes with the next one at once", ECHO)
def reply_waits(server):
    with Channel(server.url) as channel:
        text = name()
        slow = sleeping(channel, text, 20)
        server.line("done " + text)
        equal(str(channel.reply(slow)), "OK")


@scenario("a thousand calls at once over one pipe are each answered once", ECHO, EACH)
def thousand(server):
    with Channel(server.url) as channel:
        out = 0  # frames with the server
        for first in range(1, 1001, 50):
            calls = [call(n, echo.ECHO, echo.echo(number=n)) for n in range(first, first + 50)]
            channel.send(calls=calls)
            out += 1
        while len(channel.replies) < 1000:
            # Replies of one burst may have gone with two frames, and so another has none left.
            if out == 0:
                channel.send()
                out += 1
            channel.next_response()
            out -= 1
        for call_id, reply in channel.replies.items():
            equal(echo.RESPONSE.decode(reply.payload)["number"], call_id)


# --- held frames -------------------------------------------------------------------


@scenario("polls are held, and the oldest is answered when something is ready", ECHO)
def held_oldest(server):
    with Channel(server.url) as channel:
        polls = [channel.held(hold_ms=10000) for _ in range(3)]
        call_id, _ = channel.start(echo.ECHO, hold_ms=10000)
        request_id, response = channel.next_response()
        equal((request_id, response.order), (polls[0], [call_id]))
        call_id, _ = channel.start(echo.ECHO, hold_ms=10000)
        request_id, response = channel.next_response()
        equal((request_id, response.order), (polls[1], [call_id]))


@scenario("over held_max the oldest frame is answered at once, with nothing", ECHO)
def held_max(server):
    with Channel(server.url) as channel:
        polls = [channel.held(held_max=2, hold_ms=10000) for _ in range(2)]
        polls.append(channel.send(held_max=2, hold_ms=10000))
        request_id, response = channel.next_response()
        equal((request_id, response.order), (polls[0], []))
        polls.append(channel.send(held_max=2, hold_ms=10000))
        equal(channel.next_response()[0], polls[1])
        equal([channel.pipe.answered(poll) for poll in polls[2:]], [False, False])


@scenario("frames with slow calls count to held_max like others", ECHO)
def held_max_calls(server):
    with Channel(server.url) as channel:
        calls = [call(channel.new_id(), echo.SLEEP, echo.sleep(LONG_MS), LONG_MS)]
        first = channel.held(calls=calls, held_max=1, hold_ms=10000)
        second = channel.send(held_max=1, hold_ms=10000)
        request_id, response = channel.next_response()
        equal((request_id, response.order), (first, []))
        true(not channel.pipe.answered(second), "the second is held")


@scenario("over the limit of held frames a pipe the oldest is answered", ECHO, options=("--held-frames-per-pipe-max", "3"))
def held_pipe(server):
    with Channel(server.url) as channel:
        polls = [channel.held(hold_ms=10000) for _ in range(3)]
        polls.append(channel.send(hold_ms=10000))
        request_id, response = channel.next_response()
        equal((request_id, response.order), (polls[0], []))
        true(not channel.pipe.answered(polls[1]), "the others are held")


@scenario("a frame is answered after its hold_ms, with nothing, and longer ones go on", ECHO)
def hold_ms(server):
    with Channel(server.url) as channel:
        long = channel.held(hold_ms=10000)
        short = channel.send(hold_ms=30)
        request_id, response = channel.next_response()
        equal((request_id, response.order), (short, []))
        call_id, _ = channel.start(echo.ECHO, hold_ms=10000)
        equal(channel.next_response()[0], long)
        equal(str(channel.replies[call_id]), "OK")


@scenario("hold_ms over its cap is the cap", ECHO, options=("--hold-ms-max", "50"))
def hold_ms_cap(server):
    with Channel(server.url) as channel:
        for wanted in (4294967295, 50, 0):
            equal(channel.response(channel.send(hold_ms=wanted)).order, [])


# --- cancel ------------------------------------------------------------------------


@scenario("a cancel that comes before its call keeps it from running", ECHO, EACH)
def cancel_first(server):
    with Channel(server.url) as channel:
        text = name()
        late, other = channel.new_id(), channel.new_id()
        equal(channel.response(channel.send(cancels=[late], hold_ms=10000)).order, [])
        calls = [call(late, echo.ECHO, echo.echo(text)), call(other, echo.ECHO, echo.echo(text + "-other"))]
        equal(channel.response(channel.send(calls=calls)).order, [other])
        server.line("ran " + text + "-other")
        equal(server.count("ran " + text), 0)


@scenario("a running call that is cancelled sees it, and is never answered", ECHO, EACH)
def cancel_running(server):
    with Channel(server.url) as channel:
        text = name()
        slow = sleeping(channel, text)
        equal(channel.response(channel.send(cancels=[slow], hold_ms=10000)).order, [])
        server.line("cancelled " + text)
        equal(str(channel.call(echo.ECHO)), "OK")
        equal(channel.response(channel.send(hold_ms=20)).order, [])


@scenario("a ready reply of a call that is cancelled is thrown away", ECHO)
def cancel_ready(server):
    with Channel(server.url) as channel:
        text = name()
        slow = sleeping(channel, text, 10)
        server.line("done " + text)
        other = channel.new_id()
        response = channel.response(channel.send(cancels=[slow], calls=[call(other, echo.ECHO)]))
        equal(response.order, [other])
        equal(channel.response(channel.send(hold_ms=20)).order, [])


@scenario("cancels of what is over are answered at once, and do nothing", ECHO)
def cancel_sent(server):
    with Channel(server.url) as channel:
        call_id, request_id = channel.start(echo.ECHO)
        channel.response(request_id)
        equal(channel.response(channel.send(cancels=[call_id, call_id], hold_ms=10000)).order, [])


# --- await -------------------------------------------------------------------------


@scenario("an await of an unknown call is CALL_NOT_RECEIVED, and its late copy never runs", ECHO, EACH)
def await_unknown(server):
    with Channel(server.url) as channel:
        channel.call(echo.ECHO)
        text = name()
        lost, other = channel.new_id(), channel.new_id()
        response = channel.response(channel.send(awaits=[lost], hold_ms=10000))
        equal({i: str(r) for i, r in response.replies.items()}, {lost: NOT_RECEIVED})
        calls = [call(lost, echo.ECHO, echo.echo(text)), call(other, echo.ECHO, echo.echo(text + "-other"))]
        equal(channel.response(channel.send(calls=calls)).order, [other])
        server.line("ran " + text + "-other")
        equal(server.count("ran " + text), 0)
        channel.replies.clear()
        again = channel.response(channel.send(awaits=[lost]))
        equal(str(again.replies[lost]), NOT_RECEIVED)


@scenario("the call of an await on a new pipe is answered there", ECHO, EACH)
def await_running(server):
    with Channel(server.url) as channel:
        text = name()
        slow = sleeping(channel, text, 200)
        channel.reconnect()
        awaiting = channel.send(awaits=[slow], hold_ms=10000)
        request_id, response = channel.next_response()
        equal((request_id, response.order), (awaiting, [slow]))
        equal(echo.text_of(response.replies[slow]), text)


@scenario("a reply that became ready while there was no pipe is sent on the next", ECHO)
def await_ready(server):
    with Channel(server.url) as channel:
        text = name()
        slow = sleeping(channel, text, 50)
        channel.pipe.close()
        server.line("done " + text)
        channel.reconnect()
        equal(str(channel.response(channel.send(awaits=[slow])).replies[slow]), "OK")


@scenario("an await of a call whose reply was sent is CALL_FORGOTTEN", ECHO)
def await_sent(server):
    with Channel(server.url) as channel:
        call_id, request_id = channel.start(echo.ECHO)
        channel.response(request_id)
        channel.replies.clear()
        response = channel.response(channel.send(awaits=[call_id], hold_ms=10000))
        equal({i: str(r) for i, r in response.replies.items()}, {call_id: FORGOTTEN})


@scenario("an await of a call that was cancelled while it ran is CALL_FORGOTTEN", ECHO)
def await_cancelled(server):
    with Channel(server.url) as channel:
        slow = sleeping(channel, name())
        channel.response(channel.send(cancels=[slow]))
        response = channel.response(channel.send(awaits=[slow], hold_ms=10000))
        equal({i: str(r) for i, r in response.replies.items()}, {slow: FORGOTTEN})


@scenario("awaits of several calls are answered each for itself", ECHO)
def await_mixed(server):
    with Channel(server.url) as channel:
        sent, request_id = channel.start(echo.ECHO)
        channel.response(request_id)
        channel.replies.clear()
        slow = sleeping(channel, name(), 300)
        lost = channel.new_id()
        channel.reconnect()
        channel.send(awaits=[sent, slow, lost])
        equal(str(channel.reply(sent)), FORGOTTEN)
        equal(str(channel.reply(lost)), NOT_RECEIVED)
        equal(str(channel.reply(slow)), "OK")


# --- pipes that were left -------------------------------------------------------------

# Frames are held for longer than anybody waits: what is answered is so for another reason.
EVER_MS = 600000
EVER = ("--hold-ms-max", str(EVER_MS))


@scenario("an await has the frames on older pipes answered with nothing, and its reply comes on the new one", ECHO, EACH, EVER)
def left_held(server):
    with Channel(server.url) as old:
        text = name()
        slow = sleeping(old, text)
        polls = [old.held(hold_ms=EVER_MS) for _ in range(3)]
        # The old pipe stays open: to the server it is as good as the new.
        with Channel(server.url, old.client_id) as new:
            awaiting = new.held(awaits=[slow], hold_ms=EVER_MS)
            wake(server, text)
            request_id, response = new.next_response()
            equal((request_id, response.order), (awaiting, [slow]))
            equal(echo.text_of(response.replies[slow]), text)
            equal([old.response(poll).order for poll in polls], [[], [], []])


@scenario("a frame that still comes by a pipe that was left runs its calls, and takes no reply", ECHO, EACH, EVER)
def left_late(server):
    with Channel(server.url) as old:
        text = name()
        slow = sleeping(old, text)
        with Channel(server.url, old.client_id) as new:
            awaiting = new.held(awaits=[slow], hold_ms=EVER_MS)
            late = old.new_id()
            calls = [call(late, echo.ECHO, echo.echo(text + "-late"))]
            equal(old.response(old.send(calls=calls, hold_ms=EVER_MS)).order, [])
            equal(old.response(old.send(hold_ms=EVER_MS)).order, [])
            request_id, response = new.next_response()
            equal((request_id, response.order), (awaiting, [late]))
            poll = new.send(hold_ms=EVER_MS)
            wake(server, text)
            request_id, response = new.next_response()
            equal((request_id, response.order), (poll, [slow]))


@scenario("an await that comes by a pipe that was left is answered on the newer one", ECHO, options=EVER)
def left_await(server):
    with Channel(server.url) as old:
        text = name()
        slow = sleeping(old, text)
        with Channel(server.url, old.client_id) as new:
            awaiting = new.held(awaits=[slow], hold_ms=EVER_MS)
            lost = old.new_id()
            equal(old.response(old.send(awaits=[slow, lost], hold_ms=EVER_MS)).order, [])
            request_id, response = new.next_response()
            equal((request_id, response.order), (awaiting, [lost]))
            equal(str(response.replies[lost]), NOT_RECEIVED)
            poll = new.send(hold_ms=EVER_MS)
            wake(server, text)
            request_id, response = new.next_response()
            equal((request_id, response.order), (poll, [slow]))


@scenario("a reply that a pipe took before it was left is CALL_FORGOTTEN on the next", ECHO, options=EVER)
def left_sent(server):
    with Channel(server.url) as old:
        call_id, request_id = old.start(echo.ECHO)
        equal(old.response(request_id).order, [call_id])
        with Channel(server.url, old.client_id) as new:
            response = new.response(new.send(awaits=[call_id], hold_ms=EVER_MS))
            equal({i: str(r) for i, r in response.replies.items()}, {call_id: FORGOTTEN})


@scenario("awaits leave only pipes that are older than theirs", ECHO, options=EVER)
def left_older_only(server):
    with Channel(server.url) as first:
        text = name()
        slow = sleeping(first, text)
        with Channel(server.url, first.client_id) as second:
            simple(second.pipe)  # so that the server has it before the third
            with Channel(server.url, first.client_id) as third:
                left_by_second(server, text, slow, second, third)


def left_by_second(server, text, slow, second, third):
    poll = third.held(hold_ms=EVER_MS)
    awaiting = second.held(awaits=[slow], hold_ms=EVER_MS)
    wake(server, text)
    request_id, response = third.next_response()
    equal((request_id, response.order), (poll, [slow]))
    true(not second.pipe.answered(awaiting), "the awaiting frame is held")


# --- whose mailbox --------------------------------------------------------------------


@scenario("a mailbox spans the pipes of its client", ECHO)
def two_pipes(server):
    with Channel(server.url) as one, Channel(server.url, one.client_id) as two:
        slow = sleeping(one, name(), 100)
        poll = two.send(hold_ms=10000)
        request_id, response = two.next_response()
        equal((request_id, response.order), (poll, [slow]))


@scenario("another client_id sees and cancels nothing of the first", ECHO)
def other_client(server):
    with Channel(server.url) as mine, Channel(server.url) as other:
        text = name()
        slow = sleeping(mine, text, 200)
        other.last_id = slow + 100
        equal(other.response(other.send(cancels=[slow])).order, [])
        equal(str(other.call(echo.ECHO)), "OK")
        other_lost = slow + 200
        equal(str(other.response(other.send(awaits=[other_lost])).replies[other_lost]), NOT_RECEIVED)
        equal(echo.text_of(mine.reply(slow)), text)


def as_stranger(function):
    """Runs @function in a process of uid 65534; its text, or the exception's."""
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
            text = function()
        except BaseException as error:  # pylint: disable=broad-except
            text = repr(error)
        os.write(writable, text.encode())
        os._exit(0)
    os.close(writable)
    with os.fdopen(readable, "rb") as pipe:
        text = pipe.read().decode()
    os.waitpid(child, 0)
    return text


def open_to_all(server):
    path = server.url.removeprefix("ipc://")
    os.chmod(os.path.dirname(path), 0o755)
    os.chmod(path, 0o666)


@scenario("another uid may call health and nothing else", ANY)
def other_uid(server):
    if os.geteuid() != 0:
        return Skip("only root can become another user")
    open_to_all(server)
    method = echo.ECHO if server.kind == "echo" else users.LIST

    def stranger():
        with Channel(server.url) as channel:
            return f"{channel.call(users.HEALTH)} {channel.call(method)}"

    return equal(as_stranger(stranger), "OK PERMISSION_DENIED/ACCESS_DENIED/not_run")


@scenario("the same client_id of another uid is another mailbox", ECHO)
def other_uid_mailbox(server):
    if os.geteuid() != 0:
        return Skip("only root can become another user")
    open_to_all(server)
    with Channel(server.url) as mine:
        text = name()
        slow = sleeping(mine, text, 300)
        running, lost = slow, slow + 50

        def stranger():
            with Channel(server.url, mine.client_id) as theirs:
                theirs.last_id = slow + 1000
                theirs.call(users.HEALTH)
                first = theirs.response(theirs.send(awaits=[lost + 1])).replies
                # known to the first mailbox: were it shared, the frame would be rejected
                theirs.response(theirs.send(calls=[call(running, users.HEALTH)]))
                theirs.response(theirs.send(cancels=[running]))
                return f"{first[lost + 1]} {theirs.replies[running]}"

        equal(as_stranger(stranger), f"{NOT_RECEIVED} OK")
        equal(echo.text_of(mine.reply(slow)), text)
    return None


# --- duplicates ------------------------------------------------------------------------


@scenario("an id twice in a frame rejects the frame, and nothing of it runs", ECHO)
def duplicate_in_frame(server):
    with Channel(server.url) as channel:
        text = name()
        calls = [call(1, echo.ECHO, echo.echo(text)), call(2, echo.ECHO, echo.echo(text))] * 2
        frame = request_frame(client_id=channel.client_id, calls=calls, cancels=[9], awaits=[10])
        equal(rejected(channel.pipe, frame).name, "BAD_FRAME")
        # neither the calls nor the cancel had an effect: all ids are as new
        calls = [call(n, echo.ECHO, echo.echo(text + str(n))) for n in (1, 2, 9, 10)]
        channel.send(calls=calls)
        for call_id in (1, 2, 9, 10):
            equal(str(channel.reply(call_id)), "OK")
        equal(server.count("ran " + text), 0)


@scenario("an id that the mailbox knows rejects the frame, whatever its state", ECHO)
def duplicate_known(server):
    with Channel(server.url) as channel:
        text = name()
        running = sleeping(channel, name())
        cancelled = sleeping(channel, name())
        ready_name = name()
        ready = sleeping(channel, ready_name, 10)
        channel.response(channel.send(cancels=[cancelled]))
        server.line("done " + ready_name)
        sent, request_id = channel.start(echo.ECHO)
        while sent not in channel.replies:
            channel.response(request_id)
        for known in (running, sent, cancelled):
            calls = [call(channel.new_id(), echo.ECHO, echo.echo(text)), call(known, echo.ECHO)]
            frame = request_frame(client_id=channel.client_id, calls=calls)
            equal(rejected(channel.pipe, frame).name, "BAD_FRAME")
        true(ready in channel.replies, "the ready one came with the last")
        equal(str(channel.call(echo.ECHO, echo.echo(text + "-other"))), "OK")
        equal(server.count("ran " + text), 0)


@scenario("the calls of a rejected frame may be sent again under their ids", ECHO)
def rejected_ids(server):
    with Channel(server.url) as channel:
        call_id = channel.new_id()
        frame = request_frame(client_id=channel.client_id, calls=[call(call_id, echo.ECHO)]) + b"\xff"
        equal(rejected(channel.pipe, frame).name, "BAD_FRAME")
        equal(str(channel.response(channel.send(calls=[call(call_id, echo.ECHO)])).replies[call_id]), "OK")
