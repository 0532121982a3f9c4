"""Faults of system calls, which strace puts into one call of one write at a time.

Before each case there is the same home. After it, stock age and vault read what is there, which is the version before
or the one after, and nothing else; the exit code says which, if there is one; and the next write succeeds and sweeps up.
"""

import itertools
import os
import re
import shutil
import signal
from collections import Counter, namedtuple
from concurrent.futures import ThreadPoolExecutor

from homes import VAULT, Failed, Home, require, text
from writes import NEW, OLD, WRITES

# Calls that have to do with no file: memory, threads, signals, and what a process asks of itself. Their names on the
# command line get at them all the same.
ASIDE = re.compile(r"""
    execve | exit_group | brk | mmap | munmap | mprotect | madvise | mlock | munlock | arch_prctl | prctl | prlimit64
    | rseq | set_tid_address | set_robust_list | sched_\w+ | rt_\w+ | futex | clone3? | clock_\w+ | getrandom | uname
    | ioctl | gete?[ug]id | gettid | getp?pid | getcwd | socket | setsockopt | connect""", re.VERBOSE)
# A signal that came in between: nothing of it is to be seen.
INTERRUPTED = "EINTR"
KILL_BEFORE, KILL_AFTER = "kill-before", "kill-after"
# A call that says it did a part of its work, and did nothing: what vault reads back is something else.
LIE = "lie"
FAULTS = ("EIO", INTERRUPTED, "ENOSPC", "EDQUOT", KILL_BEFORE, KILL_AFTER, LIE)
# For lack of space fails what makes something; reading does not.
MAKING = re.compile(r"open\w*|p?write\w*|close|f\w*sync|f?truncate|fallocate|flock|f?ch(mod|own)|mkdir|rename\w*|link\w*")
# What must not fail without a word: the new version is not safe on the disk then.
TELLING = re.compile(r"(p?write\w*|f\w*sync|f?truncate|fallocate)\(\d+<(?!pipe:)|(rename|link)\w*\(")
# Of which every call is gone through. Of the others it is those that make something: they all read alike.
WHOLE = "rotate"
# What is left out unless a word names it: what it makes is what others make, and it takes long.
UNUSUAL = ("edit", "remove", "member-remove")

# The number-th call of that name in a write, and the call behind it.
Call = namedtuple("Call", "name number line next")
Case = namedtuple("Case", "call fault")


def read_trace(path):
    """The calls of a trace of one thread."""
    calls, numbers = [], Counter()
    with open(path, errors="replace") as file:
        for line in file:
            match = re.match(r"(\w+)\(", line)
            if match:
                numbers[match[1]] += 1
                calls.append(Call(match[1], numbers[match[1]], line.strip(), None))
    return [call._replace(next=behind) for call, behind in zip(calls, [*calls[1:], None])]


def named_files(line, home):
    """The files that a call names, or has open; but not what is random in their names."""
    line = line.rsplit(" = ", 1)[0].replace("<unfinished ...>", "").replace(home.path, "~")
    line = re.sub(r'("/proc/self/exe"), ".*"', r"\1", line)
    if re.match(r"p?(read|write)", line):
        # Behind the descriptor comes content, which may look like anything.
        line = line.split(",")[0]
    return [re.sub(r"vault1[a-z0-9]{50,}|[0-9a-f]{8,16}(?=\.tmp)|(?<=/proc/)\d+|(?<=#)\d+|(?<=:\[)\d+", "…", name)
            for name in re.findall(r'(?<=<)[^>]*(?=>)|(?<=")(?:[~/]|\./)[^"]*(?=")', line)]


