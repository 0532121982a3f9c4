"""Homes with vaults, and what stock age and vault itself find in them."""

import json
import os
import shutil
import signal
import subprocess
from collections import namedtuple

VAULT = os.environ["VAULT_BINARY"]
DATES = {"created", "updated", "added", "retired"}
# Seconds. Far more than anything takes, on a busy machine too: what takes longer hangs.
LIMIT = 60


class Failed(Exception):
    """Something is not as it has to be. The text says what."""


class Lost(Failed):
    """What was there, or was said to be there, is not."""


def require(condition, what, failure=Failed):
    if not condition:
        raise failure(what)


def end(process):
    """Ends a process that has a session of its own, with all that it started: strace's end is not that of what it traces."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def run(command, stdin=b"", **options):
    """Runs a command, and returns its exit code, what it printed, and its messages."""
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, **options)
    with process:
        try:
            output, messages = process.communicate(stdin, LIMIT)
        except BaseException as problem:
            end(process)
            if isinstance(problem, subprocess.TimeoutExpired):
                raise Failed(f"after {LIMIT} seconds, it has not ended: {' '.join(command)}") from None
            raise
    return subprocess.CompletedProcess(command, process.returncode, output, messages)


# What a vault holds: its id, the lines of its members, and its records by their names, without the dates.
Version = namedtuple("Version", "id members records")


def read_version(vault, identity):
    """What stock age finds in a vault."""
    name = os.path.basename(vault)
    opened = run(["age", "--decrypt", "--identity", identity, vault])
    # What age has to say against a file, it ends with 1 for; other ends are troubles of its own.
    require(opened.returncode == 0, f"age does not open {name}: {text(opened.stderr).splitlines()[:1]}",
            Lost if opened.returncode == 1 else Failed)
    try:
        *records, _, roster, _, _ = (json.loads(line) for line in opened.stdout.splitlines())
        lines = roster["roster"]["text"].splitlines()
        return Version(
            next(line.split(" ")[1] for line in lines if line.startswith("vault ")),
            [line for line in lines if line.startswith("member ")],
            {record["name"]: undated(record) for record in records})
    except (ValueError, LookupError, StopIteration) as error:
        raise Failed(f"{name} is no vault: {error}") from None


def undated(value):
    if isinstance(value, dict):
        return {name: undated(item) for name, item in value.items() if name not in DATES}
    return [undated(item) for item in value] if isinstance(value, list) else value


class Home:
    """A folder with all that a user of vault has."""

    def __init__(self, path, data=None, state=None):
        self.path = path
        self.vault = f"{data or f'{path}/.local/share/vault'}/vault.age"
        self.identity = f"{path}/.config/vault/identity"
        self.known = f"{path}/.config/vault/known_vaults"
        # No agent of the user who runs this is found.
        os.makedirs(f"{path}/run", 0o700, exist_ok=True)
        self.environment = {
            # For an identity that has one.
            "VAULT_PASSPHRASE": "first",
            "HOME": path, "PATH": os.environ["PATH"], "LANG": "C", "XDG_RUNTIME_DIR": f"{path}/run",
            "XDG_STATE_HOME": state or f"{path}/.local/state", "VAULT_FILE": self.vault}

    def run(self, arguments, stdin=b"", prefix=()):
        return run([*prefix, VAULT, *arguments], stdin, env=self.environment, cwd=self.path)

    def must(self, arguments, stdin=b"", when="without a fault"):
        """Runs what has to succeed, and returns what it prints."""
        result = self.run(arguments, stdin)
        require(result.returncode == 0,
                f"{when}, 'vault {' '.join(arguments)}' ends with {result.returncode}: {text(result.stderr)}")
        return result.stdout

    def copy(self, path):
        """The same in another place."""
        shutil.copytree(self.path, path, symlinks=True)
        copy = Home(path)
        # The one file that names places.
        if os.path.exists(copy.known):
            with open(copy.known, "r+b") as file:
                content = file.read().replace(self.path.encode(), path.encode())
                file.seek(0)
                file.truncate()
                file.write(content)
        return copy

    def files(self):
        """All files, by their path in the home; but locks, which have no content, and without the place itself."""
        found = {}
        for folder, _, names in os.walk(self.path):
            for name in names:
                if not name.endswith(".lock"):
                    path = os.path.join(folder, name)
                    found[os.path.relpath(path, self.path)] = content(path).replace(self.path.encode(), b"~")
        return found

    def remains(self):
        """What writers that did not get to their end left behind."""
        return sorted(path for path in self.files() if path.endswith(".tmp"))


def content(path):
    """The bytes of a file; None where there is none."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def text(output):
    return output.decode(errors="replace").strip()
