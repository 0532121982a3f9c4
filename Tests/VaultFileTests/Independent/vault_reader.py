#!/usr/bin/python3
"""A second, independent reader of the vault file, version 1.

    vault_reader.py VAULT IDENTITY_FILE [--vault-id vault1…[:N]] [--no-records]

It knows the vault only from its specification and the age v1 specification, and checks all that they say of the file
before it prints anything. Then stdout has one JSON object: id, roster_version, generation, members, records. A vault
that does not check gives one line on stderr and exit status 1. Beyond the standard library it needs PyNaCl.
"""

import argparse
import base64
import hashlib
import hmac
import json
import re
import sys
from collections import namedtuple

from nacl.bindings import crypto_aead_chacha20poly1305_ietf_decrypt, crypto_scalarmult, crypto_scalarmult_base
from nacl.exceptions import CryptoError
from nacl.signing import SigningKey, VerifyKey

BLOCK = 65_536  # a data block, and the plaintext of a STREAM chunk
TAG = 16
FOOTER_SIZE = 64
TAIL_UNIT = 4_096
MAX_TAIL = 16 << 20
MAX_BLOCKS = 65_536
MAX_HEADER = 1 << 20
MAX_STANZAS = 1_024
MAX_TOKEN = 16 << 10
MAX_NUMBER = 2**53 - 1

NAME = r"[A-Za-z0-9][A-Za-z0-9._/-]{0,127}"
RECORD_START = re.compile(rb'\{"name":"(' + NAME.encode() + rb')"')
FOOTER = re.compile(rb'\{"vault":1,"blocks":(0|[1-9][0-9]*)\} *\n')
MEMBER = re.compile(r"member (owner|writer|reader) ([a-z0-9]+) ([a-z0-9]+|-) ([A-Za-z0-9][A-Za-z0-9._-]{0,63})")
WRITTEN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")  # shown, never compared
JSON_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')
BECH32_DIGITS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

Member = namedtuple("Member", "role recipient key label")
Roster = namedtuple("Roster", "text id version members")


class Damage(Exception):
    """What failed, in words that quote nothing from inside the vault."""


def require(condition, what):
    if not condition:
        raise Damage(what)


# Encodings. A decoder encodes its result again and compares, so only the one canonical form gets through.

