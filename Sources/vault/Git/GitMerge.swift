internal import ChildProcess
internal import Glibc
internal import Resources
internal import SystemPackage
internal import VaultFile

/// The merge of two versions of a vault that git has.
struct GitMerge {
    let access: Access
    /// Who is right where both sides changed the same; nil for nobody.
    let preference: RecordMerge.Preference?

    /// How many of the resources that the two sides disagree on came from where.
    private struct Tally {
        private static let mostNamed = 10

        var ours = 0
        var theirs = 0
        var both: [RecordName] = []
        /// Whether the two sides were compared at all: not where one of them was to be left alone.
        var isCompared = false

        mutating func count(_ record: borrowing MergedRecord, _ name: RecordName) {
            switch record {
            case .ours: ours += 1
            case .theirs: theirs += 1
            case .new: both.append(name)
            }
        }

        var words: String {
            // Those that are neither side's are named: what one says of the URLs goes with what the other says of the token.
            if !isCompared { return "our version is kept" }
            let mixed = both.prefix(Self.mostNamed).map(\.description).joined(separator: ", ")
            let names = both.count > Self.mostNamed ? "\(mixed), …" : mixed
            let parts = [(theirs, "from there"), (both.count, "of both (\(names))"), (ours, "from here")]
                .filter { $0.0 > 0 }
            guard let first = parts.first else { return "both sides have the same resources" }
            return "\(first.0) resource\(first.0 == 1 ? "" : "s") \(first.1)"
                + parts.dropFirst().map { ", \($0.0) \($0.1)" }.joined()
        }
    }

    // MARK: - As git's driver

    /// Merges three files of git's, and leaves the result in the place of `ours`.
    ///
    /// - Parameters:
    ///   - base: The version that both sides come from; an empty file when there is none.
    ///   - ours: The version that is here, and the result.
    ///   - theirs: The version that is merged into it.
    ///   - path: The vault, which these are versions of; nil when that is not known.
    /// - Throws: ``Failure``; `ours` is then as it was.
    func merge(base: FilePath, ours: FilePath, theirs: FilePath, of path: FilePath?) throws {
        let place = path ?? ours
        do {
            let loaded = try IdentitySource(access).load()
            let session = Session(
                access, path: place, loaded: loaded, trust: try Session.trust(access, place, loaded))
            let isNew = DurableFile.status(of: base)?.st_size == 0
            let versions = Vault.MergeVersions(base: isNew ? nil : base, ours: ours, theirs: theirs)
            try merging(place) { members, body in
                _ = try session.vault.merge(versions, into: ours, takingMembersOf: members, body)
            }
            session.finish()
        } catch {
            throw failure(error, place, base: base, ours: ours, theirs: theirs, isDriver: path != nil)
        }
    }

    // MARK: - Where git stopped

    /// Merges what git could not, and puts the result in the place of the vault and into git's index.
    ///
    /// - Parameter path: The vault.
    /// - Throws: ``Failure``; the vault is then as it was, unless git alone did not take it.
    func settle(_ path: FilePath) throws {
        let vault = try VaultInGit(path, for: "'git merge'")
        // Before a passphrase is asked for.
        let stages = try UnmergedVault(vault, path)
        let loaded = try IdentitySource(access).load()
        let session = Session(access, path: path, loaded: loaded, trust: try Session.trust(access, path, loaded))
        let base = try Self.memory(stages.base ?? [])
        let ours = try Self.memory(stages.ours)
        let theirs = try Self.memory(stages.theirs)
        let versions = Vault.MergeVersions(
            base: stages.base == nil ? nil : FilePath(base.path), ours: FilePath(ours.path),
            theirs: FilePath(theirs.path))
        do {
            var outcome: Vault.Written<Vault.MergeOutcome>?
            try merging(path) { members, body in
                outcome = try session.vault.settle(versions, takingMembersOf: members, replacing: stages.check, body)
            }
            let word = path.bytes.shellWord.text
            guard try vault.git.output(["--literal-pathspecs", "add", "--"], vault.name) != nil else {
                throw Failure(.io, "\(path) is merged, but git did not take it", hint: "git add \(word)")
            }
            try outcome?.confirm()
        } catch {
            throw failure(
                error, path, base: FilePath(base.path), ours: FilePath(ours.path), theirs: FilePath(theirs.path))
        }
        session.finish()
    }

    /// A file that only this process sees.
    private static func memory(_ bytes: [UInt8]) throws -> SealedFile {
        do { return try SealedFile.create(bytes.span) } catch { throw Failure(memory: error) }
    }

    // MARK: - Both

    /// Runs `work`, which merges, and says what came of it.
    private func merging(
        _ path: FilePath,
        _ work: (VersionDifferences.Side?, _ body: (inout VersionDifferences) throws -> Void) throws -> Void
    ) throws {
        var merge = RecordMerge(preferring: preference)
        var tally = Tally()
        try work(preference?.side) { differences in
            tally.isCompared = true
            try differences.resolve { name, base, ours, theirs in
                let record = try merge.merge(name, base: base, ours: ours, theirs: theirs)
                tally.count(record, name)
                return record
            }
            if !merge.conflicts.isEmpty { throw Conflicts(conflicts: merge.conflicts) }
        }
        Messages.note("merged \(path): \(tally.words)", unless: access.quiet)
        merge.noteSettled(unless: access.quiet)
        merge.noteDropped(unless: access.quiet)
    }

