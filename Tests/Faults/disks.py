"""File systems of their own: ext4 in a file, mounted by loop."""

import os
import shutil
import subprocess

from homes import Failed, require, text

BLOCK = 4096


def command(*words):
    made = subprocess.run(words, capture_output=True)
    require(made.returncode == 0, f"{' '.join(words)} ends with {made.returncode}: {text(made.stderr)}")


def obstacle(scratch):
    """Why nothing can be mounted here; None when it can."""
    if os.geteuid() != 0:
        return "mounting takes root"
    for tool in ("mkfs.ext4", "mount", "umount"):
        if not shutil.which(tool):
            return f"there is no {tool}"
    try:
        with Disk(f"{scratch}/try"):
            return None
    except Failed as failure:
        return f"nothing can be mounted by loop: {failure}"


class Disk:
    """A file system, mounted at a path."""

    def __init__(self, path):
        self.path = path
        self.image = f"{path}.ext4"
        os.mkdir(path)
        with open(self.image, "wb") as file:
            file.truncate(16 << 20)
        # Nothing is kept for root.
        command("mkfs.ext4", "-q", "-F", "-b", str(BLOCK), "-m", "0", "-N", "64", self.image)
        try:
            self.mount()
        except Failed:
            self.remove()
            raise

    def mount(self):
        # Without what ext4 does for programs that do not sync; vault must not need it. Nor is the journal written because
        # some seconds have gone by.
        command("mount", "-o", "loop,noauto_da_alloc,commit=600", self.image, self.path)

    def unmount(self):
        command("umount", self.path)

    def copy(self, path):
        """Copies all that is on the disk, which is not what is in the system's memory."""
        shutil.copyfile(self.image, path)

    def restore(self, path):
        """Puts a copy in the place of the disk."""
        self.unmount()
        shutil.copyfile(path, self.image)
        self.mount()

    def remove(self):
        os.remove(self.image)
        os.rmdir(self.path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if os.path.ismount(self.path):
            # What was ended may not be gone yet.
            command("umount", "-l", self.path)
        self.remove()
