internal import Glibc
internal import Sodium

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
        guard unsafe fstat(0, &status) == 0, [S_IFIFO, S_IFREG, S_IFSOCK].contains(status.st_mode & S_IFMT) else {
            throw Failure(
                .usage, "there is no token: standard input is neither a pipe nor a file",
                hint: "pipe the token in, or give --token-fd N")
        }
        return try read(0, what: "the token from standard input")
    }

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

    /// All that can be read from a descriptor.
    static func readAll(_ descriptor: Int32, what: String, limit: Int = .max) throws -> SecretBuffer {
        // Most of what is read is a line or a few; the region grows with what there is.
        var content = SecretBuffer(capacity: 4096)
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
                return count
            }
            if content.count > limit { throw Failure(.usage, "reading \(what): it has more than \(limit) bytes") }
        }
        return content
    }

    /// The content of a file that may be secret.
    static func readFile(_ path: String, what: String, limit: Int = maximumSize) throws -> SecretBuffer {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let isMissing = errno == ENOENT || errno == ENOTDIR
            throw Failure(isMissing ? .missing : .io, "reading \(what) \(path): \(Failure.text(errno))")
        }
        defer { close(descriptor) }
        return try readAll(descriptor, what: "\(what) \(path)", limit: limit)
    }
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
}
