"""docs/wire.md in Python: transport, frames and messages, over plain sockets.

Written from that page alone; knows no nng and no protobuf library.
"""

import os
import select
import socket
import struct
import time

from pb import Malformed, Message

REQ, REP = 0x30, 0x31
HEADER = b"PI\x01"
HELLO, WELCOME, SEALED_REQUEST, SEALED_RESPONSE, REJECT, REQUEST, RESPONSE = 1, 2, 3, 4, 5, 16, 17

REJECTS = {1: "BAD_FRAME", 2: "VERSION", 3: "TOO_LARGE", 4: "NO_SESSION", 5: "DENIED", 6: "BUSY"}
REJECT_CODES = {name: code for code, name in REJECTS.items()}
STATUSES = (
    "OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS "
    "PERMISSION_DENIED RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED "
    "INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED"
).split()

ANY = Message(type_url=(1, "string"), value=(2, "bytes"))
STATUS = Message(code=(1, "int"), message=(2, "string"), details=(3, [ANY]))
ERROR_INFO = Message(
    reason=(1, "string"),
    domain=(2, "string"),
    metadata=(3, [Message(key=(1, "string"), value=(2, "string"))]),
)
VIOLATION = Message(field=(1, "string"), description=(2, "string"))
BAD_REQUEST = Message(field_violations=(1, [VIOLATION]))
METADATA = Message(key=(1, "string"), value=(2, "bytes"))
CALL = Message(
    id=(1, "uint"),
    method=(2, "string"),
    payload=(3, "bytes"),
    timeout_ms=(4, "uint"),
    metadata=(5, [METADATA]),
)
REQUEST_MESSAGE = Message(
    client_id=(1, "bytes"),
    calls=(2, [CALL]),
    awaits=(3, ["uint"]),
    cancels=(4, ["uint"]),
    hold_ms=(5, "uint"),
    held_max=(6, "uint"),
    max_response_bytes=(7, "uint"),
)
REPLY = Message(
    id=(1, "uint"),
    status=(2, STATUS),
    payload=(3, "bytes"),
    metadata=(4, [METADATA]),
)
RESPONSE_MESSAGE = Message(replies=(1, [REPLY]), instance=(2, "fixed64"), draining=(3, "bool"))

TYPE_URL = "type.googleapis.com/google.rpc."


# How a url of another scheme than ipc and tcp is connected to.
SCHEMES = {}


class Closed(Exception):
    """The peer closed the pipe."""


class TimedOut(Exception):
    """Nothing came in time: what a healthy peer never lets happen."""


class Rejected(Exception):
    """The frame was answered by a reject."""

    def __init__(self, code, retry_ms, detail):
        super().__init__(REJECTS.get(code, str(code)))
        self.code, self.retry_ms, self.detail = code, retry_ms, detail
        self.name = REJECTS.get(code, "UNKNOWN")


