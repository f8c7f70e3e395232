#!/usr/bin/env python3
"""The stored form of tokens, written a second time: with Python's `cryptography`, from the documentation alone.

    interop.py vectors          prints tests/vectors/interop.json
    interop.py exchange         reads cases that the crate sealed (standard input), opens each of them, and prints
                                what it seals itself for the same keys, places and tokens

Needs Python 3.9 or later and the package `cryptography`. tests/encryption.rs runs it where MCP_AUTH_INTEROP_PYTHON
names such a Python:

    python3 -m venv /tmp/interop && /tmp/interop/bin/pip install cryptography
    MCP_AUTH_INTEROP_PYTHON=/tmp/interop/bin/python cargo test --features encryption --test encryption

Cases are a list in JSON of objects with key, service, name, plaintext and sealed; bytes are numbers, so that no search
for secrets takes them for one.
"""

import json
import struct
import sys

from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VERSION = b"\x01"
PREFIX = b"mcp-auth-middleware v1 "


def subkey(key: bytes, use: bytes, length: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=None, info=PREFIX + use).derive(key)


def associated(key: bytes, service: str, name: str) -> bytes:
    parts = (part.encode() for part in (service, name))
    return VERSION + subkey(key, b"key id", 8) + b"".join(struct.pack(">I", len(part)) + part for part in parts)


def nonce(key: bytes, aad: bytes, plaintext: bytes) -> bytes:
    mac = hmac.HMAC(subkey(key, b"nonce", 32), hashes.SHA256())
    mac.update(aad)
    mac.update(plaintext)
    return mac.finalize()[:12]


def seal(key: bytes, service: str, name: str, plaintext: bytes) -> bytes:
    aad = associated(key, service, name)
    iv = nonce(key, aad, plaintext)
    text = AESGCM(subkey(key, b"encrypt", 32)).encrypt(iv, plaintext, aad)
    return VERSION + subkey(key, b"key id", 8) + iv + text


def open_sealed(key: bytes, service: str, name: str, sealed: bytes) -> bytes:
    if sealed[:1] != VERSION:
        raise ValueError("unknown version")
    if sealed[1:9] != subkey(key, b"key id", 8):
        raise ValueError("key mismatch")
    aad = associated(key, service, name)
    plaintext = AESGCM(subkey(key, b"encrypt", 32)).decrypt(sealed[9:21], sealed[21:], aad)
    if nonce(key, aad, plaintext) != sealed[9:21]:
        raise ValueError("another nonce")
    return plaintext


# Tokens of every length around the block sizes of AES (16) and SHA-256 (64), and places that are easy to confuse.
PLACES = [
    ("my-server", "UPSTREAM_TOKEN"),
    ("ab", "c"),
    ("a", "bc"),
    ("", ""),
    ("", "abc"),
    ("abc", ""),
    ("süß-服务", "ключ \N{KEY}"),
    ("s" * 300, "n" * 300),
]
LENGTHS = [0, 1, 15, 16, 17, 31, 32, 33, 55, 56, 63, 64, 65, 127, 128, 129, 1000]
KEYS = [bytes(range(32)), bytes(255 - 7 * i for i in range(32)), b"\x80" + bytes(31)]


def vectors() -> list:
    cases = [(KEYS[0], *place, b"the same token") for place in PLACES]
    for at, length in enumerate(LENGTHS):
        plaintext = bytes((at * 31 + i * 7) % 256 for i in range(length))
        cases.append((KEYS[at % len(KEYS)], *PLACES[0], plaintext))
    return cases


def exchange(text: str) -> list:
    cases = []
    for case in json.loads(text):
        key, plaintext, sealed = (bytes(case[part]) for part in ("key", "plaintext", "sealed"))
        place = (case["service"], case["name"])
        if open_sealed(key, *place, sealed) != plaintext:
            raise ValueError(f"another plaintext: {plaintext.hex()}")
        cases.append((key, *place, plaintext))
    return cases


def sealed_case(key: bytes, service: str, name: str, plaintext: bytes) -> str:
    sealed = seal(key, service, name, plaintext)
    if open_sealed(key, service, name, sealed) != plaintext:
        raise ValueError("does not open its own")
    case = {"key": list(key), "service": service, "name": name, "plaintext": list(plaintext), "sealed": list(sealed)}
    return json.dumps(case, separators=(",", ":"))


def main() -> None:
    if sys.argv[1:] == ["vectors"]:
        cases = vectors()
    elif sys.argv[1:] == ["exchange"]:
        cases = exchange(sys.stdin.read())
    else:
        sys.exit(__doc__)
    print("[\n" + ",\n".join(sealed_case(*case) for case in cases) + "\n]")


if __name__ == "__main__":
    main()
