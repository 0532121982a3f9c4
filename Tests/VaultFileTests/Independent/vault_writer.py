#!/usr/bin/python3
"""An independent writer of vault files, version 1, which also writes wrong ones.

    vault_writer.py OUT PEOPLE [--records JSON_LINES] [--forge NAME] [option…]    prints the vault's id
    vault_writer.py --list                                                        prints the names of all forgeries
    vault_writer.py OUT PEOPLE --from VAULT [option…]     writes the version behind VAULT; see succeed()

PEOPLE is an identity file: its first key is the owner's, the second a writer's, all others are readers'. Without
--records the vault has five records in three blocks. It shares encodings and hashes with vault_reader.py, and knows
nothing of any other program.

With --from, the first key of PEOPLE that opens VAULT reads it, and the first key signs the next version, whether the
roster allows that or not: what others make of it is for them to say.

A vault is built in stages, each over those before it: blocks, index, index_line, roster_text, roster_line,
manifest_fields, manifest_text, manifest_line, footer, tail, plaintext, stanzas, header, mac, payload, file. A forgery
is what build() is called with besides. A function that is named like a stage gets the value of that stage and returns
another one, over which everything behind it (hashes, signatures, encryption) is then made: each forgery is wrong in
one way only.
"""

import argparse
import hmac
import json
import os
import re
import sys
from base64 import b64decode, b64encode

from nacl.bindings import crypto_aead_chacha20poly1305_ietf_encrypt as seal, crypto_scalarmult, crypto_scalarmult_base

sys.dont_write_bytecode = True
import vault_reader as reader
from vault_reader import BLOCK, MAX_NUMBER

STRANGER = b"S" * 32  # the identity of somebody who is no member
NONCE = bytes(range(16))
LOW_ORDER = reader.to_bech32("age", bytes(32))  # a recipient that nothing can be encrypted to
HASHES = [b64encode(bytes([byte]) * 32).decode() for byte in (0, 1, 2)]  # of nothing, ascending
RECORDS = [b'{"name":"%s","note":"%s"}' % (name, b"x" * size)
           for name, size in ((b"aa", 40_000), (b"bb", 40_000), (b"cc", 10), (b"dd", 40_000), (b"zz", 10))]


def base64(raw, padded=True):
    return b64encode(raw).decode() if padded else b64encode(raw).decode().rstrip("=")


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def recipient_of(identity):
    return reader.recipient_of(identity)


def key_of(identity):
    return reader.public_form(reader.signing_key(identity))


def hash_of(use, data):
    return base64(reader.vault_hash(use, data))


# Inside.

def pad_block(lines):
    return lines + b" " * (BLOCK - 1 - len(lines)) + b"\n"


def pack(records, per_block):
    """As many records as fit into each block, or per_block of them."""
    groups = []
    for record in records:
        if not groups or len(groups[-1]) == per_block or len(b"\n".join([*groups[-1], record])) >= BLOCK:
            groups.append([])
        groups[-1].append(record)
    return [pad_block(b"\n".join(group)) for group in groups]


def signed_line(what, text, signer, by, escape):
    signature = base64(reader.signing_key(signer).sign(text.encode()).signature)
    line = compact({what: {"text": text, "by": by or key_of(signer), "sig": signature}})
    # What is signed is the text that the escapes stand for.
    return line.replace(b"vault", b"\\u0076\\u0061ult").replace(b" ", b"\\u0020") if escape else line


def write_roster(id, nonce, root, version, members):
    lines = [f"vault {id}", f"nonce {nonce}", f"root {root}", f"version {version}"]
    lines += [f"member {' '.join(member)}" for member in members]
    return "vault/v1 roster\n" + "".join(line + "\n" for line in lines)


def write_manifest(fields):
    return "vault/v1 manifest\n" + "".join(f"{name} {value}\n" for name, value in fields.items())


def write_index(blocks, hook=lambda stage, value: value):
    entries = [{"first": block[9:].split(b'"')[0].decode("latin-1"), "hash": hash_of("block", block)}
               for block in blocks]
    return hook("index_line", compact({"index": hook("index", entries)}) + b"\n")