class Pipe:
    """One connection, either side of it, from its handshake on."""

    def __init__(self, sock, ipc, protocol=REQ, handshake=None):
        self.socket, self.ipc = sock, ipc
        self.buffer = bytearray()
        self.next_id = int.from_bytes(os.urandom(3), "big")
        self.answers = {}
        self.write(b"\0SP\0" + struct.pack(">HH", protocol, 0) if handshake is None else handshake)

    @classmethod
    def connect(cls, url, handshake=None, kind=None):
        scheme, address = url.split("://", 1)
        if scheme in SCHEMES:
            return SCHEMES[scheme](url, handshake)
        if scheme == "ipc":
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(address)
        else:
            host, port = address.rsplit(":", 1)
            sock = socket.create_connection((host, int(port)))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pipe = (kind or cls)(sock, scheme == "ipc", REQ, handshake)
        if handshake is None:
            pipe.check_handshake(REP)
        return pipe

    def check_handshake(self, peer, timeout=10):
        if self.read(8, time.monotonic() + timeout) != b"\0SP\0" + struct.pack(">HH", peer, 0):
            raise Malformed("SP handshake")

    def write(self, octets):
        try:
            self.socket.sendall(octets)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise Closed from error

    def read(self, count, until):
        while len(self.buffer) < count:
            left = until - time.monotonic()
            if left < 0 or not select.select([self.socket], [], [], left)[0]:
                raise TimedOut
            try:
                octets = self.socket.recv(1 << 20)
            except ConnectionResetError as error:
                raise Closed from error
            if not octets:
                raise Closed
            self.buffer += octets
        taken = bytes(self.buffer[:count])
        del self.buffer[:count]
        return taken

    def send_message(self, message):
        self.write((b"\1" if self.ipc else b"") + struct.pack(">Q", len(message)) + message)

    def recv_message(self, timeout=20):
        until = time.monotonic() + timeout
        if self.ipc and self.read(1, until) != b"\1":
            raise Malformed("ipc framing")
        return self.read(struct.unpack(">Q", self.read(8, until))[0], until)

    def send(self, frame):
        """Sends @frame as a request; returns the request id that its answer will have."""
        self.next_id = self.next_id + 1 & 0x7FFFFFFF
        self.send_message(struct.pack(">I", 0x80000000 | self.next_id) + frame)
        return self.next_id

    def recv(self, request_id, timeout=20):
        """The frame that answers @request_id; other answers are kept for who asks for them."""
        until = time.monotonic() + timeout
        while request_id not in self.answers:
            self._take(until)
        return self.answers.pop(request_id)

    def recv_any(self, timeout=20):
        """(request id, frame) of the next answer, whichever it is."""
        if not self.answers:
            self._take(time.monotonic() + timeout)
        request_id = next(iter(self.answers))
        return request_id, self.answers.pop(request_id)

    def answered(self, request_id):
        """Whether the answer of @request_id is here already; waits for nothing."""
        try:
            while request_id not in self.answers:
                self._take(time.monotonic())
        except TimedOut:
            return False
        return True

    def _take(self, until):
        message = self.recv_message(max(until - time.monotonic(), 0))
        word = struct.unpack(">I", message[:4])[0]
        if not word & 0x80000000 or word & 0x7FFFFFFF in self.answers:
            raise Malformed("an answer to nothing, or a second one")
        self.answers[word & 0x7FFFFFFF] = message[4:]

    def closes(self, timeout=20):
        """Waits for the peer to close; True when it did."""
        until = time.monotonic() + timeout
        try:
            while True:
                self._take(until)
        except Closed:
            return True
        except TimedOut:
            return False

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def read_response(frame):
    """A server's frame as a Response; raises Rejected or Malformed."""
    if frame[:3] != HEADER:
        raise Malformed("frame header")
    if frame[3] == REJECT:
        if len(frame) != 14:
            raise Malformed("reject of %d bytes" % len(frame))
        raise Rejected(*struct.unpack("<HII", frame[4:]))
    if frame[3] != RESPONSE:
        raise Malformed("kind %#x" % frame[3])
    return Response(RESPONSE_MESSAGE.decode(frame[4:]), len(frame))


class Response:
    """A pipit.v1.Response: replies by id."""

    def __init__(self, message, frame_bytes):
        self.frame_bytes = frame_bytes
        self.instance = message.get("instance", 0)
        self.draining = message.get("draining", False)
        self.order = [reply.get("id", 0) for reply in message.get("replies", [])]
        self.replies = {reply.get("id", 0): Reply(reply) for reply in message.get("replies", [])}
        if len(self.order) != len(self.replies):
            raise Malformed("two replies of one id")


class Reply:
    """A pipit.v1.Reply: how one call ended."""

    def __init__(self, message):
        status = message.get("status", {})
        code = status.get("code", 0)
        self.status = STATUSES[code] if 0 <= code < len(STATUSES) else "UNKNOWN"
        self.payload = message.get("payload", b"")
        self.metadata = [(m.get("key", ""), m.get("value", b"")) for m in message.get("metadata", [])]
        self.message = status.get("message", "")
        self.reason, self.domain, self.ran = "", "", "ran"
        self.violations = []
        for detail in status.get("details", []):
            self._detail(detail.get("type_url", ""), detail.get("value", b""))

    def _detail(self, type_url, value):
        if type_url == TYPE_URL + "ErrorInfo":
            info = ERROR_INFO.decode(value)
            self.reason, self.domain = info.get("reason", ""), info.get("domain", "")
            for entry in info.get("metadata", []):
                if entry.get("key") == "ran":
                    self.ran = entry.get("value", "")
        elif type_url == TYPE_URL + "BadRequest":
            for violation in BAD_REQUEST.decode(value).get("field_violations", []):
                self.violations.append(violation.get("field", ""))

    def __str__(self):
        return self.status if self.status == "OK" else f"{self.status}/{self.reason}/{self.ran}"


def request_frame(**fields):
    return HEADER + bytes([REQUEST]) + REQUEST_MESSAGE.encode(**fields)


def call(call_id, method, payload=b"", timeout_ms=0, metadata=()):
    """A Call's fields; absent ones are left out."""
    fields = {"id": call_id, "method": method, "payload": payload}
    if timeout_ms:
        fields["timeout_ms"] = timeout_ms
    if metadata:
        fields["metadata"] = [{"key": k, "value": v} for k, v in metadata]
    return fields
