"""Power cuts: copies of a disk, taken at each step of a write, and mounted as they would be after one.

The home is on a disk of its own. The write is stopped behind each call that changes something, and the disk is copied:
what is only in the system's memory by then is not in the copy. What vault remembers of the vault is kept elsewhere, on a
disk that loses nothing, so that it may be ahead of the vault. Once a copy is as it is; and once something else has had
the journal written before, with whatever names were changed by then.

Where nothing can get lost, nothing is proved. So the same is done without one fsync or the other: in each case there
has to be a copy in which the write is lost.
"""

import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
from collections import Counter

from disks import Disk, obstacle
from homes import LIMIT, VAULT, Failed, Home, Lost, end, require, text
from inject import read_trace
from writes import NEW, OLD, WRITES

USUAL = ("rotate", "rekey", "init", "passphrase", "template")
CONTROL = "rotate"
CHANGING = ("openat", "write", "pwrite64", "ftruncate", "fallocate", "fsync", "fdatasync", "link", "linkat", "rename",
            "renameat2", "unlink", "unlinkat", "mkdir", "fchmod", "fchown")
SYNCING = ("fsync", "fdatasync")


class Step:
    """What there would be if the power failed behind a call."""

    def __init__(self, disk, state, path, line, has_ended):
        self.line = line
        self.has_ended = has_ended
        self.image = f"{path}.ext4"
        self.state = f"{path}.state"
        disk.copy(self.image)
        shutil.copytree(state, self.state)

    def remove(self):
        os.remove(self.image)
        shutil.rmtree(self.state)


class CutWrite:
    """A write on a disk that may lose power."""

    def __init__(self, write, scratch):
        self.write = write
        self.scratch = f"{scratch}/power-{write.name}"
        os.mkdir(self.scratch)
        self.disk = Disk(f"{self.scratch}/disk")
        self.state = f"{self.scratch}/state"
        os.mkdir(self.state)
        self.before = f"{self.scratch}/before"
        try:
            home = self.home(self.state)
            write.prepare(home)
            self.disk.unmount()
            self.disk.copy(f"{self.before}.ext4")
            self.disk.mount()
            shutil.copytree(self.state, self.before)
            shutil.copytree(self.disk.path, f"{self.scratch}/old")
            trace = f"{self.scratch}/trace"
            made = home.run(write.arguments, write.stdin, ["strace", "--decode-fds=path", "--output", trace])
            require(made.returncode == 0, f"without a fault, it ends with {made.returncode}: {text(made.stderr)}")
            write.learn(Home(f"{self.scratch}/old", state=self.before), home)
            self.calls = read_trace(trace)
        except BaseException:
            self.close()
            raise

    def home(self, state):
        return Home(self.disk.path, state=state)

    def close(self):
        self.disk.__exit__()
        shutil.rmtree(self.scratch)

    def start_over(self):
        self.disk.restore(f"{self.before}.ext4")
        shutil.rmtree(self.state)
        shutil.copytree(self.before, self.state)

    def steps(self, with_journal, omitted):
        """Makes the write, and takes a copy behind each call. Of fsync, some calls are omitted: those of the numbers, or
        all.

        strace's SIGSTOP takes effect when the call has been made.
        """
        self.start_over()
        home = self.home(self.state)
        effects = [f"{name}:signal=SIGSTOP" for name in CHANGING if name not in SYNCING]
        effects += [f"{name}:{omitted or 'signal=SIGSTOP'}" for name in SYNCING]
        reading, writing = os.pipe()
        with open(reading, "rb") as trace, tempfile.TemporaryFile() as stdin:
            stdin.write(self.write.stdin)
            stdin.seek(0)
            making = subprocess.Popen(
                ["strace", "--decode-fds=path", "--output", f"/dev/fd/{writing}", "--trace", ",".join(CHANGING),
                 *(word for effect in effects for word in ("--inject", effect)), VAULT, *self.write.arguments],
                stdin=stdin, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=home.environment, cwd=home.path,
                pass_fds=[writing], start_new_session=True)
            with making:
                os.close(writing)
                try:
                    steps = self.follow(making, trace, with_journal)
                    _, messages = making.communicate(timeout=LIMIT)
                except BaseException as problem:
                    end(making)
                    if isinstance(problem, subprocess.TimeoutExpired):
                        raise Failed(f"for {LIMIT} seconds, it has done nothing") from None
                    raise
        require(making.returncode == 0, f"without a fault, it ends with {making.returncode}: {text(messages)}")
        steps.append(self.step("the end, with 0", with_journal, len(steps), has_ended=True))
        self.disk.unmount()
        return steps

    def follow(self, making, trace, with_journal):
        """Takes a copy each time the write stops, and lets it go on."""
        steps, call = [], ""
        for line in lines(trace):
            if line.startswith("--- stopped by SIGSTOP"):
                if not re.match(r"openat\(.*O_RDONLY(?!.*O_CREAT)|write\([12]<", call):
                    steps.append(self.step(call, with_journal, len(steps)))
                with open(f"/proc/{making.pid}/task/{making.pid}/children") as children:
                    os.kill(int(children.read()), signal.SIGCONT)
            elif not line.startswith("---"):
                call = line.strip()
        return steps

    def step(self, line, with_journal, number, has_ended=False):
        """Takes a copy."""
        if with_journal:
            with open(f"{self.disk.path}/other", "ab") as other:
                other.write(b".")
                other.flush()
                os.fsync(other.fileno())
        return Step(self.disk, self.state, f"{self.scratch}/step-{number}", line, has_ended)

    def check(self, step):
        """Mounts a copy, and returns the version that is there."""
        shutil.copyfile(step.image, self.disk.image)
        self.disk.mount()
        try:
            home = self.home(step.state)
            which = self.write.judge(home)
            require(which == NEW or not step.has_ended, "what was said to be done is not there", Lost)
            self.write.check_opens(home, which)
            self.write.go_on(home)
            require(not home.remains(), f"the next write leaves {', '.join(home.remains())} behind")
            return which
        finally:
            self.disk.unmount()

    def results(self, with_journal, omitted=None):
        """The steps, each with the version that is there behind it, or why it failed."""
        steps = self.steps(with_journal, omitted)
        try:
            for step in steps:
                try:
                    yield step, self.check(step)
                except Failed as failure:
                    yield step, failure
        finally:
            for step in steps:
                step.remove()
            self.disk.mount()