def pad_manifest(index_line, roster_line, manifest_line):
    padding = -(len(index_line) + len(roster_line) + len(manifest_line) + 1 + 64) % reader.TAIL_UNIT
    return manifest_line + b" " * padding + b"\n"


def footer_line(text):
    return text.ljust(63) + b"\n"


# Outside.

def stanza(file_key, recipient):
    ephemeral = os.urandom(32)
    share = crypto_scalarmult_base(ephemeral)
    raw = reader.from_bech32("age", recipient, "recipient")
    key = reader.hkdf(crypto_scalarmult(ephemeral, raw), share + raw, b"age-encryption.org/v1/X25519")
    return x25519(share, seal(file_key, None, bytes(12), key))


def x25519(share, body):
    return f"-> X25519 {base64(share, padded=False)}\n{base64(body, padded=False)}\n".encode()


def stream(plaintext, file_key):
    nonce = os.urandom(16)
    key = reader.hkdf(file_key, nonce, b"payload")
    starts = range(0, max(1, len(plaintext)), BLOCK)
    return nonce + b"".join(
        seal(plaintext[start:start + BLOCK], None, number.to_bytes(11, "big") + bytes([start == starts[-1]]), key)
        for number, start in enumerate(starts))


def encrypt(plaintext, recipients, hook):
    file_key = os.urandom(16)
    stanzas = hook("stanzas", [stanza(file_key, recipient) for recipient in recipients])
    header = hook("header", b"age-encryption.org/v1\n" + b"".join(stanzas) + b"---")
    mac = hook("mac", hmac.digest(reader.hkdf(file_key, b"", b"header"), header, "sha256"))
    payload = hook("payload", stream(plaintext, file_key))
    return hook("file", header + f" {base64(mac, padded=False)}\n".encode() + payload)


def build(people, records=RECORDS, nonce=NONCE, version=1, generation=1, previous="-", written="2026-11-23T20:00:00Z",
          per_block=None, roster_signer=None, roster_by=None, manifest_signer=None, manifest_by=None, escape=False,
          members=lambda members: members, **hooks):
    """The vault's id, and the file."""
    def hook(stage, value):
        return hooks[stage](value) if stage in hooks else value

    owner = people[0]
    id = reader.vault_id(bytes(reader.signing_key(owner).verify_key), nonce)
    blocks = hook("blocks", pack(records, per_block))
    index_line = write_index(blocks, hook)

    roles = ["owner", "writer"][:len(people)] + ["reader"] * (len(people) - 2)
    roster = members([[role, recipient_of(person), "-" if role == "reader" else key_of(person), f"{role}-{number}"]
                      for number, (role, person) in enumerate(zip(roles, people))])
    roster_text = hook("roster_text", write_roster(id, base64(nonce), key_of(owner), version, roster))
    roster_line = signed_line("roster", roster_text, roster_signer or owner, roster_by, escape)
    roster_line = hook("roster_line", roster_line + b"\n")

    fields = hook("manifest_fields", {
        "vault": id, "roster": hash_of("roster", roster_text.encode()), "generation": generation,
        "previous": previous, "index": hash_of("index", index_line), "written": written})
    manifest_text = hook("manifest_text", write_manifest(fields))
    manifest_line = signed_line("manifest", manifest_text, manifest_signer or owner, manifest_by, escape)
    manifest_line = hook("manifest_line", pad_manifest(index_line, roster_line, manifest_line))
    footer = hook("footer", footer_line(b'{"vault":1,"blocks":%d}' % len(blocks)))
    tail = hook("tail", index_line + roster_line + manifest_line + footer)
    recipients = [member[1] for member in roster if member[1] != LOW_ORDER]
    return id, encrypt(hook("plaintext", b"".join(blocks) + tail), recipients, hook)


# The version behind another one.

