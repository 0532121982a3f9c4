internal import VaultFile

/// The names for a shell to complete.
enum ResourceNames {
    static func complete() -> [String] {
        Session.completing { reader in try reader.names().map(\.description) }
    }

    /// Lists of names with commas between them, by one name longer than what is there already.
    static func complete(list prefix: String) -> [String] {
        let start = prefix.lastIndex(of: ",").map { prefix.index(after: $0) } ?? prefix.startIndex
        let given = prefix[..<start].split(separator: ",")
        return complete().filter { !given.contains($0[...]) }.map { prefix[..<start] + $0 }
    }

    /// What is said of a name that no resource has.
    static func missing(_ name: RecordName, in reader: borrowing VaultReader) -> Failure {
        let names = ((try? reader.names()) ?? []).map(\.description)
        let meant = NearestWord.among(names, to: name.description)
        return Failure(
            .missing, "there is no resource \(name)",
            hint: meant.map { "did you mean \($0)?" } ?? "see what there is with '\(Process.name) list'")
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
