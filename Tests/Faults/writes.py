"""The writes that faults are put into: how each is made, and how one tells what came of it."""

import json
import os
import re
import subprocess
import sys

from homes import Lost, content, read_version, require

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LOCK_IDENTITY = f"{TESTS}/CommandTests/Tools/lock-identity"
sys.path.insert(0, f"{TESTS}/VaultFileTests/Independent")
import vault_reader

OLD, NEW = "old", "new"


def token(name):
    return f"{name}-token-0123456789".encode()


def record(name, size=0):
    return json.dumps({
        "name": name, "urls": [f"https://{name}.example/"], "note": "x" * size,
        "token": {"value": token(name).decode()}}, separators=(",", ":")).encode() + b"\n"


def make_vault(home, blocks=1):
    """A vault with a version before it, whose members are the identity and bob."""
    home.must(["init", "--no-passphrase"])
    large = b"".join(record(f"large-{number}", 50_000) for number in range(blocks - 1))
    home.must(["import"], record("demo") + record("other") + large)
    home.must(["identity", "new", "--output", "bob"])
    bob = home.must(["identity", "show", "--identity", "bob"]).decode().split()
    home.must(["member", "add", "--role", "writer", "bob", *bob])
    home.must(["rotate", "demo"], token("second"))


class Write:
    """A change of the vault. Other writes differ from it in what they change, and where."""

    # What a message calls the file that is written.
    target = "vault.age"
    # Calls for what is remembered besides, without which a write is done all the same.
    beside = re.compile(r"/\.local/state/")

    def __init__(self, name, arguments, stdin=b"", blocks=1):
        self.name = name
        self.arguments = arguments
        self.stdin = stdin
        self.blocks = blocks

    def prepare(self, home):
        """Makes what there is before the write."""
        make_vault(home, self.blocks)

    def learn(self, before, after):
        """Keeps what there is before the write, and after the same write without a fault."""
        self.old = read_version(before.vault, before.identity)
        self.new = read_version(after.vault, after.identity)
        self.old_bytes = content(before.vault)
        self.old_backup = content(before.vault + ".bak")
        require(self.old != self.new, f"{self.name} changes nothing")

    def judge(self, home):
        """Which version there is, as stock age reads it, and whether the one before is where it belongs."""
        backup = content(home.vault + ".bak")
        if content(home.vault) == self.old_bytes:
            require(backup in (self.old_backup, self.old_bytes), "vault.age.bak is no version before")
            return OLD
        require(self.is_new(read_version(home.vault, home.identity)),
                "vault.age is neither the version before nor the one after", Lost)
        require(backup == self.old_bytes, "vault.age.bak is not the version before")
        return NEW

    def is_new(self, version):
        return version == self.new

    def claims(self, message):
        """Whether a message says that the version after is there, although nobody knows for how long."""
        return f"{self.target}: written, durability unknown" in message

    def check_opens(self, home, which):
        """Has vault open what there is."""
        version = self.old if which == OLD else self.new
        pin = self.pin(home)
        names = [resource["name"] for resource in json.loads(home.must(["list", "--json", *pin], when="afterwards"))]
        require(names == sorted(version.records), f"afterwards, the vault lists {names}")
        if not names:
            return
        name = "demo" if "demo" in names else names[0]
        printed = home.must(["token", name, *pin], when="afterwards").strip()
        require(printed == version.records[name]["token"]["value"].encode(), "afterwards, the token is another one")

    def pin(self, home):
        """What says which vault it is, where the known vaults do not."""
        return []

    def go_on(self, home):
        """Makes the next write, which also sweeps up."""
        home.must(["rotate", "other", *self.pin(home)], token("next"), when="as the next write")


class Init(Write):
    def prepare(self, home):
        pass

    def learn(self, before, after):
        self.new = read_version(after.vault, after.identity)

    def judge(self, home):
        require(content(home.vault + ".bak") is None, "there is a version before the first")
        if content(home.vault) is None:
            return OLD
        require(self.is_new(read_version(home.vault, home.identity)), "vault.age is no new vault", Lost)
        return NEW

    def is_new(self, version):
        return not version.records and len(version.members) == 1

    def check_opens(self, home, which):
        if which == NEW:
            super().check_opens(home, which)

    def pin(self, home):
        if content(home.vault) is None or home.vault.encode() in (content(home.known) or b""):
            return []
        return ["--vault-id", read_version(home.vault, home.identity).id]

    def go_on(self, home):
        if content(home.vault) is None:
            home.must(["init", "--no-passphrase"], when="as the next write")
        home.must(["import", *self.pin(home)], record("demo"), when="as the next write")
        # Of known_vaults as well.
        home.must(["init", "--vault", f"{home.path}/second.age"], when="as the next write")


class Rekey(Write):
    def is_new(self, version):
        return version.id != self.old.id and version[1:] == self.new[1:]

    def pin(self, home):
        """Cut short behind the vault, it leaves known_vaults as it was; vault says what to do about that."""
        id = read_version(home.vault, home.identity).id
        return [] if id.encode() in content(home.known) else ["--vault-id", id]

    def go_on(self, home):
        home.must(["rekey", *self.pin(home)], when="as the next write")
        home.must(["rotate", "other"], token("next"), when="as the next write")