    /// What both sides changed, each in another way.
    private struct Conflicts: Error {
        let conflicts: [RecordMerge.Conflict]
    }

    /// What an error means to somebody who knows nothing of the files that it speaks of.
    private func failure(
        _ error: any Error, _ path: FilePath, base: FilePath, ours: FilePath, theirs: FilePath,
        isDriver: Bool = false
    ) -> Failure {
        // git works at the top of the tree; whoever called it may be elsewhere.
        let isElsewhere = isDriver && Variables.text("GIT_PREFIX") != nil
        let word = (isElsewhere ? path.absolute : path).bytes.shellWord.text
        func command(_ side: String) -> String { "\(Process.name) git merge --prefer \(side) \(word)" }
        switch error {
        case let error as Conflicts:
            for conflict in error.conflicts { Messages.print(conflict.words) }
            return Failure(
                .no, "\(path) has conflicts, and is as it was here",
                hint: "to take the newer of each (or ours, or theirs): \(command("newest"))")
        case VaultError.membersConflict(let version):
            return Failure(
                .no, "both sides changed the members, and have another version \(version) of the list",
                hint: "the vault's owner decides whose it is (ours, or theirs): \(command("ours"))")
        case VaultError.olderThanBase:
            return Failure(
                .no, "their version of \(path) is older than the one that both sides come from",
                hints: [
                    "to merge it would take back what was changed since, as whoever wants an old token back could wish",
                    "if it is to be so, as after 'git revert': \(command("theirs")); otherwise: \(command("ours"))",
                ])
        case VaultError.noSuchFile: return Failure(error)
        default:
            let names = [(base, "the version before"), (ours, "our version"), (theirs, "their version")]
            let named = (error as? VaultError).map { error in
                names.filter { $0.0 != path }.reduce(error) { $0.renaming($1.0.string, to: "\($1.1) of \(path)") }
            }
            let failure = Failure(named ?? error)
            var hints = failure.hints
            if case VaultError.writerRemoved(let refused, _, _) = error {
                let side = refused == ours.string ? "theirs" : "ours"
                hints.append("to go on without that: git checkout --\(side) \(word), and git add \(word)")
            } else if isDriver {
                // What stopped it may be mended, and git does not ask again.
                hints.append("then go on: \(Process.name) git merge \(word)")
            }
            return Failure(code: failure.status, failure.message, hints: hints)
        }
    }
}

/// The versions that git has of a vault in a conflict, from its index.
private struct UnmergedVault {
    private let path: FilePath
    let base: [UInt8]?
    let ours: [UInt8]
    let theirs: [UInt8]

    init(_ vault: VaultInGit, _ path: FilePath) throws {
        self.path = path
        guard
            let list = try vault.git.output(["--literal-pathspecs", "ls-files", "--unmerged", "-z", "--"], vault.name)
        else { throw Failure(.io, "git does not say whether \(path) has a conflict") }
        // A mode, an object and a stage, and behind a tabulator the path, which ends in a zero byte.
        var objects: [Int: [UInt8]] = [:]
        for line in list.split(separator: 0) {
            let words = line.prefix { $0 != UInt8(ascii: "\t") }.split(separator: UInt8(ascii: " "))
            guard words.count == 3, words[0].starts(with: "100".utf8), let stage = Int(words[2].text) else {
                throw Failure(.usage, "\(path) has a conflict that is not one of files")
            }
            objects[stage] = Array(words[1])
        }
        guard !objects.isEmpty else {
            throw Failure(.missing, "git has no conflict in \(path)", hint: "see what there is with 'git status'")
        }
        let word = path.bytes.shellWord.text
        guard let ours = objects[2], let theirs = objects[3] else {
            throw Failure(
                .usage, "one side removed \(path), and the other one changed it",
                hints: ["to keep it: git add \(word)", "to remove it: git rm \(word)"])
        }
        func content(_ object: [UInt8]) throws -> [UInt8] {
            guard let content = try vault.git.output(["cat-file", "blob"], object) else {
                throw Failure(.io, "git does not give the versions of \(path)")
            }
            return content
        }
        base = try objects[1].map(content)
        self.ours = try content(ours)
        self.theirs = try content(theirs)
    }

    /// Refuses to replace what somebody made of the vault since git stopped.
    func check(_ file: FilePath) throws {
        let found = try SmallFile.read(file, maximumSize: .max)
        guard found == ours || found == theirs else {
            throw Failure(
                .usage, "\(path) is not as git left it, and what was changed would be lost",
                hints: [
                    "if it may be: git checkout --ours \(path.bytes.shellWord.text)",
                    "if it is what this command made of it, and was ended: git add \(path.bytes.shellWord.text)",
                ])
        }
    }
}
