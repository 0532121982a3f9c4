import Age
import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import VaultFile

/// What was written is read again before it takes the place of the vault.
@Suite struct ReadBackTests {
    private let folder: TemporaryFolder
    private let draft = Draft(blocks: [[record("github")], [record("gitlab")]])
    private let file: [UInt8]

    private var temporary: FilePath { FilePath(folder.file(".vault.age.1.tmp")) }

    init() throws {
        folder = try TemporaryFolder()
        file = draft.file
    }

    private func check(_ bytes: [UInt8]) throws {
        try bytes.write(to: temporary)
        let opened = try Header(readingFrom: file).unwrap(with: [draft.owner])
        let tail = Tail(index: draft.index, roster: draft.roster, manifest: draft.manifest)
        try VaultWriter.check(
            temporary, of: "/vault.age", fileKey: opened.fileKey, tail: tail.bytes, index: draft.index, changed: [0, 1])
    }

    @Test func whatWasWrittenPasses() throws { try check(file) }

    /// The vault itself is not damaged: nothing has touched it yet.
    @Test func whatIsNotAsItWasWrittenIsNamed() throws {
        var flipped = file
        for offset in [0, 10, 150, file.count - 70_000, file.count - 1] {
            flipped[offset] ^= 1
            let error = #expect(throws: VaultError.self) { try check(flipped) }
            guard case .notAsWritten(path: "/vault.age", _) = error else {
                Issue.record("\(offset): \(String(describing: error))")
                continue
            }
            flipped[offset] ^= 1
        }
        #expect(
            throws: VaultError.notAsWritten(path: "/vault.age", "the header was changed")
        ) { try check(draft.file(of: draft.plaintext)) }
    }

    @Test(arguments: [0, 100, 1000, 65_536, 66_000, 131_072, 135_000])
    func whatCameBackShortIsNamed(_ length: Int) throws {
        let error = #expect(throws: VaultError.self) { try check(Array(file.prefix(length))) }
        guard case .notAsWritten(path: "/vault.age", _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func aFileThatIsGoneIsAnErrorOfTheSystem() throws {
        try check(file)
        unlink(temporary.string)
        #expect(throws: VaultError.system(operation: .readingBack, path: "/vault.age", errno: ENOENT)) {
            let opened = try Header(readingFrom: file).unwrap(with: [draft.owner])
            try VaultWriter.check(
                temporary, of: "/vault.age", fileKey: opened.fileKey, tail: [], index: draft.index, changed: [])
        }
    }
}
