internal import Age
internal import Sodium
internal import UnlockAgent
internal import VaultFile

/// Whether the identity is kept as it should be, and what it is in the vault.
enum IdentityChecks {
    /// How the files protect the keys in them.
    ///
    /// - Parameters:
    ///   - files: Their paths.
    ///   - isDefault: Whether it is the file of a person, which nobody named.
    ///   - source: What reads them.
    /// - Returns: What is less than it could be.
    static func findings(_ files: [String], isDefault: Bool, _ source: IdentitySource) -> [Finding] {
        var findings: [Finding] = []
        for path in files {
            // A descriptor can be read only once.
            if path.hasPrefix("/dev/") || path.hasPrefix("/proc/") { continue }
            // What cannot be read is told when it is needed.
            guard let stored = try? source.loadFile(path) else { continue }
            if !stored.isEncrypted {
                if isDefault {
                    findings.append(
                        Finding(
                            .identity, .note, "\(path) has no passphrase",
                            hint: "give it one with '\(Process.name) passphrase'"))
                }
            } else if let factor = stored.content.withBytes({ IdentityFile.workFactor(of: $0.publicCopy) }),
                factor < ScryptRecipient.defaultWorkFactor
            {
                findings.append(
                    Finding(
                        .identity, .todo,
                        "\(path) has the scrypt work factor \(factor): its passphrase is guessed "
                            + "\(1 << (ScryptRecipient.defaultWorkFactor - max(factor, 0))) times as fast as with "
                            + "\(ScryptRecipient.defaultWorkFactor)",
                        hint: "write it anew with '\(Process.name) passphrase --identity \(path)'"))
            }
        }
        return findings
    }

    /// What opened the vault, and as whom.
    static func findings(_ reader: borrowing VaultReader, _ session: Session) -> [Finding] {
        reader.members.filter { session.vault.isOwn($0) }.map { member in
            Finding(
                .identity, .ok, "\(session.loaded.origin) opens the vault as \(member.label) (\(member.role.rawValue))")
        }
    }
}
