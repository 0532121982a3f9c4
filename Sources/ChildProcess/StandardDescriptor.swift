internal import Glibc

/// One of the descriptors 0 to 2, and what it is.
struct StandardDescriptor {
    let number: Int32
    let isTerminal: Bool
    let isWritable: Bool
    let status: stat

    /// Nil when it was closed: then something else holds its number, which no child inherits.
    init?(_ number: Int32) {
        let flags = fcntl(number, F_GETFD)
        var status = stat()
        guard flags >= 0, flags & FD_CLOEXEC == 0, unsafe fstat(number, &status) == 0 else { return nil }
        self.number = number
        self.status = status
        isTerminal = isatty(number) == 1
        isWritable = fcntl(number, F_GETFL) & O_ACCMODE != O_RDONLY
    }

    /// Whether what is written to both ends up in one order.
    func isSameFile(as other: StandardDescriptor) -> Bool {
        status.st_dev == other.status.st_dev && status.st_ino == other.status.st_ino
            && status.st_rdev == other.status.st_rdev && isTerminal == other.isTerminal
    }

    var kind: mode_t { status.st_mode & S_IFMT }
}
