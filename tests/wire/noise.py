"""Sessions as docs/wire.md specifies them: Noise IK, hello, welcome, sealed frames.

Written from that page and the Noise specification, beside the C code and not from it.
"""

import hashlib
import hmac
import os
import struct

import cipher

PROTOCOL = b"Noise_IK_25519_ChaChaPoly_SHA256"
HELLO, WELCOME, SEALED_REQUEST, SEALED_RESPONSE = (b"PI\x01" + bytes([kind]) for kind in (1, 2, 3, 4))
PROLOGUE = b"pipit.v1.session" + HELLO + WELCOME


def hkdf(chaining_key, material):
    once = hmac.digest(chaining_key, material, "sha256")
    first = hmac.digest(once, b"\x01", "sha256")
    return first, hmac.digest(once, first + b"\x02", "sha256")


class Symmetric:
    def __init__(self):
        self.hash = self.chaining_key = PROTOCOL
        self.key = None

    def mix_hash(self, data):
        self.hash = hashlib.sha256(self.hash + data).digest()

    def agree(self, secret, public):
        self.chaining_key, self.key = hkdf(self.chaining_key, cipher.x25519(secret, public))

    def encrypt(self, plain):
        sealed = cipher.encrypt(self.key, 0, self.hash, plain)
        self.mix_hash(sealed)
        return sealed

    def decrypt(self, sealed):
        plain = cipher.decrypt(self.key, 0, self.hash, sealed)
        self.mix_hash(sealed)
        return plain


class Initiator:
    def __init__(self, secret, remote, ephemeral=None, prologue=PROLOGUE):
        self.secret, self.remote = secret, remote
        self.ephemeral = ephemeral or os.urandom(32)
        self.state = Symmetric()
        self.state.mix_hash(prologue)
        self.state.mix_hash(remote)

    def first(self, payload):
        own = cipher.public(self.ephemeral)
        self.state.mix_hash(own)
        self.state.agree(self.ephemeral, self.remote)
        static = self.state.encrypt(cipher.public(self.secret))
        self.state.agree(self.secret, self.remote)
        return own + static + self.state.encrypt(payload)

    def second(self, message):
        """The payload; then send and receive keys are there."""
        self.state.mix_hash(message[:32])
        self.state.agree(self.ephemeral, message[:32])
        self.state.agree(self.secret, message[:32])
        payload = self.state.decrypt(message[32:])
        self.send, self.receive = hkdf(self.state.chaining_key, b"")
        return payload


class Responder:
    def __init__(self, secret, ephemeral=None, prologue=PROLOGUE):
        self.secret = secret
        self.ephemeral = ephemeral or os.urandom(32)
        self.state = Symmetric()
        self.state.mix_hash(prologue)
        self.state.mix_hash(cipher.public(secret))

    def first(self, message):
        self.remote_ephemeral = message[:32]
        self.state.mix_hash(message[:32])
        self.state.agree(self.secret, message[:32])
        self.remote = self.state.decrypt(message[32:80])
        self.state.agree(self.secret, self.remote)
        return self.state.decrypt(message[80:])

    def second(self, payload):
        own = cipher.public(self.ephemeral)
        self.state.mix_hash(own)
        self.state.agree(self.ephemeral, self.remote_ephemeral)
        self.state.agree(self.ephemeral, self.remote)
        sealed = self.state.encrypt(payload)
        self.receive, self.send = hkdf(self.state.chaining_key, b"")
        return own + sealed


def hello(time_us=0, max_frame=1 << 20, proto_min=1, proto_max=1, features=0):
    return struct.pack("<QIHHQ", time_us, max_frame, proto_min, proto_max, features)


def welcome(session_id, max_frame=1 << 20, proto=1, max_inflight=64, rekey_s=120, reject_s=180, features=0):
    return session_id + struct.pack("<IHHIIQ", max_frame, proto, max_inflight, rekey_s, reject_s, features)


def seal(kind, session_id, key, counter, in_reply_to, body, flags=0):
    clear = kind + session_id + struct.pack("<Q", counter)
    plain = kind[3:] + bytes([flags]) + struct.pack("<Q", in_reply_to) + body
    return clear + cipher.encrypt(key, counter, clear, plain)


def open_sealed(frame, key):
    """(kind, session id, counter, in_reply_to, body); ValueError where it was not sealed so."""
    clear, counter = frame[:28], struct.unpack("<Q", frame[20:28])[0]
    plain = cipher.decrypt(key, counter, clear, frame[28:])
    if plain[:1] != clear[3:4]:
        raise ValueError("another kind inside")
    return clear[:4], clear[4:20], counter, struct.unpack("<Q", plain[2:10])[0], plain[10:]
