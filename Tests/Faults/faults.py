"""Puts faults into the writes of vault, by the words of Scripts/test-faults. The first argument is a folder to work in."""

import errno
import re
import sys

sys.dont_write_bytecode = True
import disk
import inject
import power
from writes import WRITES

GROUPS = {"inject": inject.run, "power": power.run, "disk": disk.run}


class Words:
    """What is chosen; of what no word speaks, all."""

    def __init__(self, words):
        named = [word for word in words[:1] if word in GROUPS]
        self.groups = named or (["inject"] if words else list(GROUPS))
        self.writes, self.calls, self.numbers, self.faults = [], [], [], []
        for word in words[len(named):]:
            if word in WRITES:
                self.writes.append(WRITES[word])
            elif word.isdigit() and named != ["power"]:
                self.numbers.append(int(word))
            elif self.groups == ["inject"] and (word in inject.FAULTS or hasattr(errno, word)):
                self.faults.append(word)
            elif self.groups == ["inject"] and re.fullmatch("[a-z][a-z_0-9]*", word):
                self.calls.append(word)
            else:
                fail(f"unknown word: {word}")


class Report:
    """A line for each part, and for each failure the words that make it again."""

    def __init__(self):
        self.failures = self.skipped = 0

    def line(self, line):
        print(line, flush=True)

    def failed(self, what, *words):
        self.failures += 1
        self.line(f"FAILED: {str(what)[:1000]}\n  again: Scripts/test-faults {' '.join(map(str, words))}")

    def skip(self, group, reason):
        self.skipped += 1
        self.line(f"{group}: skipped, since {reason}")


def fail(what):
    print(f"test-faults: {what}\nhint: Scripts/test-faults --help", file=sys.stderr)
    sys.exit(64)


def main():
    scratch, *arguments = sys.argv[1:]
    words = Words(arguments)
    report = Report()
    cases = 0
    for group in words.groups:
        cases += GROUPS[group](scratch, words, report)
    if not cases and not report.skipped and not report.failures:
        fail("there is no such call in these writes")
    report.line(f"{cases} faults, {report.failures} of them failed; {report.skipped} of {len(words.groups)} groups skipped")
    sys.exit(1 if report.failures else 0)


main()
