internal import Age
internal import Glibc
internal import SystemPackage

/// A file that is read at any place. The file stays the one that was opened, whatever happens to its path.
final class FileSource: ByteSource {
    let byteCount: Int
    private let descriptor: FileDescriptor

    /// The system's number for what went wrong.
    struct Failure: Error {
        let errno: Int32
    }

    /// Opens a regular file. Anything else is refused, and a pipe is not waited for.
    init(opening path: FilePath) throws(Failure) {
        let descriptor: FileDescriptor
        do {
            descriptor = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec, .nonBlocking])
        } catch {
            throw Failure(errno: (error as? Errno)?.rawValue ?? EIO)
        }
        var status = stat()
        guard uninterrupted({ unsafe fstat(descriptor.rawValue, &status) }) == 0 else {
            let number = errno
            try? descriptor.close()
            throw Failure(errno: number)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            try? descriptor.close()
            throw Failure(errno: status.st_mode & S_IFMT == S_IFDIR ? EISDIR : EINVAL)
        }
        byteCount = Int(status.st_size)
        self.descriptor = descriptor
    }

    deinit { try? descriptor.close() }

    func read(into output: inout MutableSpan<UInt8>, at offset: Int) throws(AgeError) {
        var filled = 0
        while filled < output.count {
            let count: Int
            do {
                count = try unsafe output.withUnsafeMutableBytes { buffer in
                    try unsafe descriptor.read(
                        fromAbsoluteOffset: Int64(offset + filled),
                        into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
                }
            } catch {
                throw .unreadable(errno: (error as? Errno)?.rawValue ?? EIO)
            }
            // Shorter than it was when it was opened: somebody writes into it.
            guard count > 0 else { throw .payload("the file became shorter while it was read") }
            filled += count
        }
    }
}
