"""A full client of docs/wire.md, one step at a time, so that tests choose each step."""

import os
import time

import wire


class Channel:
    """One client_id and the pipe that it uses now; counts its ids upward."""

    def __init__(self, url, client_id=None):
        self.url = url
        self.client_id = client_id or os.urandom(16)
        self.pipe = wire.Pipe.connect(url)
        self.last_id = 0
        self.replies = {}
        self.instance = None

    def new_id(self):
        self.last_id += 1
        return self.last_id

    def reconnect(self):
        self.pipe.close()
        self.pipe = wire.Pipe.connect(self.url)

    def close(self):
        self.pipe.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, **fields):
        """Sends a Request; returns its request id."""
        return self.pipe.send(wire.request_frame(client_id=self.client_id, **fields))

    def start(self, method, payload=b"", timeout_ms=0, metadata=(), **fields):
        """Sends one call in a frame of its own: (call id, request id)."""
        call_id = self.new_id()
        one = wire.call(call_id, method, payload, timeout_ms, metadata)
        return call_id, self.send(calls=[one], **fields)

    def held(self, **fields):
        """Sends a Request, and returns when the server has had time to hold it.

        Frames that are sent back to back may be taken up in any order: who
        wants to know the oldest sends the next one later.
        """
        request_id = self.send(**fields)
        for _ in range(3):
            simple(self.pipe)
        return request_id

    def response(self, request_id, timeout=20):
        """The Response to one frame; its replies are kept in .replies too."""
        return self._take(self.pipe.recv(request_id, timeout))

    def next_response(self, timeout=20):
        """(request id, Response) of the next frame that is answered."""
        request_id, frame = self.pipe.recv_any(timeout)
        return request_id, self._take(frame)

    def reply(self, call_id, timeout=20):
        """The Reply to a call, polling for it."""
        until = time.monotonic() + timeout
        poll = None
        while call_id not in self.replies:
            if time.monotonic() > until:
                raise wire.TimedOut
            if poll is None:
                poll = self.send()
            request_id, _ = self.next_response(timeout)
            poll = None if request_id == poll else poll
        return self.replies.pop(call_id)

    def call(self, method, payload=b"", **options):
        call_id, request_id = self.start(method, payload, **options)
        self.response(request_id)
        return self.reply(call_id)

    def _take(self, frame):
        response = wire.read_response(frame)
        for call_id, reply in response.replies.items():
            if call_id in self.replies:
                raise AssertionError(f"a second reply to {call_id}")
            self.replies[call_id] = reply
        self.instance = response.instance
        return response


def simple(pipe, *calls, timeout=20):
    """A simple client's frame and its Response."""
    return wire.read_response(pipe.recv(pipe.send(wire.request_frame(calls=list(calls))), timeout))


def rejected(pipe, frame, timeout=20):
    """The reject that @frame is answered by."""
    try:
        response = wire.read_response(pipe.recv(pipe.send(frame), timeout))
    except wire.Rejected as reject:
        return reject
    raise AssertionError("not rejected: %s" % {i: str(r) for i, r in response.replies.items()})