def from_base64(text, size, what, padded=True):
    try:
        raw = base64.b64decode(text if padded else text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        raise Damage(f"{what}: not base64") from None
    canonical = base64.b64encode(raw).decode()
    require(text == (canonical if padded else canonical.rstrip("=")), f"{what}: not canonical base64")
    require(size in (None, len(raw)), f"{what}: not {size} bytes")
    return raw


def bech32_checksum(hrp, digits):
    remainder = 1
    for digit in [ord(c) >> 5 for c in hrp] + [0] + [ord(c) & 31 for c in hrp] + digits + [0] * 6:
        overflow = remainder >> 25
        remainder = (remainder & 0x1FFFFFF) << 5 ^ digit
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            remainder ^= generator if overflow >> bit & 1 else 0
    return [(remainder ^ 1) >> shift & 31 for shift in range(25, -1, -5)]


def to_bech32(hrp, raw):
    """Every Bech32 string of the format carries 32 bytes: 52 digits, the last with 4 pad bits."""
    bits = int.from_bytes(raw, "big") << 4
    digits = [bits >> shift & 31 for shift in range(51 * 5, -1, -5)]
    return hrp + "1" + "".join(BECH32_DIGITS[digit] for digit in digits + bech32_checksum(hrp, digits))


def from_bech32(hrp, text, what):
    bits = 0
    for digit in text[len(hrp) + 1:][:52]:
        bits = bits << 5 | BECH32_DIGITS.find(digit) & 31
    raw = (bits >> 4).to_bytes(32, "big")
    require(to_bech32(hrp, raw) == text, f"{what}: not Bech32 {hrp}1…")
    return raw


def from_number(text, what):
    require(re.fullmatch("[1-9][0-9]{0,15}", text) and int(text) <= MAX_NUMBER, f"{what}: not a number")
    return int(text)


# Keys and hashes.

def hkdf(ikm, salt, info):
    """HKDF-SHA256 with 32 bytes of output, which are the first round of its expansion."""
    return hmac.digest(hmac.digest(salt, ikm, "sha256"), info + b"\x01", "sha256")


def vault_hash(use, data):
    return hashlib.blake2b(data, digest_size=32, person=f"vault/v1 {use}".encode()).digest()


def vault_id(root, nonce):
    return to_bech32("vault", vault_hash("id", root + nonce))


def recipient_of(identity):
    return to_bech32("age", crypto_scalarmult_base(identity))


def signing_key(identity):
    return SigningKey(hkdf(identity, b"", b"vault/v1 signing key"))


def public_form(key):
    return to_bech32("vaultkey", bytes(key.verify_key))


def read_identities(text):
    lines = [line.strip() for line in text.split("\n")]
    keys = [line for line in lines if line and not line.startswith("#")]
    require(keys and all(key == key.upper() for key in keys), "identity file: not X25519 identities")
    return [from_bech32("age-secret-key-", key.lower(), "identity file") for key in keys]


# Outside: an age v1 file.

def read_header(data):
    """The stanzas as (arguments, body), the bytes under the MAC, the MAC, the payload."""
    head, at = data[:MAX_HEADER].decode("latin-1"), 0

    def next_line():
        nonlocal at
        start, at = at, head.find("\n", at) + 1
        require(at, "header: no end within 1 MiB")
        return head[start:at - 1]

    require(next_line() == "age-encryption.org/v1", "header: version line")
    stanzas = []
    while not (line := next_line()).startswith("---"):
        require(re.fullmatch("->( [!-~]+)+", line), "header: stanza line")
        body = [next_line()]
        while len(body[-1]) == 64:
            body.append(next_line())
        require(len(body[-1]) < 64, "header: stanza body line")
        stanzas.append((line.split(" ")[1:], from_base64("".join(body), None, "header: stanza body", padded=False)))
    require(1 <= len(stanzas) <= MAX_STANZAS, "header: number of stanzas")
    require(line.startswith("--- "), "header: MAC line")
    mac = from_base64(line[4:], 32, "header: MAC", padded=False)
    return stanzas, data[:at - len(line) - 1] + b"---", mac, data[at:]


def unseal(key, nonce, sealed):
    try:
        return crypto_aead_chacha20poly1305_ietf_decrypt(sealed, None, nonce, key)
    except (CryptoError, ValueError):  # ValueError: shorter than a tag
        return None


def unwrap_file_key(identity, arguments, body):
    require(len(arguments) == 2 and len(body) == 32, "header: X25519 stanza")
    share = from_base64(arguments[1], 32, "header: X25519 share", padded=False)
    try:
        shared = crypto_scalarmult(identity, share)
    except CryptoError:
        raise Damage("header: X25519 result is zero") from None
    salt = share + crypto_scalarmult_base(identity)
    return unseal(hkdf(shared, salt, b"age-encryption.org/v1/X25519"), bytes(12), body)


def decrypt_stream(payload, file_key):
    key, sealed, plaintext = hkdf(file_key, payload[:16], b"payload"), payload[16:], []
    starts = range(0, max(len(sealed), 1), BLOCK + TAG)
    for counter, start in enumerate(starts):
        final = start == starts[-1]
        chunk = unseal(key, counter.to_bytes(11, "big") + bytes([final]), sealed[start:start + BLOCK + TAG])
        require(chunk is not None, f"payload: {'final chunk' if final else f'chunk {counter}'} does not decrypt")
        require(chunk or counter == 0, "payload: final chunk is empty")
        plaintext.append(chunk)
    return b"".join(plaintext)


def open_header(data, identities):
    """The file key, the payload, the number of X25519 stanzas, and which ones opened as {(place, recipient)}."""
    stanzas, authenticated, mac, payload = read_header(data)
    require(all(arguments[0] != "scrypt" for arguments, _ in stanzas), "header: scrypt stanza")
    stanzas = [stanza for stanza in stanzas if stanza[0][0] == "X25519"]
    tried = {(place, recipient_of(identity)): unwrap_file_key(identity, *stanza)
             for place, stanza in enumerate(stanzas) for identity in identities}
    opened = {where: file_key for where, file_key in tried.items() if file_key}
    file_keys = list(set(opened.values()))
    require(file_keys, "header: no stanza for these identities")
    require(len(file_keys) == 1, "header: stanzas with different file keys")
    expected = hmac.digest(hkdf(file_keys[0], b"", b"header"), authenticated, "sha256")
    require(hmac.compare_digest(mac, expected), "header: MAC")
    return file_keys[0], payload, len(stanzas), set(opened)


def open_age(data, identities):
    """The plaintext, and the last two of open_header."""
    file_key, payload, *rest = open_header(data, identities)
    return decrypt_stream(payload, file_key), *rest


# Inside: JSON Lines in blocks.

def read_json(line, what):
    def members(pairs):
        require(len({name for name, _ in pairs}) == len(pairs), f"{what}: a member is repeated")
        return dict(pairs)

    def constant(_):
        raise ValueError("NaN and Infinity are Python's, not JSON's")

    try:
        # Integers as floats: their values matter to no check, and Python limits how many digits an int may have.
        value = json.loads(line.decode(), object_pairs_hook=members, parse_constant=constant, parse_int=float)
    except (ValueError, RecursionError):
        raise Damage(f"{what}: not JSON") from None
    require(isinstance(value, dict), f"{what}: not an object")
    return value


def has_strings(value, names):
    """Whether value is an object of just these members, in this order, all of them strings."""
    return isinstance(value, dict) and list(value) == names and all(isinstance(v, str) for v in value.values())


def read_tail_line(line, what):
    """The value of the line's one member; there is no white space between its tokens."""
    value = read_json(line, what)
    require(list(value) == [what] and not re.search(rb"\s", JSON_STRING.sub(b"", line)), f"{what}: not in its form")
    return value[what]


def split_plaintext(plaintext):
    """The data blocks, and the tail's lines before the footer."""
    footer = FOOTER.fullmatch(plaintext[-FOOTER_SIZE:])
    require(footer and len(footer[0]) == FOOTER_SIZE, "footer: not in its form")
    count = int(footer[1])
    require(count <= MAX_BLOCKS, "footer: too many blocks")
    tail = plaintext[count * BLOCK:]
    require(0 < len(tail) <= MAX_TAIL and len(tail) % TAIL_UNIT == 0, "tail: length")
    lines = tail.split(b"\n")
    require(len(lines) == 5 and len(lines[3]) == FOOTER_SIZE - 1, "tail: not four lines")
    return [plaintext[start:start + BLOCK] for start in range(0, count * BLOCK, BLOCK)], lines[:3]


def read_signed(line, what):
    """The text of a roster or manifest line and its signer, once the signature checks."""
    value = read_tail_line(line, what)
    require(has_strings(value, ["text", "by", "sig"]), f"{what}: members")
    key, sig = from_bech32("vaultkey", value["by"], f"{what}: by"), from_base64(value["sig"], 64, f"{what}: sig")
    try:
        VerifyKey(key).verify(value["text"].encode(), sig)
    except (CryptoError, UnicodeEncodeError):
        raise Damage(f"{what}: signature") from None
    return value["text"], value["by"]


def read_fields(text, what, names):
    """The fields of the lines that every text of its kind has, and the lines after those."""
    lines = text.split("\n")
    require(lines.pop() == "" and lines[:1] == [f"vault/v1 {what}"], f"{what}: first line, or end of last")
    fields, rest = lines[1:][:len(names)], lines[1:][len(names):]
    require([line.partition(" ")[0] for line in fields] == names, f"{what}: lines")
    return [line.partition(" ")[2] for line in fields], rest


def read_member(line):
    match = MEMBER.fullmatch(line)
    require(match, "roster: member line")
    member = Member(*match.groups())
    from_bech32("age", member.recipient, "roster: recipient")
    if member.key == "-":
        require(member.role == "reader", f"roster: {member.role} without a key")
    else:
        from_bech32("vaultkey", member.key, "roster: key")
    return member


def read_roster(line):
    text, by = read_signed(line, "roster")
    (id, nonce, root, version), lines = read_fields(text, "roster", ["vault", "nonce", "root", "version"])
    require(by == root, "roster: not signed by its root")
    expected = vault_id(from_bech32("vaultkey", root, "roster: root"), from_base64(nonce, 16, "roster: nonce"))
    require(id == expected, "roster: the id is not that of root and nonce")
    version, members = from_number(version, "roster: version"), [read_member(line) for line in lines]
    require([m.key for m in members if m.role == "owner"] == [root], "roster: not one owner, whose key is root")
    for field in ("recipient", "key", "label"):
        values = [getattr(m, field) for m in members if getattr(m, field) != "-"]
        require(len(set(values)) == len(values), f"roster: a {field} twice")
    return Roster(text, id, version, members)


def check_pin(roster, pin):
    id, colon, version = pin.partition(":")
    from_bech32("vault", id, "pin")
    require(roster.id == id, "roster: not the pinned vault")
    require(not colon or roster.version >= from_number(version, "pin"), "roster: older than the pinned version")


def check_own_places(roster, identities, stanza_count, opened):
    """Stanzas are the members', in order; and where an identity is a member, the key is the one derived from it."""
    require(stanza_count == len(roster.members), "header: not one X25519 stanza for each member")
    keys = {recipient_of(identity): public_form(signing_key(identity)) for identity in identities}
    ours = {(place, m.recipient): m for place, m in enumerate(roster.members) if m.recipient in keys}
    require(opened == set(ours), "header: X25519 stanzas are not in the roster's order")
    require(all(m.key in ("-", keys[m.recipient]) for m in ours.values()), "roster: not the identity's signing key")


def read_manifest(line, roster):
    """The generation and the index hash."""
    text, by = read_signed(line, "manifest")
    require(by in [m.key for m in roster.members if m.role != "reader"], "manifest: signer may not write")
    names = ["vault", "roster", "generation", "previous", "index", "written"]
    (id, roster_hash, generation, previous, index_hash, written), rest = read_fields(text, "manifest", names)
    require(not rest, "manifest: lines")
    require(id == roster.id, "manifest: of another vault")
    roster_hash = from_base64(roster_hash, 32, "manifest: roster hash")
    require(roster_hash == vault_hash("roster", roster.text.encode()), "manifest: of another roster")
    if previous != "-":
        hashes = [from_base64(hash, 32, "manifest: previous") for hash in previous.split(" ")]
        require(len(hashes) <= 2 and hashes == sorted(set(hashes)), "manifest: previous is not one or two, ascending")
    require(WRITTEN.fullmatch(written), "manifest: written")
    return from_number(generation, "manifest: generation"), from_base64(index_hash, 32, "manifest: index hash")


def read_index(line, index_hash, block_count):
    """First name and hash of each block."""
    require(vault_hash("index", line + b"\n") == index_hash, "index: hash")
    entries = read_tail_line(line, "index")
    require(isinstance(entries, list), "index: not a list")
    require(len(entries) == block_count, "index: entries are not as many as the footer's blocks")
    for entry in entries:
        require(has_strings(entry, ["first", "hash"]) and re.fullmatch(NAME, entry["first"]), "index: entry")
    firsts = [entry["first"].encode() for entry in entries]
    require(all(a < b for a, b in zip(firsts, firsts[1:])), "index: first does not ascend")
    return [(first, from_base64(entry["hash"], 32, "index: block hash")) for first, entry in zip(firsts, entries)]


def token_size(record):
    """As JSON: escaped as little as JSON allows, without the quotes."""
    token = record.get("token")
    value = token.get("value") if isinstance(token, dict) else None
    return len(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")) - 2


def read_block(block, first, hash, what):
    """The records, as (name, JSON text)."""
    require(vault_hash("block", block) == hash, f"{what}: hash")
    lines = block.split(b"\n")
    require(lines.pop() == b"", f"{what}: last byte is not a newline")
    lines[-1:] = [line.rstrip(b" ") for line in lines[-1:]]  # only the last record may have padding
    require(lines and all(lines), f"{what}: blank line")
    starts = [RECORD_START.match(line) for line in lines]
    require(all(starts), f"{what}: a record does not begin with its name")
    for line in lines:
        require(line.endswith(b"}"), f"{what}: a record does not end its line")
        require(token_size(read_json(line, what)) <= MAX_TOKEN, f"{what}: token is too long")
    require(starts[0][1] == first, f"{what}: does not start with its first")
    return [(start[1], line.decode()) for start, line in zip(starts, lines)]


def read_vault(data, identities, pin=None):
    """What is printed, less the records; and the records, as JSON texts."""
    plaintext, stanza_count, opened = open_age(data, identities)
    blocks, (index_line, roster_line, manifest_line) = split_plaintext(plaintext)
    roster = read_roster(roster_line)
    if pin is not None:
        check_pin(roster, pin)
    check_own_places(roster, identities, stanza_count, opened)
    # The spaces after the manifest bring the tail to its length.
    generation, index_hash = read_manifest(manifest_line.rstrip(b" "), roster)
    index = read_index(index_line, index_hash, len(blocks))
    records = [record for number, (block, entry) in enumerate(zip(blocks, index))
               for record in read_block(block, *entry, f"block {number}")]
    require(all(a[0] < b[0] for a, b in zip(records, records[1:])), "blocks: names do not ascend")
    summary = {"id": roster.id, "roster_version": roster.version, "generation": generation,
               "members": [member._asdict() for member in roster.members]}
    return summary, [text for _, text in records]


def main():
    parser = argparse.ArgumentParser(prog="vault_reader", description="Check a vault file and print it as JSON.")
    parser.error = lambda message: require(False, message)  # one line and exit status 1, as for every failure
    parser.add_argument("vault")
    parser.add_argument("identity_file")
    parser.add_argument("--vault-id", metavar="vault1…[:N]")
    parser.add_argument("--no-records", action="store_true", help="check the records, but leave them out")
    try:
        arguments = parser.parse_args()
        with open(arguments.identity_file, encoding="utf-8") as file:
            identities = read_identities(file.read())
        with open(arguments.vault, "rb") as file:
            summary, records = read_vault(file.read(), identities, arguments.vault_id)
    except Exception as error:
        what = str(error) if isinstance(error, Damage) else f"{type(error).__name__}: {error}"
        print("vault_reader:", " ".join(what.split()), file=sys.stderr)
        return 1
    output = json.dumps(summary)
    if not arguments.no_records:
        # The records go out as they stand in the vault, byte for byte: parsed and written again, numbers could change.
        output = output[:-1] + ', "records": [' + ", ".join(records) + "]}"
    sys.stdout.buffer.write(output.encode() + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
