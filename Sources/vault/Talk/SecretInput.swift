internal import Glibc
internal import Sodium
internal import VaultFile

/// Secrets that come from outside: never from an argument.
enum SecretInput {
    /// More than any token or passphrase may have.
    static let maximumSize = 1 << 20

    static var isTerminal: Bool { isatty(0) == 1 }

    /// The token for a new or rotated resource: from `--token-fd`, else from standard input when that is a pipe or a
    /// file, else from the terminal.
    static func token(descriptor: Int32?, name: String, access: Access) throws -> SecretBytes {
        if let descriptor {
            return try read(descriptor, what: "the token from descriptor \(descriptor)")
        }
        if isTerminal { return try promptedToken(name, access) }
        var status = stat()
        if uninterrupted({ unsafe fstat(0, &status) }) != 0 {
            throw Failure(.io, "reading the token from standard input: \(Failure.text(errno))")
        }
        guard isStream(status) else {
            throw Failure(
                .usage, "there is no token: standard input is neither a pipe nor a file",
                hint: "pipe the token in, or give --token-fd N")
        }
        return try read(0, what: "the token from standard input")
    }

    /// Whether a descriptor is a pipe or a file, of which there is an end.
    static func isStream(_ status: stat) -> Bool { [S_IFIFO, S_IFREG, S_IFSOCK].contains(status.st_mode & S_IFMT) }

    private static func promptedToken(_ name: String, _ access: Access) throws -> SecretBytes {
        guard let terminal = Terminal(access) else {
            throw Failure(
                .usage, "there is no token, and nobody to ask for one", hint: "pipe the token in, or give --token-fd N")
        }
        return try terminal.readSecret("Token for \(name): ")
    }

    /// All that can be read from a descriptor, less one newline at its end.
    static func read(_ descriptor: Int32, what: String, limit: Int = maximumSize) throws -> SecretBytes {
        var content = try readAll(descriptor, what: what, limit: limit)
        content.dropNewline()
        return content.finish()
    }

    /// All that can be read from a descriptor; `check` gets each piece as it comes.
    static func readAll(
        _ descriptor: Int32, what: String, limit: Int = .max, check: (Span<UInt8>) throws -> Void = { _ in }
    ) throws -> SecretBuffer {
        // Most of what is read is a line or a few; the region grows with what there is.
        var content = SecretBuffer()
        var isDone = false
        while !isDone {
            try content.withSpace(max(2048, content.count)) { space in
                let count = unsafe space.withUnsafeMutableBytes {
                    unsafe Glibc.read(descriptor, $0.baseAddress, $0.count)
                }
                if count < 0, errno == EINTR { return 0 }
                if count < 0, errno == EBADF { throw Failure(.usage, "reading \(what): it is not open") }
                if count < 0 { throw Failure(.io, "reading \(what): \(Failure.text(errno))") }
                isDone = count == 0
                try check(space.span.extracting(first: count))
                return count
            }
            if content.count > limit { throw Failure(.usage, "reading \(what): it has more than \(limit) bytes") }
        }
        return content
    }