class FaultyWrite:
    """A write, and what it does without a fault."""

    def __init__(self, write, scratch):
        self.write = write
        self.scratch = f"{scratch}/{write.name}"
        self.numbers = itertools.count(1)
        os.mkdir(self.scratch)
        self.before = Home(f"{self.scratch}/before")
        write.prepare(self.before)
        self.untouched = self.before.files()
        self.after = self.before.copy(f"{self.scratch}/after")
        trace = f"{self.scratch}/trace"
        made = self.after.run(write.arguments, write.stdin, ["strace", "--decode-fds=path", "--output", trace])
        require(made.returncode == 0, f"without a fault, it ends with {made.returncode}: {text(made.stderr)}")
        write.learn(self.before, self.after)
        require(write.judge(self.after) == NEW, "without a fault, there is the old version")
        self.calls = read_trace(trace)

    def cases(self, words):
        """Which faults are put into which calls: all, or those that the words name."""
        calls = self.calls
        if words.calls:
            calls = [call for call in calls if call.name in words.calls]
        else:
            # Where the program itself begins, behind Swift's runtime.
            start = next(number for number, call in enumerate(calls) if call.line.startswith("prctl(PR_SET_DUMPABLE"))
            calls = [call for call in calls[start:] if not ASIDE.fullmatch(call.name)]
            if self.write.name != WHOLE:
                made = re.compile(r"mkdir|.*\b(O_CREAT|O_TMPFILE)\b")
                start = next(number for number, call in enumerate(calls) if made.match(call.line))
                calls = [call for call in calls[start:] if MAKING.fullmatch(call.name)]
        if words.numbers:
            calls = [call for call in calls if call.number in words.numbers]
        faults = words.faults or FAULTS
        chosen = {(call.name, call.number) for call in calls}
        cases = []
        for call in calls:
            for fault in faults:
                if fault == KILL_AFTER:
                    # Behind this call, or before the next one, is the same.
                    behind = call.next
                    if not behind or KILL_BEFORE in faults and (behind.name, behind.number) in chosen:
                        continue
                elif fault in ("ENOSPC", "EDQUOT") and not (MAKING.fullmatch(call.name) or words.faults):
                    continue
                elif fault not in (INTERRUPTED, KILL_BEFORE) and f'"{self.after.path}/run"' in call.line:
                    # Then an agent is looked for in /tmp, where whoever runs this may have one.
                    continue
                elif fault == LIE and not re.match(r"write\(\d+<[^>]*/\.vault\.age\.\w+\.tmp>", call.line):
                    continue
                cases.append(Case(call, fault))
        return calls, cases

    def run(self, case):
        """What came of a case: a version and an exit code, or why it failed."""
        home = self.before.copy(f"{self.scratch}/{next(self.numbers)}")
        try:
            return self.check(home, case)
        except Failed as failure:
            return failure
        finally:
            shutil.rmtree(home.path)

    def check(self, home, case):
        call, fault = case
        # A SIGKILL of strace's comes when the call is entered, and the call is then not made. So one behind a call is
        # one before the next.
        at = call.next if fault == KILL_AFTER else call
        if fault in (KILL_BEFORE, KILL_AFTER):
            effect = "signal=SIGKILL"
        else:
            effect = "retval=1" if fault == LIE else f"error={fault}"
        log = f"{home.path}/run/trace"
        made = home.run(
            self.write.arguments, self.write.stdin,
            ["strace", "--decode-fds=path", "--output", log, "--trace", at.name,
             "--inject", f"{at.name}:{effect}:when={at.number}"])
        self.check_fault(home, at, fault, log, made)
        os.remove(log)
        which = self.write.judge(home)
        if fault not in (KILL_BEFORE, KILL_AFTER):
            self.check_status(call, fault, made, which)
        if home.files() != self.untouched:
            self.write.check_opens(home, which)
            self.write.go_on(home)
            require(not home.remains(), f"the next write leaves {', '.join(home.remains())} behind")
        return which, made.returncode

    def check_fault(self, home, at, fault, log, made):
        """Whether the fault came where it was meant to."""
        with open(log, errors="replace") as file:
            lines = [line.strip() for line in file if line.startswith(f"{at.name}(")]
        require(len(lines) >= at.number, f"there was no {at.name} number {at.number}, so that no fault was put into it")
        line = lines[at.number - 1]
        require(named_files(line, home) == named_files(at.line, self.after), f"the fault came elsewhere: {line}")
        if fault in (KILL_BEFORE, KILL_AFTER):
            require(made.returncode == -signal.SIGKILL and len(lines) == at.number and line.endswith("= ?"),
                    f"it was not killed: {line}")
        else:
            require("(INJECTED)" in line, f"there was no fault: {line}")

    def check_status(self, call, fault, made, which):
        """Whether the exit code and the message are those of the version that is there."""
        status, message = made.returncode, text(made.stderr)
        line = call.line.replace(self.after.path, "~")
        told = f"the {which} version is there, and it ended with {status}: {message}"
        if status == 0:
            require(which == NEW, told)
            # Of known_vaults a message tells, with what to do about it.
            require(fault in (INTERRUPTED, LIE) or not TELLING.match(line) or self.write.beside.search(line)
                    or "could not be written down" in message, f"without a word about a failure, {told}")
        else:
            # Of other errors only the words of the command line know, and what they mean.
            require(status in (73, 74) or status > 0 and fault not in FAULTS, told)
            require(f"{os.path.basename(VAULT)}: " in message or re.match(r"write\(2[<,]", line),
                    f"without a message, {told}")
            if self.write.claims(message):
                require(which == NEW, told)
            elif not re.match(r"write\(1[<,]", line):
                require(which == OLD, told)
        require(fault != INTERRUPTED or status == 0, f"after an interruption, {told}")
        require(fault != LIE or status == 74 and which == OLD, f"after a write that did not happen, {told}")


def run(scratch, words, report):
    total = 0
    usual = [write for name, write in WRITES.items() if name not in UNUSUAL]
    for write in words.writes or usual:
        try:
            faulty = FaultyWrite(write, scratch)
        except Failed as failure:
            report.failed(failure, "inject", write.name)
            continue
        calls, cases = faulty.cases(words)
        found = Counter()
        with ThreadPoolExecutor(2 * (os.cpu_count() or 1)) as pool:
            for case, result in zip(cases, pool.map(faulty.run, cases)):
                call, fault = case
                if isinstance(result, Failed):
                    line = call.line.replace(faulty.after.path, "~")
                    report.failed(f"{line}\n{result}", "inject", write.name, call.name, call.number, fault)
                else:
                    found[result[0]] += 1
        if cases:
            report.line(f"inject {write.name}: {len(calls)} calls, {len(cases)} faults; after {found[OLD]} the version "
                        f"before is there, after {found[NEW]} the one after")
        total += len(cases)
        shutil.rmtree(faulty.scratch)
    return total
