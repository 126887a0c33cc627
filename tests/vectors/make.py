#!/usr/bin/env python3
"""Test vectors of sessions, made by tests/wire/noise.py.

    make.py > sessions.json       writes them
    make.py --check FILE          says whether FILE is what would be written

Keys are hashes of their names: the same in every run. Numbers are strings, for
readers whose integers have fewer than 64 bits.
"""

import hashlib
import json
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "wire"))
import cipher  # pylint: disable=wrong-import-position
import noise  # pylint: disable=wrong-import-position

COUNTERS = (0, 1, 2, 63, 64, 8191, 8192, 2**32, 2**63, 2**64 - 8194)


def named(name):
    return hashlib.sha256(b"pipit test vector " + name.encode()).digest()


def session(name, hello, welcome):
    client_key, server_key = named(name + " client"), named(name + " server")
    client = noise.Initiator(client_key, cipher.public(server_key), named(name + " client ephemeral"))
    server = noise.Responder(server_key, named(name + " server ephemeral"))
    session_id = named(name + " session")[:16]
    hello_frame = noise.HELLO + client.first(noise.hello(**hello))
    assert server.first(hello_frame[4:]) == noise.hello(**hello)
    welcome_frame = noise.WELCOME + server.second(noise.welcome(session_id, **welcome))
    assert client.second(welcome_frame[4:]) == noise.welcome(session_id, **welcome)
    assert (client.send, client.receive) == (server.receive, server.send)

    sealed = []
    for i, counter in enumerate(COUNTERS):
        body = named(f"{name} body {i}") * (i + 1)
        body = body[: i * 37]
        sealed.append({"by": "client", "counter": str(counter), "in_reply_to": "0", "body": body.hex(),
                       "frame": noise.seal(noise.SEALED_REQUEST, session_id, client.send, counter, 0, body).hex()})
        sealed.append({"by": "server", "counter": str(i), "in_reply_to": str(counter), "body": body[::-1].hex(),
                       "frame": noise.seal(noise.SEALED_RESPONSE, session_id, server.send, i, counter, body[::-1]).hex()})
    return {
        "name": name,
        "client_static": client_key.hex(), "client_ephemeral": client.ephemeral.hex(),
        "server_static": server_key.hex(), "server_ephemeral": server.ephemeral.hex(),
        "server_public": cipher.public(server_key).hex(),
        "session_id": session_id.hex(),
        "hello": {name: str(value) for name, value in hello.items()},
        "welcome": {name: str(value) for name, value in welcome.items()},
        "hello_frame": hello_frame.hex(), "welcome_frame": welcome_frame.hex(),
        "handshake_hash": client.state.hash.hex(),
        "client_key": client.send.hex(), "server_key": server.send.hex(),
        "sealed": sealed,
    }


def main():
    sessions = [
        session("plain", {"time_us": 0, "max_frame": 1 << 20, "proto_min": 1, "proto_max": 1, "features": 0},
                {"max_frame": 1 << 20, "proto": 1, "max_inflight": 64, "rekey_s": 120, "reject_s": 180, "features": 0}),
        session("full", {"time_us": 1800000000123456, "max_frame": 64 << 20, "proto_min": 1, "proto_max": 65535,
                         "features": 0x8877665544332211},
                {"max_frame": 0x03020100, "proto": 1, "max_inflight": 0x0201, "rekey_s": 0x01020304,
                 "reject_s": 0x05060708, "features": 0x0077665544332211}),
    ]
    text = json.dumps({"source": "tests/vectors/make.py", "sessions": sessions}, indent=1) + "\n"
    if len(sys.argv) == 3 and sys.argv[1] == "--check":
        same = pathlib.Path(sys.argv[2]).read_text(encoding="utf-8") == text
        print("ok" if same else "not ok", "1 - the vectors are what another implementation makes", flush=True)
        sys.exit(not same)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
