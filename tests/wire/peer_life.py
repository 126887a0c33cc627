"""Scenarios: restart and drain. docs/wire.md, sections 11 and 12."""

import os

import echo
import users
import wire
from channel import Channel, simple
from harness import equal, true
from scenarios import ANY, EACH, ECHO, scenario
from wire import Pipe, call

LONG_MS = 60000
DRAINING = "UNAVAILABLE/DRAINING/not_run"


@scenario("the instance is the same on every pipe, and another one after a restart", ANY, EACH, own=True)
def restart(server):
    with Channel(server.url) as channel, Channel(server.url) as other:
        equal(str(channel.call(users.HEALTH)), "OK")
        equal(str(other.call(users.HEALTH)), "OK")
        before = channel.instance
        equal(other.instance, before)
        server.restart(kill=True)
        true(channel.pipe.closes(), "the old pipe is closed")
        channel.url = server.url
        channel.reconnect()
        response = channel.response(channel.send(awaits=[channel.last_id]))
        true(response.instance not in (0, before), "another instance")


@scenario("a killed server leaves no address behind that the next one stumbles over", ANY, own=True)
def restart_often(server):
    for _ in range(5):
        server.restart(kill=True)
        pipe = Pipe.connect(server.url)
        equal(str(simple(pipe, call(1, users.HEALTH)).replies[1]), "OK")
        pipe.close()


@scenario("a server that drains finishes what it accepted and refuses what is new", ECHO, EACH, own=True)
def drain(server):
    with Channel(server.url) as channel, Channel(server.url) as idle:
        text = os.urandom(4).hex()
        slow = channel.new_id()
        channel.send(calls=[call(slow, echo.SLEEP, echo.sleep(3000, text), LONG_MS)], hold_ms=10000)
        idle_poll = idle.send(hold_ms=10000)
        server.line("ran " + text)
        server.terminate()
        # held frames are answered at once, and say so
        _, response = channel.next_response()
        equal((response.order, response.draining), ([], True))
        equal(idle.response(idle_poll).draining, True)

        late = channel.new_id()
        calls = [call(late, echo.ECHO, echo.echo(text + "-late")), call(channel.new_id(), users.HEALTH)]
        channel.send(calls=calls, hold_ms=10000)
        equal(str(channel.reply(late)), DRAINING)
        health = channel.reply(late + 1)
        equal(users.HEALTH_RESPONSE.decode(health.payload), {"status": users.NOT_SERVING})

        equal(echo.text_of(channel.reply(slow)), text)
        equal(server.count("ran " + text + "-late"), 0)
    equal(server.wait(), 0, "the exit code")


@scenario("a simple client's accepted call is answered while the server drains", ECHO, own=True)
def drain_simple(server):
    pipe, other = Pipe.connect(server.url), Pipe.connect(server.url)
    text = os.urandom(4).hex()
    request_id = pipe.send(wire.request_frame(calls=[call(1, echo.SLEEP, echo.sleep(3000, text), LONG_MS)]))
    server.line("ran " + text)
    server.terminate()
    until = wire.time.monotonic() + 20
    # What was let in just before may be answered OK by a server that drains already.
    while not simple(other, call(1, echo.ECHO)).draining:
        true(wire.time.monotonic() < until, "the drain begins")
    equal(str(simple(other, call(1, echo.ECHO)).replies[1]), DRAINING)
    response = wire.read_response(pipe.recv(request_id))
    equal((str(response.replies[1]), response.draining), ("OK", True))
    pipe.close()
    other.close()
    equal(server.wait(), 0, "the exit code")


@scenario("an idle server stops at SIGTERM, though clients hold pipes and polls", ANY, EACH, own=True)
def stop_idle(server):
    with Channel(server.url) as channel:
        channel.call(users.HEALTH)
        poll = channel.send(hold_ms=10000)
        server.terminate()
        equal(channel.response(poll).draining, True)
        equal(server.wait(), 0, "the exit code")
        true(channel.pipe.closes(), "the pipe is closed")


@scenario("a large last reply arrives before the sockets close", ECHO, EACH, own=True)
def drain_large(server):
    with Channel(server.url) as channel:
        text = os.urandom(4).hex()
        size = server.limits["frame_bytes"] - 200
        channel.send(calls=[call(1, echo.SLEEP, echo.sleep(300, text), LONG_MS)], hold_ms=10000)
        channel.send(calls=[call(2, echo.ECHO, echo.grow(size))], max_response_bytes=0, hold_ms=10000)
        server.line("ran " + text)
        server.line("ran grow")
        server.terminate()
        equal(len(echo.data_of(channel.reply(2))), size)
        equal(str(channel.reply(1)), "OK")
    equal(server.wait(), 0, "the exit code")


@scenario("what is not finished by drain_ms is cancelled, and the server ends", ECHO, options=("--drain-ms", "100"), own=True)
def drain_ends(server):
    with Channel(server.url) as channel:
        text = os.urandom(4).hex()
        channel.send(calls=[call(1, echo.SLEEP, echo.sleep(LONG_MS, text), LONG_MS)], hold_ms=10000)
        server.line("ran " + text)
        server.terminate()
        server.line("cancelled " + text)
        equal(server.wait(), 1, "the exit code: something was left")
