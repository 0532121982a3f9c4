internal import Glibc
internal import SystemPackage
internal import VaultFile

/// A vault that lies in a git work tree.
struct VaultInGit {
    /// The file itself, behind links.
    let file: FilePath
    /// git, at work in the folder of the vault.
    let git: Git
    /// The top of the work tree.
    let top: FilePath
    /// The path below that, with slashes. It need not be text.
    let path: [UInt8]

    /// Finds the work tree of the vault at `path`, which need not be there.
    ///
    /// - Parameters:
    ///   - path: The vault.
    ///   - purpose: What needs to know, for the message when there is no git.
    /// - Throws: ``Failure``.
    init(_ path: FilePath, for purpose: String) throws {
        let file = DurableFile.target(of: path)
        let git = try Git(for: purpose, in: file.folder)
        let prefix = try git.output(["rev-parse", "--show-prefix"])
        let top = try prefix.flatMap { _ in try git.output(["rev-parse", "--show-toplevel"]) }
        guard let prefix, let top, top.count > 1 else {
            throw Failure(
                .usage, "\(path) does not lie in a git work tree",
                hint: "name the vault that does with --vault, or by VAULT_FILE")
        }
        self.file = file
        self.git = git
        self.top = FilePath(bytes: top.dropLast())
        self.path = prefix.dropLast() + (file.lastComponent?.bytes ?? [])
    }

    /// The name alone, for git in the vault's folder.
    var name: [UInt8] { Array(path[(path.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0)...]) }
}

extension Sequence<UInt8> {
    /// The bytes as text, for messages.
    var text: String { String(decoding: Array(self), as: UTF8.self) }
}

extension [UInt8] {
    /// The bytes, which are a path, as one word of a shell that no program takes for an option.
    var shellWord: [UInt8] {
        if first == UInt8(ascii: "-") { return (Array("./".utf8) + self).shellWord }
        let plain = Set("/._-+,:@".utf8)
        let isPlain = allSatisfy { byte in
            let character = Character(Unicode.Scalar(byte))
            return plain.contains(byte) || character.isASCII && (character.isLetter || character.isNumber)
        }
        if isPlain, !isEmpty { return self }
        let quote = UInt8(ascii: "'")
        return [quote] + flatMap { $0 == quote ? Array(#"'\''"#.utf8) : [$0] } + [quote]
    }
}
