internal import CLinux
internal import Glibc

/// Content that a child can read once: a pipe that is full, and that nobody writes to any more. Whoever opens it by its
/// path a second time finds it empty.
public struct FilledPipe: ~Copyable {
    /// The system's number for what went wrong.
    public struct Failure: Error {
        /// As in `errno`; `EMSGSIZE` for content that is larger than a pipe may be here (`pipe(7)`, pipe-max-size).
        public let errno: Int32
    }

    private let descriptor: Int32

    private init(descriptor: Int32) { self.descriptor = descriptor }

    /// Makes a pipe with that content.
    ///
    /// - Throws: ``Failure``.
    public static func create(_ content: Span<UInt8>) throws(Failure) -> FilledPipe {
        var ends: [Int32] = [0, 0]
        guard unsafe clinux_pipe(&ends) == 0 else { throw Failure(errno: errno) }
        let (output, input) = (ends[0], ends[1])
        defer { close(input) }
        let moved = clinux_duplicate_from(output, SealedFile.lowestDescriptor)
        guard moved >= 0 else {
            let number = errno
            close(output)
            throw Failure(errno: number)
        }
        close(output)
        let pipe = FilledPipe(descriptor: moved)
        // So that writing never waits for a reader.
        guard
            content.count <= clinux_pipe_size(input)
                || content.count <= clinux_set_pipe_size(input, Int32(clamping: content.count))
        else { throw Failure(errno: EMSGSIZE) }
        var written = 0
        while written < content.count {
            let count = unsafe content.withUnsafeBytes { bytes in
                unsafe write(input, bytes.baseAddress.map { unsafe $0 + written }, bytes.count - written)
            }
            guard count > 0 || count < 0 && errno == EINTR else { throw Failure(errno: errno) }
            written += max(count, 0)
        }
        return pipe
    }

    /// Where this process and its children find it.
    public var path: String { "/dev/fd/\(descriptor)" }

    deinit { close(descriptor) }
}
