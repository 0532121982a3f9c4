import Age
import Foundation
import Sodium
import SystemPackage
import TestSupport

@testable import VaultFile

/// A folder of a test's own with a vault in it, and the owner of that vault.
struct VaultPlace {
    let folder: TemporaryFolder
    let owner: X25519Identity
    let pin: Pin

    var path: FilePath { FilePath(folder.file("vault.age")) }
    var backup: FilePath { FilePath(folder.file("vault.age.bak")) }
    var ratchet: Ratchet { Ratchet(folder: FilePath(folder.file("state"))) }

    /// The vault as its owner knows it.
    var vault: Vault { vault() }

    /// A new vault with these records.
    init(_ records: String..., label: String = "owner") throws {
        folder = try TemporaryFolder()
        owner = X25519Identity()
        let path = FilePath(folder.file("vault.age"))
        let ratchet = Ratchet(folder: FilePath(folder.file("state")))
        let id = try Vault(path: path, identities: [owner], trust: .init(), ratchet: ratchet).create(label: label)
            .result
        pin = Pin(id: id)
        if !records.isEmpty { try vault.put(records) }
    }

    /// A place with a vault that is put together by hand.
    init(holding draft: Draft) throws {
        try self.init(of: draft.owner)
        try draft.file.write(to: path)
    }

    /// A place for the vault that another program makes for `owner`, with the nonce of a draft.
    init(of owner: X25519Identity) throws {
        folder = try TemporaryFolder()
        self.owner = owner
        pin = Pin(id: Draft(owner: owner).id)
    }

    /// The nonce of such a vault, in hexadecimal digits.
    var nonce: String { String(repeating: "07", count: 16) }

    /// The vault at this place as `identities` see it, or the owner when they are none; they keep their ratchet in the
    /// folder `state`, and trust in the pin alone unless `change` says otherwise.
    func vault(
        as identities: X25519Identity..., state: String = "state",
        trusting change: (inout Vault.Trust) -> Void = { _ in }
    ) -> Vault {
        var trust = Vault.Trust(pin: pin)
        change(&trust)
        return Vault(
            path: path, identities: identities.isEmpty ? [owner] : identities, trust: trust,
            ratchet: Ratchet(folder: FilePath(folder.file(state))))
    }

    /// The vault as its owner sees it, who remembers nothing: below a file no folder can be made.
    var forgetful: Vault { vault(state: "vault.age/state") }

    /// What is in the folder, sorted.
    func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() }
}

extension Vault {
    /// Puts records, each a JSON object that begins with its name.
    func put(_ records: [String]) throws {
        try update { _, changes in
            for record in records { try changes.put(record) }
        }
    }

    func put(_ records: String...) throws { try put(records) }

    func remove(_ names: String...) throws {
        try update { _, changes in
            for name in names { changes.remove(try RecordName(checking: name)) }
        }
    }

    /// All records, in their order.
    func records() throws -> [String] {
        var reader = try open()
        return try reader.records()
    }

    /// One record.
    func record(_ name: String) throws -> String? {
        var reader = try open()
        return try reader.record(name)
    }

    /// The generation that the file has.
    func generation() throws -> Int {
        let reader = try open()
        return reader.manifest.generation
    }

    /// What there is to remember of the file.
    func state() throws -> Ratchet.State {
        let reader = try open()
        return reader.state
    }
}

extension VaultReader {
    mutating func records() throws -> [String] {
        var records: [String] = []
        try forEachRecord { records.append($0.text) }
        return records
    }

    mutating func record(_ name: String) throws -> String? {
        try withRecord(named: try RecordName(checking: name)) { $0.text }
    }

    /// The first name of each block.
    var firsts: [String] { tail.index.entries.map { "\($0.first)" } }
}

