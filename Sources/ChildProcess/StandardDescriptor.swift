internal import Glibc

/// One of the descriptors 0 to 2, and what it is.
struct StandardDescriptor {
    let number: Int32
    let isTerminal: Bool
    let isWritable: Bool
    let status: stat

    /// Nil when it was closed: then something else holds its number, which no child inherits.
    ///
    /// - Throws: ``Relay/Failure`` where the system cannot say what it is: a child would inherit it all the same, and what
    ///   it writes there would not be masked.
    init?(_ number: Int32) throws(Relay.Failure) {
        let flags = fcntl(number, F_GETFD)
        if flags < 0, errno == EBADF { return nil }
        if flags >= 0, flags & FD_CLOEXEC != 0 { return nil }
        var status = stat()
        let mode = fcntl(number, F_GETFL)
        guard flags >= 0, mode >= 0, unsafe fstat(number, &status) == 0 else {
            throw Relay.Failure(SystemError("looking at descriptor \(number)"))
        }
        self.number = number
        self.status = status
        isTerminal = isatty(number) == 1
        isWritable = mode & O_ACCMODE != O_RDONLY
    }

    /// Whether what is written to both ends up in one order.
    func isSameFile(as other: StandardDescriptor) -> Bool {
        status.st_dev == other.status.st_dev && status.st_ino == other.status.st_ino
            && status.st_rdev == other.status.st_rdev && isTerminal == other.isTerminal
    }

    var kind: mode_t { status.st_mode & S_IFMT }
}
