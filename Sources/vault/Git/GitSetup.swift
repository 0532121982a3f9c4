internal import Glibc
internal import SystemPackage
internal import VaultFile

/// What makes git merge and show a vault: rules in the repository, which everybody gets with it, and settings of this
/// clone, which git takes from nobody.
struct GitSetup {
    /// One of the things that have to be so.
    struct Step {
        /// What is said when it is not so; nil when it is.
        let lack: String?
        /// What is said once it was made so.
        let done: String
        /// Makes it so.
        let make: () throws -> Void
    }

    private let path: FilePath
    private let vault: VaultInGit

    /// - Parameter path: The vault, which is there.
    /// - Throws: ``Failure``.
    init(_ path: FilePath) throws {
        self.path = path
        vault = try VaultInGit(path, for: "'git setup'")
        guard !vault.path.contains(UInt8(ascii: "\n")) else {
            throw Failure(.usage, "git has no rule for a vault whose path has a line break")
        }
    }

    /// The rules in the repository.
    func shared() throws -> [Step] { [try attributes(), try ignoring()] }

    /// The settings of this clone, and of this user.
    func local() throws -> [Step] {
        let settings = settings
        return try settings.map { try setting($0.name, $0.value) } + [try knownVaults()]
    }

    // MARK: - Rules

    private func attributes() throws -> Step {
        let wanted = ["merge": "vault", "diff": "vault", "text": "unset"]
        func isSo() throws -> Bool {
            // Of the rules of this user for all repositories, others have nothing.
            let output = try vault.git.output(
                ["-c", "core.attributesFile=/dev/null", "check-attr", "-z", "merge", "diff", "text", "--"], vault.name)
            // Thrice the path, the attribute and its value, each of which ends in a zero byte.
            let fields = (output ?? []).split(separator: 0).map(\.text)
            return fields.count == 9 && [1, 4, 7].allSatisfy { wanted[fields[$0]] == fields[$0 + 1] }
        }
        let place = vault.path.text
        return Step(
            lack: try isSo() ? nil : ".gitattributes has no rule that git merges and shows \(place) by its records",
            done: "wrote the rule for \(place) into .gitattributes"
        ) {
            let rule = Self.attributePattern(vault.path) + " merge=vault diff=vault -text".utf8
            try append([rule], to: vault.top.appending(".gitattributes"))
            guard try isSo() else {
                throw Failure(
                    .setting, "another rule for \(place) goes before the one that now is in .gitattributes",
                    hint: "look into the .gitattributes of its folder, and into .git/info/attributes")
            }
        }
    }

    /// The version before holds what a member who was removed could read, and a lock is nobody else's.
    private func ignoring() throws -> Step {
        func isIgnored(_ name: [UInt8]) throws -> Bool {
            // Behind "./", a name that begins with a colon has no other meaning.
            try vault.git.output(
                ["-c", "core.excludesFile=/dev/null", "check-ignore", "--no-index", "-q", "--"], "./".utf8 + name)
                != nil
        }
        let name = vault.name
        let folder = [UInt8(ascii: "/")] + vault.path.dropLast(name.count)
        let hidden = [UInt8(ascii: ".")] + name
        let rules = try [
            (name + ".bak".utf8, folder + name, ".bak"), (name + ".lock".utf8, folder + name, ".lock"),
            (hidden + ".0.tmp".utf8, folder + hidden, ".*.tmp"),
        ].filter { try !isIgnored($0.0) }.map { Self.ignorePattern($0.1) + $0.2.utf8 }
        let place = vault.path.text
        return Step(
            lack: rules.isEmpty
                ? nil : ".gitignore does not keep the version before \(place), and its lock, from commits",
            done: "wrote what lies beside \(place) into .gitignore"
        ) {
            try append(rules, to: vault.top.appending(".gitignore"))
        }
    }

