internal import CLinux
internal import Glibc

/// A file without a name, in memory, that can no longer be changed, and that a child inherits as a descriptor.
///
/// Opened by its path, each reader begins at its start, as often as it likes. It takes no disk.
public struct SealedFile: ~Copyable {
    /// The system's number for what went wrong.
    public struct Failure: Error {
        /// As in `errno`.
        public let errno: Int32
    }

    /// Scripts use low numbers for descriptors of their own (`exec 3> …`), and would close this one by that.
    static let lowestDescriptor: Int32 = 100

    private let descriptor: Int32

    private init(descriptor: Int32) { self.descriptor = descriptor }

    /// Makes a file with that content.
    public static func create(_ content: Span<UInt8>) throws(Failure) -> SealedFile {
        let first = unsafe clinux_memfd_create_sealable("vault")
        guard first >= 0 else { throw Failure(errno: errno) }
        let moved = clinux_duplicate_from(first, lowestDescriptor)
        if moved >= 0 { close(first) }
        let file = SealedFile(descriptor: moved >= 0 ? moved : first)
        var written = 0
        while written < content.count {
            let count = unsafe content.withUnsafeBytes { bytes in
                unsafe write(file.descriptor, bytes.baseAddress.map { unsafe $0 + written }, bytes.count - written)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw Failure(errno: errno) }
            written += count
        }
        while clinux_seal(file.descriptor) != 0 {
            guard errno == EINTR else { throw Failure(errno: errno) }
        }
        return file
    }

    /// Where this process and its children find it.
    public var path: String { "/dev/fd/\(descriptor)" }

    deinit { close(descriptor) }
}
