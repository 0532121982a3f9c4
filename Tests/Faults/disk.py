"""Full disks: a write with any number of free blocks, from none to as many as it takes, and without a free inode.

What is full is the disk with all of the home; and then one with what vault remembers and writes down besides, without
which it does its work all the same.
"""

import os
import shutil
from collections import Counter

from disks import BLOCK, Disk, obstacle
from homes import Failed, Home, require, text
from writes import NEW, OLD, WRITES

USUAL = ("rotate", "rekey", "init", "passphrase", "template")
# As many as this in a row went well: there is room enough.
ENOUGH = 3
# More blocks than any of the writes takes.
MOST = 200


class FullWrite:
    """A write on a disk without room."""

    def __init__(self, write, scratch):
        self.write = write
        self.scratch = f"{scratch}/disk-{write.name}"
        os.mkdir(self.scratch)
        self.disk = Disk(f"{self.scratch}/disk")
        try:
            home = Home(self.disk.path)
            write.prepare(home)
            self.disk.unmount()
            self.disk.copy(f"{self.scratch}/before.ext4")
            self.disk.mount()
            shutil.copytree(self.disk.path, f"{self.scratch}/before")
            home.must(write.arguments, write.stdin, when="with room")
            write.learn(Home(f"{self.scratch}/before"), home)
        except BaseException:
            self.close()
            raise

    def close(self):
        self.disk.__exit__()
        shutil.rmtree(self.scratch)

    def run(self, blocks, inodes=None):
        """Makes the write with so much room, and returns the version that is there afterwards."""
        self.disk.restore(f"{self.scratch}/before.ext4")
        home = Home(self.disk.path)
        fillers = fill(self.disk.path, blocks, inodes)
        made = home.run(self.write.arguments, self.write.stdin)
        which = self.write.judge(home)
        told = f"the {which} version is there, and it ended with {made.returncode}: {text(made.stderr)}"
        if made.returncode == 0:
            require(which == NEW, told)
        else:
            require(made.returncode in (73, 74) and "no space left on device" in text(made.stderr), told)
            require(which == (NEW if self.write.claims(text(made.stderr)) else OLD), told)
        # Reading takes no room.
        self.write.check_opens(home, which)
        for filler in fillers:
            os.remove(filler)
        self.write.go_on(home)
        require(not home.remains(), f"the next write leaves {', '.join(home.remains())} behind")
        return which


def fill(folder, blocks, inodes=None):
    """Fills a disk until so many blocks are free, or so many inodes. Returns what it is filled with."""
    fillers = []
    if inodes is not None:
        for number in range(os.statvfs(folder).f_ffree - inodes):
            fillers.append(f"{folder}/filler-{number}")
            with open(fillers[-1], "wb"):
                pass
        return fillers
    fillers.append(f"{folder}/filler")
    size = os.statvfs(folder).f_bavail - blocks
    with open(fillers[0], "wb") as filler:
        # More than once, since the file may take a block for itself.
        for _ in range(10):
            os.truncate(filler.fileno(), size * BLOCK)
            try:
                os.posix_fallocate(filler.fileno(), 0, size * BLOCK)
            except OSError:
                size -= 1
                continue
            free = os.statvfs(folder).f_bavail
            if free == blocks:
                return fillers
            size += free - blocks
    raise Failed(f"the disk cannot be filled until {blocks} blocks are free")


def run(scratch, words, report):
    reason = obstacle(scratch)
    if reason:
        report.skip("disk", reason)
        return 0
    total = 0
    for write in words.writes or [WRITES[name] for name in USUAL]:
        try:
            full = FullWrite(write, scratch)
        except Failed as failure:
            report.failed(failure, "disk", write.name)
            continue
        try:
            found = Counter()
            for blocks, inodes, result in cases(full, words.numbers):
                total += 1
                if isinstance(result, Failed):
                    room = f"{blocks} free blocks" if inodes is None else f"{inodes} free inodes"
                    report.failed(f"{write.name} with {room}\n{result}", "disk", write.name, blocks if inodes is None else "")
                else:
                    found[result] += 1
            report.line(f"disk {write.name}: {found[OLD] + found[NEW]} amounts of room; with {found[OLD]} the version "
                        f"before is there, with {found[NEW]} the one after")
        finally:
            full.close()
    if not words.writes:
        beside(scratch, report)
    return total


def cases(full, numbers):
    """Free blocks, free inodes, and what came of the write."""

    def case(blocks, inodes=None):
        try:
            return blocks, inodes, full.run(blocks, inodes)
        except Failed as failure:
            return blocks, inodes, failure

    if numbers:
        yield from map(case, numbers)
        return
    for inodes in range(4):
        yield case(None, inodes)
    blocks = in_a_row = 0
    while in_a_row < ENOUGH:
        found = case(blocks)
        yield found
        in_a_row = in_a_row + 1 if found[2] == NEW else 0
        blocks += 1
        if blocks > MOST:
            yield blocks, None, Failed("it does not succeed with any room")
            return


def beside(scratch, report):
    """What vault remembers is on a full disk, and so is the trail."""
    disk = Disk(f"{scratch}/state")
    home = Home(f"{scratch}/beside", state=disk.path)
    try:
        write = WRITES["rotate"]
        write.prepare(home)
        fillers = fill(disk.path, 0)
        before = home.copy(f"{scratch}/beside-before")
        made = home.must(write.arguments, write.stdin, when="with a full disk for what is remembered")
        write.learn(before, home)
        require(write.judge(home) == NEW, "with a full disk for what is remembered, the write is lost")
        printed = home.must(["token", "demo"], when="with a full disk for the trail")
        require(printed.strip() == write.stdin, f"with a full disk for the trail, the token is {text(printed)}")
        for filler in fillers:
            os.remove(filler)
        write.check_opens(home, NEW)
        write.go_on(home)
        require(not home.remains(), "something is left")
        report.line("disk beside: a write and a token, with no room for what is remembered and written down besides")
    except Failed as failure:
        report.failed(failure, "disk")
    finally:
        disk.__exit__()
        for name in ("beside", "beside-before"):
            shutil.rmtree(f"{scratch}/{name}", ignore_errors=True)
