internal import VaultFile

/// The names for a shell to complete.
enum ResourceNames {
    static func complete() -> [String] {
        Session.completing { reader in try reader.names().map(\.description) }
    }

    /// What is said of a name that no resource has.
    static func missing(_ name: RecordName) -> Failure {
        Failure(.missing, "there is no resource \(name)", hint: "see what there is with '\(Process.name) list'")
    }
}

extension Session {
    /// Words of the vault for a shell to complete: only where that asks nobody anything and takes no time.
    static func completing(_ words: (borrowing VaultReader) throws -> [String]) -> [String] {
        var access = Access()
        access.noInput = true
        access.quiet = true
        access.isCompletion = true
        guard let session = try? Session(access), let reader = try? session.vault.open() else { return [] }
        return (try? words(reader)) ?? []
    }
}