def lines(trace):
    """The lines of a trace, as they come; each of them within a time."""
    rest = b""
    while select.select([trace], [], [], LIMIT)[0]:
        read = os.read(trace.fileno(), 1 << 16)
        if not read:
            return
        *whole, rest = (rest + read).split(b"\n")
        yield from (line.decode(errors="replace") for line in whole)
    raise subprocess.TimeoutExpired("strace", LIMIT)


def run(scratch, words, report):
    reason = obstacle(scratch)
    if reason:
        report.skip("power", reason)
        return 0
    total = 0
    for write in words.writes or [WRITES[name] for name in USUAL]:
        try:
            cut = CutWrite(write, scratch)
        except Failed as failure:
            report.failed(failure, "power", write.name)
            continue
        try:
            found = Counter()
            for with_journal in (False, True):
                for step, result in cut.results(with_journal):
                    total += 1
                    if isinstance(result, Failed):
                        line = step.line.replace(cut.disk.path, "~")
                        report.failed(f"power cut behind {line}\n{result}", "power", write.name)
                    else:
                        found[result] += 1
            report.line(f"power {write.name}: {found[OLD] + found[NEW]} copies; {found[OLD]} have the version before, "
                        f"{found[NEW]} the one after")
            if write.name == CONTROL:
                control(cut, report)
        except Failed as failure:
            report.failed(failure, "power", write.name)
        finally:
            cut.close()
    return total


def control(cut, report):
    """Without a sync there has to be a loss, or the copies prove nothing. Other failures are none."""

    def first(path):
        number = next((call.number for call in cut.calls if call.name == "fsync" and f"{path}>" in call.line), None)
        require(number, f"there is no fsync of {path}")
        return number

    of_file, of_folder = first(".tmp"), first("/share/vault")
    for what, omitted in (("any fsync", "retval=0"), ("the fsync of the file", f"retval=0:when={of_file}"),
                          ("the fsync of the folder", f"retval=0:when={of_folder}")):
        results = [result for with_journal in (False, True) for _, result in cut.results(with_journal, omitted)]
        losses = [str(result) for result in results if isinstance(result, Lost)]
        if losses:
            report.line(f"power control: without {what}, {len(losses)} of {len(results)} copies have a loss: {losses[-1]}")
        else:
            report.failed(f"without {what} nothing is lost: the copies prove nothing", "power", CONTROL)
