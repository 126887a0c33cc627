"""X25519 (RFC 7748) and ChaCha20-Poly1305 (RFC 8439), slowly and with nothing but integers.

For tests: another implementation than the one in the tree. Not for secrets.
"""

import struct

P = 2**255 - 19
BASE = (9).to_bytes(32, "little")
MASK = 0xFFFFFFFF


def x25519(scalar, point):
    """The shared secret; ValueError where it is all zeroes."""
    k = bytearray(scalar)
    k[0] &= 248
    k[31] = k[31] & 127 | 64
    k = int.from_bytes(k, "little")
    x1 = int.from_bytes(point, "little") % 2**255 % P
    x2, z2, x3, z3 = 1, 0, x1, 1
    swapped = 0
    for bit in reversed(range(255)):
        wanted = k >> bit & 1
        if wanted != swapped:
            x2, z2, x3, z3 = x3, z3, x2, z2
            swapped = wanted
        plus2, minus2, plus3, minus3 = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = plus2 * plus2, minus2 * minus2, minus3 * plus2, plus3 * minus2
        e = aa - bb
        x2, z2 = aa * bb % P, e * (aa + 121665 * e) % P
        x3, z3 = (da + cb) ** 2 % P, x1 * (da - cb) ** 2 % P
    if swapped:
        x2, z2 = x3, z3
    shared = (x2 * pow(z2, P - 2, P) % P).to_bytes(32, "little")
    if not any(shared):
        raise ValueError("a point of low order")
    return shared


def public(secret):
    return x25519(secret, BASE)


def _quarter(s, a, b, c, d):
    for to, by, turn in ((a, b, 16), (c, d, 12), (a, b, 8), (c, d, 7)):
        s[to] = s[to] + s[by] & MASK
        other = d if to == a else b
        mixed = s[other] ^ s[to]
        s[other] = (mixed << turn | mixed >> (32 - turn)) & MASK


def _block(key, counter, nonce):
    start = list(struct.unpack("<16I", b"expand 32-byte k" + key + struct.pack("<I", counter) + nonce))
    s = list(start)
    for _ in range(10):
        for column in range(4):
            _quarter(s, column, 4 + column, 8 + column, 12 + column)
        for column in range(4):
            _quarter(s, column, 4 + (column + 1) % 4, 8 + (column + 2) % 4, 12 + (column + 3) % 4)
    return struct.pack("<16I", *((a + b) & MASK for a, b in zip(s, start)))


def _chacha20(key, nonce, data):
    out = bytearray()
    for at in range(0, len(data), 64):
        stream = _block(key, 1 + at // 64, nonce)
        out += bytes(a ^ b for a, b in zip(data[at : at + 64], stream))
    return bytes(out)


def _poly1305(key, data):
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    s = int.from_bytes(key[16:32], "little")
    total = 0
    for at in range(0, len(data), 16):
        total = (total + int.from_bytes(data[at : at + 16] + b"\x01", "little")) * r % (2**130 - 5)
    return ((total + s) % 2**128).to_bytes(16, "little")


def _tag(key, nonce, clear, sealed):
    def padded(data):
        return data + bytes(-len(data) % 16)
    return _poly1305(_block(key, 0, nonce), padded(clear) + padded(sealed) + struct.pack("<QQ", len(clear), len(sealed)))


def encrypt(key, counter, clear, plain):
    """The ciphertext and its tag, under Noise's nonce."""
    nonce = bytes(4) + struct.pack("<Q", counter)
    sealed = _chacha20(key, nonce, plain)
    return sealed + _tag(key, nonce, clear, sealed)


def decrypt(key, counter, clear, sealed):
    """The plaintext; ValueError where the tag is wrong."""
    nonce = bytes(4) + struct.pack("<Q", counter)
    if len(sealed) < 16 or _tag(key, nonce, clear, sealed[:-16]) != sealed[-16:]:
        raise ValueError("wrong tag")
    return _chacha20(key, nonce, sealed[:-16])
