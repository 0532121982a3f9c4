internal import Glibc
package import SystemPackage

/// Small text files.
package enum SmallFile {
    /// The content of a file, or nil when there is none.
    ///
    /// - Parameters:
    ///   - path: The file. Anything but a regular one is refused.
    ///   - maximumSize: How large it may be, in bytes.
    ///   - unreadableIsNone: Whether one that may not be read is the same as none.
    /// - Returns: The content, or nil.
    /// - Throws: ``VaultError/system(operation:path:errno:)``.
    package static func read(
        _ path: FilePath, maximumSize: Int = 1 << 20, unreadableIsNone: Bool = false
    ) throws(VaultError) -> [UInt8]? {
        let source: FileSource
        do {
            source = try FileSource(opening: path)
        } catch {
            if error.errno == ENOENT || error.errno == ENOTDIR { return nil }
            if unreadableIsNone, error.errno == EACCES || error.errno == EPERM { return nil }
            throw .system(operation: .reading, path: path.string, errno: error.errno)
        }
        guard source.byteCount <= maximumSize else {
            throw .system(operation: .reading, path: path.string, errno: EFBIG)
        }
        var bytes = [UInt8](repeating: 0, count: source.byteCount)
        var output = bytes.mutableSpan
        do {
            try source.read(into: &output, at: 0)
        } catch {
            throw .system(operation: .reading, path: path.string, errno: EIO)
        }
        return bytes
    }
}