    /// Opens a file for reading; one that is missing is told from one that cannot be read, and a named pipe is not waited
    /// for.
    static func open(_ path: String, what: String) throws -> Int32 {
        let descriptor = uninterrupted { unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK) }
        guard descriptor >= 0 else {
            let isMissing = errno == ENOENT || errno == ENOTDIR
            throw Failure(isMissing ? .missing : .io, "reading \(what): \(Failure.text(errno))")
        }
        return descriptor
    }

    /// The content of a file that may be secret.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - what: What a message calls it.
    ///   - limit: The most bytes that are taken.
    ///   - namesPath: Whether messages may have the path in them: not where it may be a secret in a wrong place.
    ///   - check: Gets the status of the file that was opened, before anything is read.
    /// - Returns: The content.
    /// - Throws: ``Failure``, or what `check` throws.
    static func readFile(
        _ path: String, what: String, limit: Int = maximumSize, namesPath: Bool = true,
        check: (stat) throws -> Void = { _ in }
    ) throws -> SecretBuffer {
        let what = namesPath ? "\(what) \(path)" : what
        let descriptor = try open(path, what: what)
        defer { close(descriptor) }
        let status = try awaitContent(of: descriptor, what: what, check: check)
        let content = try readAll(descriptor, what: what, limit: limit)
        keepFromChildren(path)
        if status.st_mode & S_IFMT == S_IFIFO, content.count == 0 {
            throw Failure(.io, "reading \(what): nothing came through this pipe")
        }
        return content
    }

    /// Makes sure that what was opened can be read to an end: a file, or a pipe into which somebody writes.
    ///
    /// - Returns: Its status.
    @discardableResult
    static func awaitContent(
        of descriptor: Int32, what: String, check: (stat) throws -> Void = { _ in }
    ) throws -> stat {
        var status = stat()
        guard uninterrupted({ unsafe fstat(descriptor, &status) }) == 0 else {
            throw Failure(.io, "reading \(what): \(Failure.text(errno))")
        }
        try check(status)
        // A folder is named when it is read.
        guard isStream(status) || status.st_mode & S_IFMT == S_IFDIR else {
            throw Failure(.io, "reading \(what): it is neither a file nor a pipe")
        }
        if status.st_mode & S_IFMT == S_IFIFO {
            // A writer gets a moment to come; what has one already, as a process substitution, is read to its end.
            var key = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            while unsafe poll(&key, 1, pipePatience) < 0, errno == EINTR {}
        }
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK)
        return status
    }

    /// Keeps what a path leads to from the command that comes after, where that is something inherited: it could be read
    /// once more. There are many ways to write such a path, so that files are compared, and not names.
    static func keepFromChildren(_ path: String) {
        guard path.hasPrefix("/dev/") || path.hasPrefix("/proc/") else { return }
        var named = stat()
        guard unsafe stat(path, &named) == 0, let folder = unsafe opendir("/proc/self/fd") else { return }
        var inherited: [Int32] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            var status = stat()
            if let descriptor = Int32(name), unsafe fstat(descriptor, &status) == 0,
                status.st_dev == named.st_dev, status.st_ino == named.st_ino
            {
                inherited.append(descriptor)
            }
        }
        unsafe closedir(folder)
        for descriptor in inherited { keepFromChildren(descriptor) }
    }

    /// Keeps a descriptor that was read from the command that comes after. A standard one has to be something, and a
    /// terminal has nothing in it.
    static func keepFromChildren(_ descriptor: Int32) {
        if descriptor > 2 {
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        } else if descriptor >= 0, isatty(descriptor) == 0, case let null = unsafe Glibc.open("/dev/null", O_RDWR),
            null >= 0
        {
            dup2(null, descriptor)
            close(null)
        }
    }

    /// How long a named pipe may have no writer, in milliseconds.
    private static let pipePatience: Int32 = 2000
}

extension SecretBuffer {
    /// Drops one line end at the end.
    mutating func dropNewline() {
        var size = count
        withBytes { bytes in
            if size > 0, bytes[size - 1] == UInt8(ascii: "\n") {
                size -= 1
                if size > 0, bytes[size - 1] == UInt8(ascii: "\r") { size -= 1 }
            }
        }
        truncate(to: size)
    }

    /// Appends a byte, of which no copy is left anywhere else.
    mutating func append(_ byte: UInt8) {
        withSpace(1) { space in
            space[0] = byte
            return 1
        }
    }

    /// Drops the last character, all of its bytes in UTF-8.
    mutating func dropCharacter() {
        var size = count
        withBytes { bytes in
            while size > 0 {
                size -= 1
                // What continues a character has the bits 10 in front.
                if bytes[size] & 0xc0 != 0x80 { break }
            }
        }
        truncate(to: size)
    }
}
