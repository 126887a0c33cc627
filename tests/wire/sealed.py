"""Pipes that speak in sessions, as docs/wire.md, section 14, has it; for urls of `sealed://`.

`sealed://SECRET.SERVER@HOST:PORT` is tcp to there with the client's secret key and the
server's public one, in hexadecimal: so what takes a url needs to know nothing of keys.
"""

import base64
import hashlib
import os
import struct
import time

import cipher
import noise
import wire
from pb import Malformed


def key_text(prefix, key):
    """A key as it stands in files: docs/security.md, section 2."""
    check = hashlib.sha256(prefix.encode() + key).digest()[:4]
    return prefix + base64.b32encode(key + check).decode().rstrip("=").lower()


def write_private(path, text):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
        file.write(text)


class Keys:
    """A server's key and those that it knows: {name: secret}; as files in @folder."""

    def __init__(self, folder, names=("alice", "bob")):
        self.server = os.urandom(32)
        self.secrets = {name: os.urandom(32) for name in names}
        self.key_path = os.path.join(folder, "server.key")
        self.authorized_path = os.path.join(folder, "authorized_keys")
        write_private(self.key_path, key_text("pipit-sk1_", self.server) + "\n")
        self.authorize(names)

    def authorize(self, names):
        lines = [f"{key_text('pipit-pk1_', cipher.public(self.secrets[n]))} {n} roles=admin\n" for n in names]
        write_private(self.authorized_path, "".join(lines))

    def flags(self):
        return ["--key", self.key_path, "--authorized-keys", self.authorized_path]

    def url(self, tcp_url, secret):
        return f"sealed://{secret.hex()}.{cipher.public(self.server).hex()}@{tcp_url.split('://')[1]}"


class SealedPipe(wire.Pipe):
    """A pipe with a session: requests leave sealed, responses are opened; all else goes as it is."""

    @classmethod
    def open(cls, url, handshake=None):
        keys, address = url.split("://")[1].split("@")
        secret, server = (bytes.fromhex(key) for key in keys.split("."))
        pipe = wire.Pipe.connect("tcp://" + address, handshake, kind=cls)
        pipe.secret, pipe.server, pipe.under_way = secret, server, {}
        if handshake is None:
            pipe.shake()
        return pipe

    def shake(self, payload=None, ephemeral=None):
        """A new session for what is sent from here on; answers still come in those before."""
        initiator = noise.Initiator(self.secret, self.server, ephemeral)
        hello = noise.HELLO + initiator.first(payload or noise.hello(int(time.time() * 1e6)))
        frame = self.recv(super().send(hello))
        if frame[:4] != noise.WELCOME:
            wire.read_response(frame)
        welcome = initiator.second(frame[4:])
        self.session_id, self.seals, self.opens = welcome[:16], initiator.send, initiator.receive
        self.counter = 0
        return welcome

    def seal(self, body):
        """A sealed request, and its counter."""
        counter, self.counter = self.counter, self.counter + 1
        return noise.seal(noise.SEALED_REQUEST, self.session_id, self.seals, counter, 0, body), counter

    def send(self, frame):
        if frame[:4] != wire.HEADER + bytes([wire.REQUEST]):
            return super().send(frame)
        sealed, counter = self.seal(frame[4:])
        request_id = super().send(sealed)
        self.under_way[request_id] = (self.session_id, self.opens, counter)
        return request_id

    def _take(self, until):
        before = set(self.answers)
        super()._take(until)
        for request_id in set(self.answers) - before:
            frame = self.answers[request_id]
            if frame[:4] != noise.SEALED_RESPONSE:
                if frame[:4] == wire.HEADER + bytes([wire.RESPONSE]):
                    raise Malformed("a plain response")
                continue
            if request_id not in self.under_way:
                continue  # its sender opens it
            session_id, key, counter = self.under_way.pop(request_id)
            _, got_id, _, in_reply_to, body = noise.open_sealed(frame, key)
            if got_id != session_id or in_reply_to != counter:
                raise Malformed("the answer to another request")
            self.answers[request_id] = wire.HEADER + bytes([wire.RESPONSE]) + body


wire.SCHEMES["sealed"] = SealedPipe.open


def reject_of(frame):
    """The reject that @frame is."""
    try:
        wire.read_response(frame)
    except wire.Rejected as reject:
        return reject
    raise AssertionError(f"no reject: {frame[:4].hex(' ')}, {len(frame)} bytes")


def little_endian(frame, offset, width):
    return struct.unpack({2: "<H", 4: "<I", 8: "<Q"}[width], frame[offset : offset + width])[0]
