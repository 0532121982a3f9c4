internal import VaultFile

/// The names for a shell to complete.
enum ResourceNames {
    static func complete() -> [String] {
        Session.completing { reader in try reader.names().map(\.description) }
    }

    /// Lists of names with commas between them, by one name longer than what is there already.
    ///
    /// Of what is no list of names nothing is repeated: bash would run what it finds among the words to choose from.
    static func complete(list prefix: String) -> [String] {
        let given = prefix.split(separator: ",", omittingEmptySubsequences: false).dropLast()
        guard given.allSatisfy({ RecordName(String($0)) != nil }) else { return [] }
        return complete().filter { !given.contains($0[...]) }.map { (given + [$0[...]]).joined(separator: ",") }
    }

    /// A name that nothing has, unless it is rather a token in a wrong place: many letters and digits without anything
    /// between them, or some of both.
    static func shown(_ name: String) -> String {
        let isToken = name.split { [".", "_", "-", "/"].contains($0) }.contains { part in
            part.count > 15 || part.count > 7 && part.contains(where: \.isNumber) && part.contains(where: \.isLetter)
        }
        return isToken ? "of that name" : name
    }

    /// What is said of a name that no resource has.
    static func missing(_ name: RecordName, in reader: borrowing VaultReader) -> Failure {
        let names = ((try? reader.names()) ?? []).map(\.description)
        let meant = NearestWord.among(names, to: name.description)
        return Failure(
            .missing, "there is no resource \(shown(name.description))",
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
