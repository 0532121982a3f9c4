internal import Glibc
internal import SystemPackage

/// The lock that writers take, so that one waits for the other. Readers take none.
///
/// It is a file of its own beside the vault, since the vault itself is replaced at each write.
enum VaultLock {
    /// How long a writer waits, in seconds.
    static let patience = 10

    /// Waits for the lock of the file at `path`, and holds it while `body` runs.
    ///
    /// - Parameters:
    ///   - path: The file that is about to change.
    ///   - patience: How long to wait, in seconds.
    ///   - purpose: What is being done, for when the lock file itself cannot be opened.
    ///   - body: What to do meanwhile.
    /// - Returns: What `body` returns.
    /// - Throws: ``VaultError/locked(_:)``, ``VaultError/system(operation:path:errno:)``, or what `body` throws.
    static func hold<R>(
        _ path: FilePath, patience: Int = patience, purpose: VaultError.Operation = .locking, _ body: () throws -> R
    )
        throws -> R
    {
        let lockPath = FilePath(path.string + ".lock")
        let descriptor = try DurableFile.attempt(purpose, path) {
            // For reading, which is enough to lock it: it may be somebody else's. Made first, to know whether it is new.
            do {
                let created = try FileDescriptor.open(
                    lockPath, .readOnly, options: [.create, .exclusiveCreate, .closeOnExec, .noFollow],
                    permissions: [.ownerReadWrite])
                DurableFile.giveAway(created.rawValue, likeFirstOf: [path, path.removingLastComponent()])
                return created
            } catch Errno.fileExists {
                return try FileDescriptor.open(lockPath, .readOnly, options: [.closeOnExec, .noFollow])
            }
        }
        defer { try? descriptor.close() }
        var waited = 0
        // Asked again and again rather than waited for: flock has no time limit.
        while flock(descriptor.rawValue, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else {
                throw VaultError.system(operation: .locking, path: path.string, errno: errno)
            }
            guard waited < patience * 1_000_000 else { throw VaultError.locked(path.string) }
            let pause = Int.random(in: 2_000...10_000)
            usleep(UInt32(pause))
            waited += pause
        }
        return try body()
    }
}
