"""A server of docs/wire.md that does what a script tells it, right or wrong."""

import os
import selectors
import shutil
import socket
import struct
import tempfile
import threading
import time

import echo
import wire
from pb import Malformed

RESPONSE_HEADER = wire.HEADER + bytes([wire.RESPONSE])
SP_REP = b"\0SP\0\0\x31\0\0"


def ok(call_id, text):
    """A Reply that says @text."""
    return {"id": call_id, "payload": echo.echo(text)}


def failed(call_id, code, reason=None, ran=None, domain="pipit"):
    """A Reply with a status; without @reason it has no ErrorInfo."""
    status = {"code": code, "message": "as the script wants"}
    if reason:
        info = {"reason": reason, "domain": domain}
        if ran:
            info["metadata"] = [{"key": "ran", "value": ran}]
        value = wire.ERROR_INFO.encode(**info)
        status["details"] = [{"type_url": wire.TYPE_URL + "ErrorInfo", "value": value}]
    return {"id": call_id, "status": status}


def response(*replies, instance, **fields):
    body = wire.RESPONSE_MESSAGE.encode(replies=list(replies), instance=instance, **fields)
    return RESPONSE_HEADER + body


def reject(code, retry_ms=0, detail=0):
    return wire.HEADER + bytes([wire.REJECT]) + struct.pack("<HII", code, retry_ms, detail)


class Frame:
    """A request, as it came in."""

    def __init__(self, rogue, peer, request_id, body):
        self.rogue, self.peer, self.request_id = rogue, peer, request_id
        if body[:4] != wire.HEADER + bytes([wire.REQUEST]):
            raise Malformed("not a plain request")
        self.request = wire.REQUEST_MESSAGE.decode(body[4:])
        self.calls = {one["id"]: one for one in self.request.get("calls", [])}
        self.awaits = self.request.get("awaits", [])
        self.cancels = self.request.get("cancels", [])

    def text(self, call_id):
        return echo.REQUEST.decode(self.calls[call_id].get("payload", b"")).get("text", "")

    def raw(self, octets):
        """Answers with these bytes in the place of a frame."""
        self.peer.message(struct.pack(">I", self.request_id) + octets)

    def answer(self, *replies, **fields):
        fields.setdefault("instance", self.rogue.instance)
        self.raw(response(*replies, **fields))

    def answer_calls(self):
        self.answer(*[ok(call_id, self.text(call_id)) for call_id in self.calls])

    def close(self):
        self.peer.close()


class Peer:
    """One connection of a client."""

    def __init__(self, rogue, sock):
        self.rogue, self.sock = rogue, sock
        self.buffer = bytearray()
        self.shook_hands = False
        self.open = True

    def write(self, octets):
        try:
            self.sock.sendall(octets)
        except OSError:
            self.close()

    def message(self, message):
        self.write(b"\1" + struct.pack(">Q", len(message)) + message)

    def close(self):
        if self.open:
            self.open = False
            self.rogue.forget(self)
            self.sock.close()

    def readable(self):
        try:
            octets = self.sock.recv(1 << 20)
        except OSError:
            octets = b""
        if not octets:
            self.close()
            return
        self.buffer += octets
        if not self.shook_hands and len(self.buffer) >= 8:
            if self.buffer[:8] != b"\0SP\0\0\x30\0\0":
                raise Malformed("the client's SP handshake")
            self.shook_hands = True
            del self.buffer[:8]
        while self.shook_hands and self.open and len(self.buffer) >= 9:
            length = struct.unpack(">Q", self.buffer[1:9])[0]
            if len(self.buffer) < 9 + length:
                break
            message = bytes(self.buffer[9 : 9 + length])
            del self.buffer[: 9 + length]
            self.rogue.received(self, message)


