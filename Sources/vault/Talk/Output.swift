internal import Glibc
internal import Sodium

/// Standard output. Whatever goes there passes through guarded memory, since it may be a secret.
enum Output {
    /// What stands for a secret on a terminal.
    static let mask = "••••"

    static var isTerminal: Bool { isatty(1) == 1 }

    /// Says how to see what was masked.
    static func noteMask(unless quiet: Bool) { Messages.notice("masked; use --reveal to see it", unless: quiet) }

    /// Says that others can read the file which the output goes into.
    static func noteOpenFile(unless quiet: Bool) {
        var status = stat()
        guard unsafe fstat(1, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o044 != 0 else {
            return
        }
        Messages.notice(
            "others can read the file that the tokens went into; 'umask 077' before keeps the next one to you",
            unless: quiet)
    }

    /// Whether colours are wanted.
    static var isColoured: Bool {
        isTerminal && Variables.text("NO_COLOR") == nil && Variables.text("TERM") != "dumb"
    }

    /// Writes public text.
    static func write(_ text: String) throws {
        try write(Array(text.utf8).span)
    }

    /// Writes what came of a change. Where that cannot be written it is said in the message, since the change was made all
    /// the same; it is no secret.
    static func write(outcome text: String) throws {
        do {
            try write(text)
        } catch {
            Messages.print(
                "it was done, and this is what came of it: " + text.split(separator: "\n").joined(separator: ", "))
            throw error
        }
    }

    /// Whether whoever reads has enough. The rest of the command goes on, since its exit code is still an answer.
    nonisolated(unsafe) private static var isClosed = false

    /// Writes bytes, all of them, or quietly none when nobody reads them any more.
    static func write(_ bytes: Span<UInt8>) throws {
        var written = unsafe isClosed ? bytes.count : 0
        while written < bytes.count {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.write(1, $0.baseAddress.map { unsafe $0 + written }, $0.count - written)
            }
            if count < 0 {
                if errno == EINTR { continue }
                // Somebody who shares it has set it so.
                if errno == EAGAIN { Self.wait(for: 1, POLLOUT); continue }
                if errno == EPIPE {
                    unsafe isClosed = true
                    return
                }
                throw Failure(.io, "writing the output: \(Failure.text(errno))")
            }
            written += count
        }
    }

    /// Waits until a descriptor that does not block can be read or written.
    static func wait(for descriptor: Int32, _ events: Int32) {
        var polled = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        _ = unsafe poll(&polled, 1, -1)
    }

    /// Writes what is in the buffer once it is large, or in any case, and empties it.
    static func flush(_ buffer: inout SecretBuffer, atLeast size: Int = 1) throws {
        guard buffer.count >= size else { return }
        try buffer.withBytes { try write($0) }
        buffer.removeAll()
    }
}

extension SecretBuffer {
    /// Appends text that is no secret.
    mutating func append(text: String) {
        append(Array(text.utf8).span)
    }
}