extension RecordChanges {
    mutating func put(_ record: String) throws {
        let name = record.dropFirst(#"{"name":""#.count).prefix { $0 != "\"" }
        try put(try RecordName(checking: name)) { $0.append(Array(record.utf8).span) }
    }
}

/// What a test thought to be something that it is not.
struct Unexpected: Error {
    let what: String
}

extension VaultError {
    /// Trouble with a vault of which a test says later where it lies.
    static func damaged(_ words: String) -> VaultError { .damaged(path: "", words) }
    static func older(_ words: String) -> VaultError { .older(path: "", words) }
    static func belowPin(version: Int, minimum: Int) -> VaultError {
        .belowPin(path: "", version: version, minimum: minimum, origin: "")
    }
    static func otherVault(found: VaultID, pinned: VaultID) -> VaultError {
        .otherVault(path: "", found: found, pinned: pinned, origin: "")
    }

    /// The same trouble with the vault at `path`.
    func at(_ path: FilePath) -> VaultError {
        switch self {
        case .damaged(_, let words): .damaged(path: path.string, words)
        case .older(_, let words): .older(path: path.string, words)
        case .belowPin(_, let version, let minimum, let origin):
            .belowPin(path: path.string, version: version, minimum: minimum, origin: origin)
        case .otherVault(_, let found, let pinned, let origin):
            .otherVault(path: path.string, found: found, pinned: pinned, origin: origin)
        default: self
        }
    }
}

extension RecordName {
    init(checking text: some StringProtocol) throws {
        guard let name = RecordName(text) else { throw Unexpected(what: "\(text) is no name") }
        self = name
    }
}

/// A record of `size` bytes; of its least size without one.
func record(_ name: String, size: Int = 0) -> String {
    let frame = #"{"name":"\#(name)","note":""}"#
    return #"{"name":"\#(name)","note":"\#(String(repeating: "x", count: max(size - frame.utf8.count, 0)))"}"#
}

extension FilePath {
    /// What has a name in this folder that need not be text.
    func appending(bytes name: [UInt8]) -> FilePath {
        var path = withPlatformString { Array(UnsafeBufferPointer(start: $0, count: strlen($0))) }
        path += ([UInt8(ascii: "/")] + name + [0]).map { CChar(bitPattern: $0) }
        return FilePath(platformString: path)
    }

    /// The content of the file.
    func read() throws -> [UInt8] { Array(try Data(contentsOf: URL(filePath: string))) }

    /// Whether there is something at the path.
    var exists: Bool { FileManager.default.fileExists(atPath: string) }

    /// The permissions of what is at the path.
    func permissions() throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: string)[.posixPermissions] as? Int
    }
}

extension Array<UInt8> {
    /// Writes the bytes into a file: a new one, unless it has to be the one that is there.
    func write(to path: FilePath, inPlace: Bool = false) throws {
        if inPlace {
            let file = try FileHandle(forWritingTo: URL(filePath: path.string))
            try file.truncate(atOffset: 0)
            try file.write(contentsOf: Data(self))
            try file.close()
        } else {
            try? FileManager.default.removeItem(atPath: path.string)
            try Data(self).write(to: URL(filePath: path.string))
        }
    }
}

extension X25519Identity {
    /// The identity as a line of an identity file.
    var line: String { encoded().withBytes { $0.text } + "\n" }

    /// The identity that stands on such a line.
    static func parse(_ line: String) throws -> X25519Identity {
        guard let identity = X25519Identity(parsing: Array(line.utf8.dropLast()).span) else {
            throw Unexpected(what: "no identity")
        }
        return identity
    }
}

extension FileDescriptor {
    /// Cuts a file off behind its first `length` bytes.
    static func truncate(_ path: FilePath, _ length: Int) throws {
        let file = try FileDescriptor.open(path, .writeOnly)
        defer { try? file.close() }
        try file.resize(to: Int64(length))
    }
}

extension String {
    /// The text with another one in the place of `old`, which has to be in it.
    func replacing(first old: String, with new: String) throws -> String {
        guard let range = firstRange(of: old) else { throw Unexpected(what: "\(old) is not in \(self)") }
        return self[..<range.lowerBound] + new + self[range.upperBound...]
    }
}