def succeed(data, people, records=None, add=(), remove=(), rekey=False, version=None, generation=None, previous=None,
            written="2026-11-23T20:00:00Z", keep=()):
    """The vault's id, and the file of the version behind the one in data, as people[0] would write it.

    Without records the blocks are carried over. With members to add or to remove, or a version, the roster is issued
    again; with rekey the vault is a new one, whose root people[0] is. keep names what stays as it was although what it
    is made over changes, which makes a forgery of it: the "header" (with its file key), the "manifest", the "index".
    """
    file_key, payload, *_ = reader.open_header(data, people)
    old_blocks, (old_index, old_roster, old_manifest) = reader.split_plaintext(reader.decrypt_stream(payload, file_key))
    roster = reader.read_roster(old_roster)
    text = reader.read_signed(old_manifest.rstrip(b" "), "manifest")[0]
    old = dict(line.split(" ", 1) for line in text.splitlines()[1:])

    members = [[m.role, m.recipient, m.key, m.label] for m in roster.members if m.label not in remove]
    members += [member.split(" ") for member in add]
    nonce, root = (re.search(rf"^{name} (.*)$", roster.text, re.M)[1] for name in ("nonce", "root"))
    follows = {"generation": int(old["generation"]) + 1, "previous": hash_of("manif", text.encode())}
    id, roster_text, roster_line = roster.id, roster.text, old_roster + b"\n"
    if rekey:
        nonce, root = base64(os.urandom(16)), key_of(people[0])
        id = reader.vault_id(bytes(reader.signing_key(people[0]).verify_key), b64decode(nonce))
        members = [["owner" if key == root else "writer" if role == "owner" else role, recipient, key, label]
                   for role, recipient, key, label in members]
        version, follows = 1, {"generation": 1, "previous": "-"}
    if add or remove or version:
        roster_text = write_roster(id, nonce, root, version or roster.version + 1, members)
        roster_line = signed_line("roster", roster_text, people[0], None, False) + b"\n"
        follows["generation"] = 1

    blocks = old_blocks if records is None else pack(records, None)
    index_line = old_index + b"\n" if "index" in keep or records is None else write_index(blocks)
    fields = {"vault": id, "roster": hash_of("roster", roster_text.encode()),
              "generation": generation or follows["generation"], "previous": previous or follows["previous"],
              "index": hash_of("index", index_line), "written": written}
    manifest_line = old_manifest.rstrip(b" ")
    if "manifest" not in keep:
        manifest_line = signed_line("manifest", write_manifest(fields), people[0], None, False)
    tail = index_line + roster_line + pad_manifest(index_line, roster_line, manifest_line)
    plaintext = b"".join(blocks) + tail + footer_line(b'{"vault":1,"blocks":%d}' % len(blocks))
    if "header" in keep:
        return id, data[:-len(payload)] + stream(plaintext, file_key)
    return id, encrypt(plaintext, [member[1] for member in members], lambda stage, value: value)


# Forgeries.

def replacing(old, new):
    """A hook that replaces the first old, which has to be there."""
    def replace(value):
        assert old in value, old
        return value.replace(old, new, 1)
    return replace


def footer(text):
    return {"footer": lambda _: footer_line(text)}


def fields(**changes):
    return {"manifest_fields": lambda fields: {**fields, **changes}}


def member(number, place, value):
    def change(members):
        members[number][place] = value
        return members
    return {"members": change}


def entry(number, **changes):
    return {"index": lambda entries: [{**e, **changes} if i == number else e for i, e in enumerate(entries)]}


def one_block(lines, first="aa"):
    """A vault of one block with these bytes, properly signed."""
    block = lines if len(lines) == BLOCK else pad_block(lines)
    return {"blocks": lambda _: [block], **entry(0, first=first)}


def with_pad_bits(text):
    """A Bech32 text whose last digit before the checksum has a pad bit that is not zero."""
    hrp, digits = text.split("1")
    digits = [reader.BECH32_DIGITS.index(digit) for digit in digits[:52]]
    digits[-1] |= 1
    return hrp + "1" + "".join(reader.BECH32_DIGITS[d] for d in digits + reader.bech32_checksum(hrp, digits))


def line_order(order):
    """The tail with its lines in this order."""
    return {"tail": lambda tail: b"".join([tail.splitlines(True)[number] for number in order])}


def shifted(*ranges):
    """The payload with these ranges of its sealed chunks, one behind the other."""
    size = BLOCK + 16
    return {"payload": lambda p: p[:16] + b"".join(p[16 + a * size:16 + b * size] for a, b in ranges)}