class Linked(Write):
    """A vault behind a symbolic link, which has to stay one."""

    target = "elsewhere.age"

    def prepare(self, home):
        super().prepare(home)
        os.rename(home.vault, f"{home.path}/elsewhere.age")
        os.rename(home.vault + ".bak", f"{home.path}/elsewhere.age.bak")
        os.symlink("../../../elsewhere.age", home.vault)

    def judge(self, home):
        require(os.path.islink(home.vault), "the link to the vault is gone")
        link, home.vault = home.vault, f"{home.path}/elsewhere.age"
        try:
            return super().judge(home)
        finally:
            home.vault = link

    def learn(self, before, after):
        super().learn(before, after)
        self.old_backup = content(f"{before.path}/elsewhere.age.bak")


class MemberRemove(Write):
    def claims(self, message):
        """What is then told of the tokens has to be read, which may fail by itself."""
        return super().claims(message) or "removed bob" in message

    def go_on(self, home):
        """Makes another pin to be written down, too."""
        home.must(["member", "add", "dora", vault_reader.recipient_of(b"D" * 32)], when="as the next write")
        home.must(["member", "remove", "dora"], when="as the write after")
        super().go_on(home)


class Merge(Write):
    """What git has vault do: the result takes the place of a file that is not the vault."""

    # And for the folder, in which git puts another file in the place of this one.
    beside = re.compile(rf"{Write.beside.pattern}|fsync\(\d+<~>")

    def __init__(self):
        super().__init__("merge", ["git", "merge", "base.age", "ours.age", "theirs.age", ".local/share/vault/vault.age"])
        self.target = "our version of .local/share/vault/vault.age"

    def prepare(self, home):
        make_vault(home)
        id = read_version(home.vault, home.identity).id
        for name, change in (("base", None), ("ours", "mine"), ("theirs", "yours")):
            vault = f"{home.path}/{name}.age"
            with open(vault, "wb") as file:
                file.write(content(home.vault))
            if change:
                home.must(["import", "--vault", vault, "--vault-id", id, "--accept-older"], record(change))
                os.remove(vault + ".bak")
                os.remove(vault + ".lock")
        self.options = ["--vault-id", id, "--accept-older"]

    def learn(self, before, after):
        self.old = read_version(f"{before.path}/ours.age", before.identity)
        self.new = read_version(f"{after.path}/ours.age", after.identity)
        self.old_bytes = content(f"{before.path}/ours.age")
        require({"mine", "yours"} < self.new.records.keys(), "merge merges nothing")

    def judge(self, home):
        if content(f"{home.path}/ours.age") == self.old_bytes:
            return OLD
        require(read_version(f"{home.path}/ours.age", home.identity) == self.new,
                "ours.age is neither the version before nor the one after", Lost)
        return NEW

    def pin(self, home):
        return ["--vault", f"{home.path}/ours.age", *self.options]

    def go_on(self, home):
        home.must(self.arguments, when="as the next write")


class Passphrase(Write):
    """Changes the identity, and not the vault."""

    target = "identity"

    def prepare(self, home):
        make_vault(home)
        self.plain = content(home.identity)
        subprocess.run([LOCK_IDENTITY, "first", home.identity], check=True)

    def learn(self, before, after):
        self.old_bytes = content(before.identity)
        require(content(after.identity) == self.plain, "passphrase --remove leaves another text")

    def judge(self, home):
        found = content(home.identity)
        require(found in (self.old_bytes, self.plain), "the identity is neither as before nor as after", Lost)
        return OLD if found == self.old_bytes else NEW

    def check_opens(self, home, which):
        home.must(["token", "demo"], when="afterwards")

    def go_on(self, home):
        super().go_on(home)
        with open(home.identity, "wb") as file:
            file.write(self.old_bytes)
        home.must(self.arguments, when="as the next write")


class Template(Write):
    """Writes a file with a token in it."""

    target = "filled"

    def prepare(self, home):
        make_vault(home)
        for name, line in (("template", "token={{demo.token}}\n"), ("filled", "before\n")):
            with open(f"{home.path}/{name}", "w") as file:
                file.write(line)
        os.chmod(f"{home.path}/filled", 0o600)

    def learn(self, before, after):
        self.new = content(f"{after.path}/filled")
        require(token("second") in self.new, "inject fills nothing in")

    def judge(self, home):
        found = content(f"{home.path}/filled")
        require(found in (b"before\n", self.new), "the file is neither the one before nor the one after", Lost)
        return NEW if found == self.new else OLD

    def check_opens(self, home, which):
        home.must(["token", "demo"], when="afterwards")

    def go_on(self, home):
        home.must(self.arguments, when="as the next write")


WRITES = {write.name: write for write in (
    Write("rotate", ["rotate", "demo"], token("third"), blocks=3),
    Write("add", ["add", "new", "--url", "https://new.example"], token("new")),
    Write("edit", ["edit", "demo", "--note", "edited"]),
    Write("remove", ["remove", "demo"]),
    Write("import", ["import"], record("new") + record("large", 50_000)),
    Linked("linked", ["rotate", "demo"], token("third")),
    Write("member-add", ["member", "add", "carol", vault_reader.recipient_of(b"C" * 32)]),
    MemberRemove("member-remove", ["member", "remove", "bob"]),
    Rekey("rekey", ["rekey"]),
    Init("init", ["init", "--no-passphrase"]),
    Merge(),
    Passphrase("passphrase", ["passphrase", "--remove"]),
    Template("template", ["inject", "template", "-o", "filled"]),
)}
