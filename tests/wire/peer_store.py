#!/usr/bin/env python3
"""A full client of docs/wire.md against usersd on PostgreSQL.

    peer_store.py USERSD STORE-URL CONNINFO

peer.py asks usersd for what is fast. Here calls are as slow as the test likes:
the table is locked meanwhile, by a session of psql's.
"""

import os
import subprocess
import sys

import users
from channel import Channel, rejected
from harness import Report, Server, equal, true
from wire import call, request_frame

LONG_MS = 60000
EVER_MS = 10000  # of hold_ms, which is capped there
NOT_RECEIVED = "UNAVAILABLE/CALL_NOT_RECEIVED/not_run"
DRAINING = "UNAVAILABLE/DRAINING/not_run"


class Table:
    """The users, and the lock on them."""

    def __init__(self, conninfo):
        self.psql = subprocess.Popen(["psql", "-qAtX", "-d", conninfo], text=True, bufsize=1,
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def run(self, sql):
        """The first line that it prints."""
        self.psql.stdin.write(f"{sql}\n")
        return self.psql.stdout.readline().strip()

    def lock(self):
        equal(self.run("begin; lock table users in access exclusive mode; select 'locked';"), "locked")

    def unlock(self):
        equal(self.run("commit; select 'free';"), "free")

    def n_users(self, email):
        return int(self.run(f"select count(*) from users where email = '{email}';"))

    def close(self):
        self.psql.stdin.close()
        self.psql.wait()
        self.psql.stdout.close()


def new_email():
    return os.urandom(8).hex() + "@example.com"


def create(call_id, email):
    return call(call_id, users.CREATE, users.create(email), LONG_MS)


def creating(channel, email, **fields):
    """Starts a CreateUser, slow while the table is locked, and a fast call with it, whose answer it takes."""
    slow, fast = channel.new_id(), channel.new_id()
    response = channel.response(channel.send(calls=[create(slow, email), call(fast, users.HEALTH)], **fields))
    equal(response.order, [fast], "replies beside the slow call")
    return slow


def email_of(reply):
    equal(str(reply), "OK")
    return users.USER.decode(reply.payload)["email"]


def partial_replies(server, table):
    with Channel(server.url) as channel:
        email = new_email()
        table.lock()
        slow = creating(channel, email)
        poll = channel.held(hold_ms=EVER_MS)
        true(not channel.pipe.answered(poll), "the poll is held")
        table.unlock()
        request_id, response = channel.next_response()
        equal((request_id, response.order), (poll, [slow]))
        equal(email_of(response.replies[slow]), email)


def oldest_held(server, table):
    with Channel(server.url) as channel:
        table.lock()
        slow = creating(channel, new_email())
        oldest = channel.held(hold_ms=EVER_MS)
        newer = channel.held(hold_ms=EVER_MS)
        table.unlock()
        request_id, response = channel.next_response()
        equal((request_id, response.order), (oldest, [slow]))
        true(not channel.pipe.answered(newer), "the newer one is still held")


def held_max(server, table):
    with Channel(server.url) as channel:
        table.lock()
        slow = creating(channel, new_email())
        oldest = channel.held(hold_ms=EVER_MS, held_max=1)
        channel.send(hold_ms=EVER_MS, held_max=1)
        request_id, response = channel.next_response()
        equal((request_id, response.order), (oldest, []))
        table.unlock()
        equal(str(channel.reply(slow)), "OK")


def cancel_first(server, table):
    with Channel(server.url) as channel:
        email, other_email = new_email(), new_email()
        late, other = channel.new_id(), channel.new_id()
        equal(channel.response(channel.send(cancels=[late], hold_ms=EVER_MS)).order, [])
        channel.send(calls=[create(late, email), create(other, other_email)])
        equal(email_of(channel.reply(other)), other_email)
        equal((table.n_users(email), table.n_users(other_email)), (0, 1))


def await_unknown(server, table):
    with Channel(server.url) as channel:
        email, other_email = new_email(), new_email()
        lost, other = channel.new_id(), channel.new_id()
        response = channel.response(channel.send(awaits=[lost], hold_ms=EVER_MS))
        equal({i: str(r) for i, r in response.replies.items()}, {lost: NOT_RECEIVED})
        channel.replies.clear()
        channel.send(calls=[create(lost, email), create(other, other_email)])
        equal(email_of(channel.reply(other)), other_email)
        equal((table.n_users(email), table.n_users(other_email)), (0, 1))


def await_on_new_pipe(server, table):
    with Channel(server.url) as channel:
        email = new_email()
        table.lock()
        slow = creating(channel, email)
        channel.reconnect()
        awaiting = channel.held(awaits=[slow], hold_ms=EVER_MS)
        true(not channel.pipe.answered(awaiting), "it is under way")
        table.unlock()
        request_id, response = channel.next_response()
        equal((request_id, response.order), (awaiting, [slow]))
        equal(email_of(response.replies[slow]), email)


def other_client(server, table):
    with Channel(server.url) as mine, Channel(server.url) as other:
        email = new_email()
        table.lock()
        slow = creating(mine, email)
        equal(other.response(other.send(cancels=[slow], hold_ms=EVER_MS)).order, [])
        lost = slow + 100
        equal(str(other.response(other.send(awaits=[lost], hold_ms=EVER_MS)).replies[lost]), NOT_RECEIVED)
        table.unlock()
        equal(email_of(mine.reply(slow)), email)
        equal(table.n_users(email), 1)


def duplicates(server, table):
    with Channel(server.url) as channel:
        email, again = new_email(), new_email()
        table.lock()
        running = creating(channel, email)
        twice = channel.new_id()
        for ids in ((running,), (twice, twice)):
            frame = request_frame(client_id=channel.client_id, calls=[create(n, again) for n in ids])
            equal(rejected(channel.pipe, frame).name, "BAD_FRAME")
        table.unlock()
        equal(email_of(channel.reply(running)), email)
        equal((table.n_users(email), table.n_users(again)), (1, 0))


def large_reply(server, table):
    columns = "id, email, email_key, name, age, create_time_us, update_time_us, version"
    values = "gen_random_uuid(), n || '@example.com', n || '@example.com', repeat('n', 50), 1, 1, 1, 1"
    table.run(f"insert into users ({columns}) select {values} from generate_series(1, 1000) n; select 'there';")
    with Channel(server.url) as channel:
        payload = users.LIST_REQUEST.encode(page_size=1000)
        call_id, request_id = channel.start(users.LIST, payload, max_response_bytes=65536)
        while call_id not in channel.replies:
            channel.response(request_id)
        equal(str(channel.replies[call_id]), "RESOURCE_EXHAUSTED/RESPONSE_TOO_LARGE/ran")
        whole = users.LIST_RESPONSE.decode(channel.call(users.LIST, payload).payload)
        equal(len(whole["users"]), 1000)


def drain(server, table):
    with Channel(server.url) as channel:
        email, late_email = new_email(), new_email()
        table.lock()
        slow = creating(channel, email)
        poll = channel.held(hold_ms=EVER_MS)
        server.terminate()
        request_id, response = channel.next_response()
        equal((request_id, response.order, response.draining), (poll, [], True))
        late = channel.new_id()
        channel.send(calls=[create(late, late_email)], hold_ms=EVER_MS)
        equal(str(channel.reply(late)), DRAINING)
        channel.send(hold_ms=EVER_MS)
        table.unlock()
        equal(email_of(channel.reply(slow)), email)
    equal(server.wait(), 0, "the exit code")
    equal((table.n_users(email), table.n_users(late_email)), (1, 0))


SCENARIOS = [
    ("a slow call does not hold up the fast one of its frame, and comes with the next", partial_replies),
    ("polls are held, and the oldest is answered when something is ready", oldest_held),
    ("over held_max the oldest frame is answered at once, with nothing", held_max),
    ("a cancel that comes before its call keeps it from running", cancel_first),
    ("an await of an unknown call is CALL_NOT_RECEIVED, and its late copy never runs", await_unknown),
    ("the call of an await on a new pipe is answered there", await_on_new_pipe),
    ("another client_id sees and cancels nothing of the first", other_client),
    ("an id twice, or one that is known, rejects the frame, and nothing of it runs", duplicates),
    ("a reply over max_response_bytes is RESPONSE_TOO_LARGE, ran", large_reply),
    ("a server that drains finishes what it accepted and refuses what is new", drain),
]


def main():
    usersd, store, conninfo = sys.argv[1:]
    subprocess.run([usersd, "migrate", "--store", store], check=True, stdout=subprocess.DEVNULL)
    table = Table(conninfo)
    report = Report()
    with Server([usersd, "serve", "--store", store]) as server:
        for sentence, function in SCENARIOS:
            report.run(f"{sentence} (usersd)", function, server, table)
    table.close()
    report.exit()


if __name__ == "__main__":
    main()
