internal import Glibc
package import SystemPackage

/// The lock that writers take, so that one waits for the other. Readers take none.
///
/// It is a file of its own beside the vault, since the vault itself is replaced at each write.
package enum VaultLock {
    /// How long a writer waits, in seconds.
    package static let patience = 10

    /// Waits for the lock of the file at `path`, and holds it while `body` runs.
    ///
    /// - Parameters:
    ///   - path: The file that is about to change.
    ///   - patience: How long to wait, in seconds.
    ///   - purpose: What is being done, for when the lock file itself cannot be opened.
    ///   - body: What to do meanwhile.
    /// - Returns: What `body` returns.
    /// - Throws: ``VaultError/locked(_:)``, ``VaultError/system(operation:path:errno:)``, or what `body` throws.
    package static func hold<R>(
        _ path: FilePath, patience: Int = patience, purpose: VaultError.Operation = .locking, _ body: () throws -> R
    )
        throws -> R
    {
        let lockPath = path.withSuffix(".lock")
        let descriptor = try DurableFile.attempt(purpose, path) {
            // Made first, to know whether it is new.
            do {
                let created = try FileDescriptor.open(
                    lockPath, .readOnly, options: [.create, .exclusiveCreate, .closeOnExec, .noFollow],
                    permissions: [.ownerReadWrite])
                share(created, like: path)
                return created
            } catch Errno.fileExists {
                // To be allowed to read it is enough to lock it. A named pipe is not waited for.
                return try FileDescriptor.open(lockPath, .readOnly, options: [.closeOnExec, .noFollow, .nonBlocking])
            }
        }
        defer { try? descriptor.close() }
        var status = stat()
        guard uninterrupted({ unsafe fstat(descriptor.rawValue, &status) }) == 0 else {
            throw VaultError.system(operation: purpose, path: lockPath.string, errno: errno)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw VaultError.system(operation: purpose, path: lockPath.string, errno: EINVAL)
        }
        let start = microseconds()
        // Asked again and again rather than waited for: flock has no time limit.
        while uninterrupted({ flock(descriptor.rawValue, LOCK_EX | LOCK_NB) }) != 0 {
            guard errno == EWOULDBLOCK else {
                throw VaultError.system(operation: .locking, path: path.string, errno: errno)
            }
            let waited = microseconds() - start
            guard waited < patience * 1_000_000 else { throw VaultError.locked(path.string) }
            usleep(UInt32(Int.random(in: pauses(after: waited))))
        }
        return try body()
    }

    /// How long to wait before the lock is asked for again, in microseconds.
    ///
    /// Who has waited longer asks more often, and so is likely to have it first: if all asked alike, one of many slow
    /// writers would now and then wait in vain. With twenty whose writes take a fifth of a second each nobody does; with
    /// slower ones it happens. That it is not for the same time keeps two from asking in step.
    ///
    /// - Parameter waited: For how long that was done already, in microseconds.
    /// - Returns: The shortest and the longest time.
    static func pauses(after waited: Int) -> ClosedRange<Int> {
        let longest = 10_000 >> min(waited / 1_000_000, 5)
        return longest / 2...longest
    }

    /// What a clock shows that only ever goes forward.
    private static func microseconds() -> Int {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1_000_000 + time.tv_nsec / 1000
    }

    /// Gives a new lock to whom the file belongs to, and lets those lock it who may write that. Nobody else, who could
    /// keep all writers waiting.
    private static func share(_ lock: FileDescriptor, like path: FilePath) {
        DurableFile.giveAway(lock.rawValue, likeFirstOf: [path, path.folder])
        guard let status = DurableFile.status(of: path) else { return }
        // That fails for a group of which this user is no member; the group of the lock then stays this user's.
        _ = fchown(lock.rawValue, uid_t.max, status.st_gid)
        let group: mode_t = status.st_mode & S_IWGRP != 0 ? S_IRGRP | S_IWGRP : 0
        let others: mode_t = status.st_mode & S_IWOTH != 0 ? S_IROTH | S_IWOTH : 0
        _ = fchmod(lock.rawValue, S_IRUSR | S_IWUSR | group | others)
    }
}
