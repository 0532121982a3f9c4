internal import Glibc
internal import SystemPackage
internal import VaultFile

/// A file that stays the one that was opened, whatever happens to its name, or that has none.
final class OpenedFile: Sendable {
    let descriptor: Int32

    /// What leads to it, as long as it is open.
    var path: FilePath { FilePath("/proc/self/fd/\(descriptor)") }

    /// Opens the file at `path` for reading; nil when it cannot be opened, with the reason in `errno`.
    init?(reading path: FilePath) {
        let opened = unsafe path.withPlatformString { unsafe open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
        guard opened >= 0 else { return nil }
        descriptor = opened
    }

    /// Makes an empty file without a name in the folder.
    ///
    /// - Throws: ``VaultError/system(operation:path:errno:)``.
    init(in folder: FilePath) throws(VaultError) {
        // O_TMPFILE, which Swift does not see.
        let unnamed = 0o20_000_000 | O_DIRECTORY | O_RDWR | O_CLOEXEC
        var opened = unsafe folder.withPlatformString { unsafe open($0, unnamed, 0o600) }
        if opened < 0 {
            // Where the file system has no such files, it loses its name at once.
            var name = folder.appending(".vault-XXXXXX").bytes.map { CChar(bitPattern: $0) } + [0]
            opened = unsafe name.withUnsafeMutableBufferPointer { name in
                guard let start = name.baseAddress else { return -1 }
                let opened = unsafe mkstemp(start)
                if opened >= 0 {
                    unsafe unlink(start)
                    _ = fcntl(opened, F_SETFD, FD_CLOEXEC)
                }
                return opened
            }
        }
        guard opened >= 0 else { throw .system(operation: .creating, path: folder.string, errno: errno) }
        descriptor = opened
    }

    deinit { close(descriptor) }

    /// Copies it to a file of that name. A link would cost nothing; but whoever writes into the vault file in place, as `cp`
    /// does, would change the copy with it.
    ///
    /// - Throws: ``VaultError``.
    func keep(as path: FilePath) throws(VaultError) {
        try DurableFile.write(path, adopting: true) { (descriptor) throws(VaultError) in
            try DurableFile.copy(self.path, to: descriptor, at: path)
        }
    }
}