class Rogue:
    """Listens on an ipc address; on_frame(frame) and on_accept(peer) are the script's.

    Both run on the thread of the server. on_accept sends the SP handshake, or not.
    """

    def __init__(self, on_frame, on_accept=None):
        self.on_frame = on_frame
        self.on_accept = on_accept or (lambda peer: peer.write(SP_REP))
        self.instance = int.from_bytes(os.urandom(8), "little") | 1
        self.client_ids, self.ids = set(), []
        self.held, self.n_accepted, self.failure = [], 0, None
        self.folder = tempfile.mkdtemp(prefix="pipit-rogue-")
        self.path = os.path.join(self.folder, "s.sock")
        self.url = "ipc://" + self.path
        self.selector = selectors.DefaultSelector()
        self.wake_r, self.wake_w = os.pipe()
        self.selector.register(self.wake_r, selectors.EVENT_READ, None)
        self.listener = None
        self.peers, self.timers, self.orders = [], [], []
        self.listen()
        self.ends = False
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def listen(self):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(64)
        self.selector.register(self.listener, selectors.EVENT_READ, self)

    def unlisten(self):
        """Nobody is there any more: the address is free, as after a crash."""
        if self.listener:
            self.selector.unregister(self.listener)
            self.listener.close()
            os.unlink(self.path)
            self.listener = None
        for peer in list(self.peers):
            peer.close()

    def become_another(self):
        self.instance = int.from_bytes(os.urandom(8), "little") | 1

    def later(self, seconds, function):
        self.timers.append((time.monotonic() + seconds, function))

    def order(self, function):
        """Has @function run on the server's thread."""
        self.orders.append(function)
        os.write(self.wake_w, b"x")

    def until(self, predicate, timeout=30):
        """Waits for the script to get there."""
        with self.changed:
            if not self.changed.wait_for(predicate, timeout):
                raise self.failure or AssertionError("the client did not do what was waited for")

    def hold(self, frame):
        """Keeps a frame, as servers do, for release() to answer."""
        self.held.append(frame)

    def release(self, *replies, **fields):
        """Answers the oldest frame that is held on a pipe that is still open."""
        while self.held:
            frame = self.held.pop(0)
            if frame.peer.open:
                frame.answer(*replies, **fields)
                return True
        return False

    def forget(self, peer):
        self.selector.unregister(peer.sock)
        self.peers.remove(peer)

    def received(self, peer, message):
        frame = Frame(self, peer, struct.unpack(">I", message[:4])[0], message[4:])
        if not frame.request_id & 0x80000000:
            raise Malformed("no end of the words")
        self.client_ids.add(frame.request.get("client_id"))
        for call_id in frame.calls:
            if call_id == 0 or call_id in self.ids:
                raise Malformed(f"the client used the id {call_id} twice")
            self.ids.append(call_id)
        self.on_frame(frame)

    def _run(self):
        while not self.ends:
            now = time.monotonic()
            due = [timer for timer in self.timers if timer[0] <= now]
            self.timers = [timer for timer in self.timers if timer[0] > now]
            try:
                for _, function in due:
                    function()
                wait = min((timer[0] - now for timer in self.timers), default=1)
                for key, _ in self.selector.select(max(wait, 0)):
                    self._ready(key)
            except Exception as error:  # pylint: disable=broad-except
                self.failure = self.failure or error
            with self.changed:
                self.changed.notify_all()

    def _ready(self, key):
        if key.data is None:
            os.read(self.wake_r, 4096)
            orders, self.orders = self.orders, []
            for function in orders:
                function()
        elif key.data is self:
            if key.fileobj is not self.listener:  # an order that came at the same moment closed it
                return
            sock, _ = self.listener.accept()
            self.n_accepted += 1
            peer = Peer(self, sock)
            self.peers.append(peer)
            self.selector.register(sock, selectors.EVENT_READ, peer)
            self.on_accept(peer)
        elif key.data.open:
            key.data.readable()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        def end():
            self.ends = True

        self.order(end)
        self.thread.join()
        self.unlisten()
        self.selector.close()
        os.close(self.wake_r)
        os.close(self.wake_w)
        shutil.rmtree(self.folder, ignore_errors=True)