    /// Adds lines to a file that may not be there.
    private func append(_ lines: [[UInt8]], to path: FilePath) throws {
        var status = stat()
        if unsafe path.withPlatformString({ unsafe lstat($0, &status) }) == 0, status.st_mode & S_IFMT == S_IFLNK {
            throw Failure(
                .setting, "\(path) is a symbolic link, which git does not follow",
                hint: "put a file in its place, and run this again")
        }
        let newline = UInt8(ascii: "\n")
        var text = try SmallFile.read(path) ?? []
        if let last = text.last, last != newline { text.append(newline) }
        for line in lines { text += line + [newline] }
        let mask = umask(0)
        umask(mask)
        let mode = DurableFile.status(of: path).map { $0.st_mode & 0o777 } ?? 0o666 & ~mask
        try DurableFile.write(path, mode: FilePermissions(rawValue: mode), adopting: true, making: .unnamed) {
            (descriptor) throws(VaultError) in
            try DurableFile.write(text.span, to: descriptor, at: path)
        }
    }

    /// A path below the top as gitattributes(5) has it: no wildcards, and in quotation marks if it has spaces.
    private static func attributePattern(_ path: [UInt8]) -> [UInt8] {
        let pattern = [UInt8(ascii: "/")] + withoutWildcards(path)
        let quote = UInt8(ascii: "\"")
        guard pattern.contains(where: { $0 <= 0x20 || $0 == quote || $0 == 0x7f }) else { return pattern }
        return [quote]
            + pattern.flatMap { byte -> [UInt8] in
                if byte == quote || byte == UInt8(ascii: "\\") { return [UInt8(ascii: "\\"), byte] }
                guard byte < 0x20 || byte == 0x7f else { return [byte] }
                let digits = String(byte, radix: 8)
                return Array("\\\(String(repeating: "0", count: 3 - digits.count))\(digits)".utf8)
            } + [quote]
    }

    /// The same as gitignore(5) has it, where no space stands at the end.
    private static func ignorePattern(_ path: [UInt8]) -> [UInt8] { withoutWildcards(path) }

    private static func withoutWildcards(_ path: [UInt8]) -> [UInt8] {
        path.flatMap { Set("*?[\\".utf8).contains($0) ? [UInt8(ascii: "\\"), $0] : [$0] }
    }

    // MARK: - Settings

    /// git gives the values with a command to a shell. The program is named by its path: another git, as that of an editor,
    /// may look for programs elsewhere, and find another one of that name.
    private var settings: [(name: String, value: [UInt8])] {
        let program = Process.path.shellWord
        let percent = UInt8(ascii: "%")
        let driver = program.flatMap { $0 == percent ? [percent, percent] : [$0] } + " git merge".utf8
        let files = " -- %O %A %B %P".utf8
        return [
            ("merge.vault.name", Array("vaults, by their records".utf8)),
            ("merge.vault.driver", driver + files),
            // Where branches were merged crosswise, git merges the versions that both come from first. Nobody can be asked
            // about those, nor sees the result; but what is missing in it would look as if both sides had added it.
            ("merge.vault.recursive", Array("vault-base".utf8)),
            ("merge.vault-base.name", Array("versions that vaults come from".utf8)),
            ("merge.vault-base.driver", driver + " --quiet --prefer newest".utf8 + files),
            ("diff.vault.textconv", program + " git diff --".utf8),
            // Otherwise git would keep the names of the resources in the repository, for everybody to read.
            ("diff.vault.cachetextconv", Array("false".utf8)),
        ]
    }

    private func setting(_ name: String, _ value: [UInt8]) throws -> Step {
        let found = try vault.git.output(["config", "--null", "--get", name])?.dropLast()
        let lack: String? =
            switch found {
            case nil: "\(name) is not set in this clone"
            case let found? where found.elementsEqual(value): nil
            case let found?: "\(name) is \"\(found.text)\", and not \"\(value.text)\""
            }
        return Step(lack: lack, done: "set \(name)") {
            guard try vault.git.output(["config", "--local", "--replace-all", name], value) != nil else {
                throw Failure(.io, "git did not take the setting \(name)")
            }
        }
    }

    private func knownVaults() throws -> Step {
        let known = Session.knownVaults()
        let entry = try known.entry(for: path)
        let file = Places.knownVaults() ?? "known_vaults"
        return Step(
            lack: entry?.followsGit == false ? "\(file) does not say that the history of \(path) is git's" : nil,
            done: "marked the vault as git's in \(file)"
        ) {
            guard var entry else { return }
            entry.followsGit = true
            try known.record(entry)
        }
    }
}
