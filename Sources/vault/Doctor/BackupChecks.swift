internal import SystemPackage
internal import VaultFile

/// What lies beside the vault.
enum BackupChecks {
    static func findings(_ reader: borrowing VaultReader, _ vault: Vault) -> [Finding] {
        var findings = [version(reader, vault)]
        let remains = DurableFile.remains(of: DurableFile.target(of: vault.path)).map(\.description)
        if !remains.isEmpty {
            findings.append(
                Finding(
                    .backup, .note, "left by a \(Process.name) that was ended while it wrote: \(remains.enumeration)",
                    hint: "the next change of the vault removes it"))
        }
        return findings
    }

    /// Who can open the version before.
    private static func version(_ reader: borrowing VaultReader, _ vault: Vault) -> Finding {
        let path = vault.backup
        do {
            guard let backup = try vault.membersOfBackup() else {
                return Finding(.backup, .ok, "there is no version before this one")
            }
            let recipients = Set(reader.members.map(\.recipient))
            let removed = backup.members.filter { !recipients.contains($0.recipient) }.map(\.label)
            if !removed.isEmpty {
                return Finding(
                    .backup, .todo, "\(path) can be opened by who is no member any more: \(removed.enumeration)",
                    hint: "rm \(path), or change something, which replaces it")
            }
            if backup.id != reader.id {
                return Finding(
                    .backup, .note, "\(path) is the vault \(backup.id), which was in this one's place before")
            }
            return Finding(.backup, .ok, "\(path) can be opened by nobody but members")
        } catch VaultError.noMatch {
            return Finding(.backup, .note, "\(path) cannot be opened with your identity, and so was not looked at")
        } catch {
            // Its own advice would be to look at the version before.
            return Finding(.backup, .todo, Failure(error).message, hint: "rm \(path)")
        }
    }
}
