internal import Age
internal import Glibc
internal import Sodium
internal import SystemPackage
internal import VaultFile

/// An identity file as it lies on the disk.
struct StoredIdentity: ~Copyable {
    let path: String
    let status: stat
    let content: SecretBytes

    /// Whether a passphrase protects it.
    var isEncrypted: Bool { content.withBytes { IdentityFile.isEncrypted($0) } }

    /// Puts `new` in the place of the content. Owner, group and permissions stay, but that nobody else may read a key
    /// without a passphrase; behind a symbolic link it is the file itself that is replaced.
    func replace(with new: borrowing SecretBytes) throws {
        let target = try DurableFile.target(of: FilePath(path), for: .replacing)
        let changed = Failure(.busy, "\(path) was changed meanwhile, and is left as it is", hint: "try again")
        // Somebody may have written it while the passphrase was typed, or be about to.
        let descriptor = try SecretInput.open(target.string, what: path)
        defer { close(descriptor) }
        if uninterrupted({ flock(descriptor, LOCK_EX | LOCK_NB) }) != 0 {
            if errno == EWOULDBLOCK { throw changed }
            throw VaultError.system(operation: .locking, path: path, errno: errno)
        }
        guard try Self.read(target).isEqual(to: content) else { throw changed }
        // Of one that was killed while it wrote a key without a passphrase, say.
        DurableFile.removeRemains(of: target)
        let isPlain = new.withBytes { !IdentityFile.isEncrypted($0) }
        let mode = FilePermissions(rawValue: status.st_mode & (isPlain ? 0o700 : 0o777))
        try new.withBytes { bytes in
            try DurableFile.write(target, mode: mode, making: .unnamed) { (descriptor) throws(VaultError) in
                guard uninterrupted({ fchown(descriptor.rawValue, status.st_uid, status.st_gid) }) == 0 else {
                    throw .system(operation: .writing, path: path, errno: errno)
                }
                try DurableFile.write(bytes, to: descriptor, at: target)
            } check: { (written) throws(VaultError) in
                guard let copy = try? Self.read(written), copy.isEqual(to: new) else {
                    throw .notAsWritten(path: path, "its bytes are others")
                }
            }
        }
    }

    private static func read(_ path: FilePath) throws -> SecretBytes {
        try SecretInput.readFile(path.string, what: "the identity file", limit: IdentityFile.maximumSize) { status in
            guard status.st_mode & S_IFMT == S_IFREG else { throw IdentitySource.notRegular("\(path)") }
        }.finish()
    }
}