def forgeries(people):
    owner, writer, a_reader = people[:3]
    other_id = reader.vault_id(bytes(32), NONCE)
    third = recipient_of(a_reader)
    grease = b"-> grease.example/x an-argument\n" + b"A" * 64 + b"\n\n"
    return {
        # Wrong outside.
        "unknown-age-version": {"header": replacing(b"/v1\n", b"/v2\n")},
        "header-mac": {"mac": lambda mac: bytes([mac[0] ^ 1]) + mac[1:]},
        "stanza-added-later": {"file": replacing(b"\n---", b"\n" + grease + b"---")},
        "stanza-removed-later": {"file": lambda file: re.sub(rb"-> X25519 .*\n.*\n---", b"---", file, count=1)},
        "passphrase-stanza": {"stanzas": lambda s: [*s, b"-> scrypt AAAAAAAAAAAAAAAAAAAAAA 10\n" + b"A" * 43 + b"\n"]},
        "low-order-share": {"stanzas": lambda s: [x25519(bytes(32), bytes(32)), *s]},
        "no-stanza-for-members": {"stanzas": lambda s: [stanza(bytes(16), recipient_of(STRANGER))]},
        "1025-stanzas": {"stanzas": lambda s: s + [grease] * 1022},
        "header-above-1-mib": {"stanzas": lambda s: [*s, b"-> grease\n" + (b"A" * 64 + b"\n") * 16_384 + b"\n"]},
        "no-payload": {"payload": lambda payload: b""},
        "empty-payload": {"payload": lambda payload: payload[:16]},
        "chunks-swapped": shifted((1, 2), (0, 1), (2, 9)),
        "chunk-left-out": shifted((0, 1), (2, 9)),
        "chunk-repeated": shifted((0, 2), (1, 9)),
        "last-chunk-left-out": shifted((0, 3)),
        "nothing-inside": {"plaintext": lambda plaintext: b""},

        # Wrong in the footer.
        "k-zero": footer(b'{"vault":1,"blocks":0}'),
        "k-small": footer(b'{"vault":1,"blocks":2}'),
        "k-large": footer(b'{"vault":1,"blocks":4}'),
        "k-above-the-maximum": footer(b'{"vault":1,"blocks":65537}'),
        "k-enormous": footer(b'{"vault":1,"blocks":99999999999999999999999999}'),
        "k-negative": footer(b'{"vault":1,"blocks":-3}'),
        "k-with-leading-zero": footer(b'{"vault":1,"blocks":03}'),
        "k-as-fraction": footer(b'{"vault":1,"blocks":3.0}'),
        "k-missing": footer(b'{"vault":1,"blocks":}'),
        "format-version-2": footer(b'{"vault":2,"blocks":3}'),
        "footer-with-space-inside": footer(b'{"vault":1, "blocks":3}'),
        "footer-with-another-member": footer(b'{"vault":1,"blocks":3,"x":1}'),
        "footer-with-tab": footer(b'{"vault":1,"blocks":3}\t'),
        "footer-without-newline": {"footer": lambda line: line[:-1] + b" "},
        "footer-of-63-bytes": {"footer": lambda line: line[1:], "manifest_line": replacing(b" \n", b"  \n")},

        # Wrong in the tail as a whole.
        "fifth-line": {"manifest_line": replacing(b" " * 20 + b"\n", b"\n" + b" " * 19 + b"\n")},
        "blank-line": {"manifest_line": lambda line: b"\n" + line[:-2] + b"\n"},
        "lines-in-another-order": line_order([1, 0, 2, 3]),
        "manifest-before-roster": line_order([0, 2, 1, 3]),
        "no-roster-line": {"roster_line": lambda line: b""},
        "tail-not-a-multiple-of-4096": {"manifest_line": replacing(b" \n", b"\n")},
        "tail-above-16-mib": {"manifest_line": replacing(b" \n", b" " * (16 << 20) + b" \n")},
        "block-before-the-tail-repeated": {"plaintext": lambda p: p[:3 * BLOCK] + p[2 * BLOCK:]},
        "block-left-out": {"plaintext": lambda p: p[BLOCK:]},
        "index-line-ends-in-space": {"index_line": replacing(b"\n", b" \n")},
        "roster-line-ends-in-space": {"roster_line": replacing(b"\n", b" \n")},
        "manifest-line-ends-in-tab": {"manifest_line": replacing(b" \n", b"\t\n")},
        "roster-line-with-space-inside": {"roster_line": replacing(b'":{', b'": {')},
        "roster-line-with-repeated-member": {"roster_line": replacing(b'"by":', b'"by":"x","by":')},
        "roster-line-with-another-member": {"roster_line": replacing(b"}}", b',"x":"y"}}')},
        "roster-line-with-another-name": {"roster_line": replacing(b'"roster"', b'"rosteR"')},
        "roster-line-not-utf-8": {"roster_line": replacing(b"reader-2", b"reader-\xff")},
        "roster-line-with-lone-surrogate": {"roster_line": replacing(b"reader-2", b"reader-\\ud800")},
        "roster-signature-unpadded": {"roster_line": replacing(b'=="', b'"')},
        "manifest-signature-of-61-bytes": {
            "manifest_line": lambda line: re.sub(rb'"sig":"....', b'"sig":"', line)[:-1] + b"    \n"},

        # A wrong roster.
        "roster-signed-by-stranger": {"roster_signer": STRANGER},
        "roster-signed-by-writer": {"roster_signer": writer},
        "roster-signed-by-writer-as-owner": {"roster_signer": writer, "roster_by": key_of(owner)},
        "roster-of-another-root": {
            "roster_signer": STRANGER, "roster_text": lambda t: t.replace(key_of(owner), key_of(STRANGER))},
        "roster-changed-after-signing": {"roster_line": replacing(b"reader", b"writer")},
        "roster-with-another-nonce": {"roster_text": replacing("nonce AAEC", "nonce AAED")},
        "nonce-of-15-bytes": {"roster_text": replacing("DA0ODw==", "DA0O")},
        "nonce-not-canonical": {"roster_text": replacing("Dw==", "Dx==")},
        "nonce-unpadded": {"roster_text": replacing("Dw==", "Dw")},
        "roster-of-another-vault": {
            "roster_text": lambda t: re.sub("vault vault1.*", "vault " + other_id, t)},
        "roster-version-0": {"version": 0},
        "roster-version-01": {"version": "01"},
        "roster-version-too-high": {"version": MAX_NUMBER + 1},
        "roster-version-in-arabic": {"version": "\u0661"},
        "roster-with-two-spaces": {"roster_text": replacing("version 1", "version  1")},
        "roster-with-carriage-return": {"roster_text": replacing("version 1\n", "version 1\r\n")},
        "roster-without-last-newline": {"roster_text": lambda text: text[:-1]},
        "roster-with-blank-line": {"roster_text": replacing("\nmember", "\n\nmember")},
        "roster-with-another-line": {"roster_text": lambda text: text + "x\n"},
        "roster-without-root": {"roster_text": lambda text: re.sub("root .*\n", "", text)},
        "roster-titled-manifest": {"roster_text": replacing("roster\n", "manifest\n")},
        "roster-of-format-version-2": {"roster_text": replacing("vault/v1", "vault/v2")},
        "no-members": {"roster_text": lambda text: text[:text.index("member")]},
        "two-owners": member(1, 0, "owner"),
        "owner-is-not-root": {"roster_text": lambda t: t.replace("member owner", "member reader").replace(
            "member writer", "member owner")},
        "recipient-twice": {"roster_text": replacing(third, recipient_of(writer))},
        "key-twice": {"roster_text": replacing(third + " -", third + " " + key_of(writer))},
        "label-twice": member(2, 3, "writer-1"),
        "writer-without-key": {"roster_text": replacing(key_of(writer), "-")},
        "label-with-slash": member(2, 3, "a/b"),
        "label-of-65-bytes": member(2, 3, "a" * 65),
        "label-not-ascii": member(2, 3, "é"),
        "label-empty": member(2, 3, ""),
        "role-admin": member(2, 0, "admin"),
        "recipient-with-wrong-checksum": {
            "roster_text": replacing(third, third[:-1] + ("q" if third[-1] != "q" else "p"))},
        "recipient-in-upper-case": {"roster_text": replacing(third, third.upper())},
        "recipient-that-is-a-key": {"roster_text": replacing(third, key_of(a_reader))},
        "recipient-with-pad-bits": {"roster_text": replacing(third, with_pad_bits(third))},
        "key-that-is-a-recipient": {"roster_text": replacing(key_of(writer), third)},

        # A wrong manifest.
        "manifest-signed-by-reader": {"manifest_signer": a_reader},
        "manifest-signed-by-reader-with-key": {**member(2, 2, key_of(a_reader)), "manifest_signer": a_reader},
        "manifest-signed-by-stranger": {"manifest_signer": STRANGER},
        "manifest-signed-by-stranger-as-owner": {"manifest_signer": STRANGER, "manifest_by": key_of(owner)},
        "manifest-of-another-vault": fields(vault=other_id),
        "manifest-of-another-roster": fields(roster=HASHES[0]),
        "manifest-of-another-index": fields(index=HASHES[0]),
        "generation-0": fields(generation=0),
        "generation-too-high": fields(generation=MAX_NUMBER + 1),
        "generation-as-fraction": fields(generation="1.0"),
        "previous-descending": fields(previous=HASHES[1] + " " + HASHES[0]),
        "previous-twice-the-same": fields(previous=HASHES[0] + " " + HASHES[0]),
        "previous-three": fields(previous=" ".join(HASHES)),
        "previous-empty": fields(previous=""),
        "previous-of-31-bytes": fields(previous=base64(bytes(31))),
        "written-with-offset": fields(written="2026-11-23T20:00:00+00:00"),
        "written-with-fraction": fields(written="2026-11-23T20:00:00.5Z"),
        "manifest-with-another-line": {"manifest_text": lambda text: text + "x 1\n"},
        "manifest-in-another-order": {"manifest_fields": lambda fields: dict(reversed(fields.items()))},
        "manifest-without-written": {"manifest_text": lambda text: text[:text.index("written")]},
        "manifest-titled-roster": {"manifest_text": replacing("manifest\n", "roster\n")},

        # A wrong index.
        "index-in-another-order": {"index": lambda entries: [entries[1], entries[0], entries[2]]},
        "index-with-equal-names": entry(1, first="aa"),
        "index-too-short": {"index": lambda entries: entries[:-1]},
        "index-too-long": {"index": lambda entries: [*entries, {"first": "zzz", "hash": HASHES[0]}]},
        "index-with-bad-name": entry(0, first="-a"),
        "index-with-empty-name": entry(0, first=""),
        "index-with-another-member": entry(0, x="y"),
        "index-members-in-another-order": {"index": lambda e: [dict(reversed(e[0].items())), *e[1:]]},
        "index-with-repeated-member": {"index_line": replacing(b'"first"', b'"first":"q","first"')},
        "index-hash-of-31-bytes": entry(0, hash=base64(bytes(31))),
        "index-hash-is-a-number": entry(0, hash=1),
        "index-with-space-inside": {"index_line": replacing(b'":[', b'": [')},
        "index-is-null": {"index_line": lambda line: b'{"index":null}\n'},

        # Wrong blocks, under a tail that is signed as it should be.
        "blocks-swapped": {"plaintext": lambda p: p[BLOCK:2 * BLOCK] + p[:BLOCK] + p[2 * BLOCK:]},
        "block-changed": {"plaintext": lambda p: p[:100] + b"y" + p[101:]},
        "block-hash-of-another": entry(0, hash=HASHES[0]),
        "block-not-with-its-first": entry(0, first="a0"),
        "block-overlaps-the-next": {"blocks": lambda b: [pad_block(b'{"name":"aa"}\n{"name":"bb"}'), *b[1:]]},
        "block-reaches-beyond-the-next": {"blocks": lambda b: [pad_block(b'{"name":"aa"}\n{"name":"cc"}'), *b[1:]]},
        "records-descending": one_block(b'{"name":"b"}\n{"name":"a"}', first="b"),
        "record-twice": one_block(b'{"name":"aa"}\n{"name":"aa"}'),
        "records-in-the-order-of-a-dictionary": one_block(b'{"name":"aa"}\n{"name":"B"}'),
        "block-empty": one_block(b""),
        "block-of-newlines": one_block(b"\n" * BLOCK),
        "block-begins-with-blank-line": one_block(b'\n{"name":"aa"}'),
        "block-with-blank-line": one_block(b'{"name":"aa"}\n\n{"name":"bb"}'),
        "block-ends-with-blank-line": one_block(b'{"name":"aa"}\n'),
        "block-without-last-newline": one_block(b'{"name":"aa"}' + b" " * (BLOCK - 13)),
        "block-padded-with-tab": one_block(b'{"name":"aa"}\t'),
        "record-ends-in-space": one_block(b'{"name":"aa"} \n{"name":"bb"}'),
        "record-begins-with-space": one_block(b' {"name":"aa"}'),
        "record-with-carriage-return": one_block(b'{"name":"aa"}\r\n{"name":"bb"}'),
        "record-name-not-first": one_block(b'{"x":1,"name":"aa"}'),
        "record-name-with-escape": one_block(b'{"name":"\\u0061a"}'),
        "record-name-not-allowed": one_block(b'{"name":"aa"}\n{"name":"b b"}'),
        "record-name-empty": one_block(b'{"name":"aa"}\n{"name":""}'),
        "record-name-of-129-bytes": one_block(b'{"name":"aa"}\n{"name":"%s"}' % (b"b" * 129)),
        "record-name-without-end": one_block(b'{"name":"aa"}\n{"name":"bb}'),
        "record-is-an-array": one_block(b'["aa"]'),
    }


