"""The stored form of a token, by Python's `cryptography`: another implementation to agree with.

interop.py             prints tests/vectors/interop.json, bytes as numbers
interop.py SEALED.json opens what Rust has sealed: a list of {key, service, name, plaintext, sealed}, all in hex

The form is described in src/encryption/sealed.rs.
"""

import hashlib
import hmac
import json
import struct
import sys

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def derive(key, use, length):
    label = b"mcp-auth-middleware v1 " + use
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=label).derive(key)


def associated(key, service, name):
    parts = b"".join(struct.pack(">Q", len(part)) + part for part in (service, name))
    return b"\x01" + derive(key, b"key id", 8) + parts


def nonce_for(key, service, name, plaintext):
    message = associated(key, service, name) + struct.pack(">Q", len(plaintext)) + plaintext
    return hmac.new(derive(key, b"nonce", 32), message, hashlib.sha256).digest()[:12]


def seal(key, service, name, plaintext):
    nonce = nonce_for(key, service, name, plaintext)
    text = AESGCM(derive(key, b"encrypt", 32)).encrypt(nonce, plaintext, associated(key, service, name))
    return b"\x01" + derive(key, b"key id", 8) + nonce + text


def open_(key, service, name, sealed):
    assert sealed[:9] == b"\x01" + derive(key, b"key id", 8)
    return AESGCM(derive(key, b"encrypt", 32)).decrypt(sealed[9:21], sealed[21:], associated(key, service, name))


def main():
    if len(sys.argv) > 1:
        with open(sys.argv[1], encoding="ascii") as file:
            cases = json.load(file)
        for case in cases:
            case = {name: bytes.fromhex(value) for name, value in case.items()}
            assert open_(case["key"], case["service"], case["name"], case["sealed"]) == case["plaintext"]
        print(f"opened {len(cases)}")
        return
    cases = []
    for number, plaintext in enumerate([b"", b"x", b"coda token", "geheim \u00fc".encode(), bytes(range(256)), b"a" * 4096]):
        key = hashlib.sha256(b"key %d" % number).digest()
        service, name = f"service-{number}".encode(), "CODA_API_TOKEN".encode() * number
        case = {"key": key, "service": service, "name": name, "plaintext": plaintext}
        case["sealed"] = seal(**case)
        cases.append({name: list(value) for name, value in case.items()})
    print("[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "\n]")


main()