def building(arguments, people):
    """What build() is called with besides."""
    options = {name: getattr(arguments, name) for name in ("nonce", "per_block", "escape")}
    if arguments.writer_signs:
        options["manifest_signer"] = people[1]
    if arguments.grease:
        grease = b"-> grease.example/x some arguments\n" + b"A" * 64 + b"\n\n"
        options["stanzas"] = lambda stanzas: [grease] + [part for stanza in stanzas for part in (stanza, grease)]
    more = [member.split(" ") for member in arguments.add]
    if arguments.low_order:
        more.append(["reader", LOW_ORDER, "-", "low-order"])
    options["members"] = lambda members: members + more
    if arguments.forge:
        options |= forgeries(people)[arguments.forge]
    return options


def main():
    parser = argparse.ArgumentParser(prog="vault_writer", description="Write a vault file, or a wrong one.")
    parser.add_argument("out", nargs="?")
    parser.add_argument("people", nargs="?")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--forge", metavar="NAME")
    parser.add_argument("--records", metavar="JSON_LINES")
    parser.add_argument("--nonce", type=bytes.fromhex, default=NONCE)
    parser.add_argument("--version", type=int)
    parser.add_argument("--generation", type=int)
    parser.add_argument("--previous")
    parser.add_argument("--written")
    parser.add_argument("--per-block", type=int)
    parser.add_argument("--writer-signs", action="store_true", help="the manifest is the writer's")
    parser.add_argument("--escape", action="store_true", help="letters of the signed lines as JSON escapes")
    parser.add_argument("--grease", action="store_true", help="unknown stanzas before, between and after the members'")
    parser.add_argument("--from", dest="before", metavar="VAULT", help="write the version behind this one")
    parser.add_argument("--add", metavar="MEMBER", action="append", default=[], help='such as "reader age1… - bob"')
    parser.add_argument("--remove", metavar="LABEL", action="append", default=[])
    parser.add_argument("--rekey", action="store_true")
    parser.add_argument("--keep", action="append", default=[], choices=["header", "manifest", "index"])
    parser.add_argument("--low-order", action="store_true", help="one more reader, whose recipient is of low order")
    arguments = parser.parse_args()
    if arguments.list:
        print(*forgeries([b"1" * 32, b"2" * 32, b"3" * 32]), sep="\n")
        return
    with open(arguments.people, encoding="utf-8") as file:
        people = reader.read_identities(file.read())
    given = {name: value for name in ("records", "version", "generation", "previous", "written")
             if (value := getattr(arguments, name)) is not None}
    if arguments.records:
        with open(arguments.records, "rb") as file:
            given["records"] = sorted(file.read().splitlines(), key=lambda record: record[9:].split(b'"')[0])
    if arguments.before:
        with open(arguments.before, "rb") as file:
            before = file.read()
        id, file = succeed(before, people, add=arguments.add, remove=arguments.remove, rekey=arguments.rekey,
                           keep=arguments.keep, **given)
    else:
        id, file = build(people, **given, **building(arguments, people))
    with open(os.open(arguments.out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as output:
        output.write(file)
    print(id)


if __name__ == "__main__":
    main()
