import Age
import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import VaultFile

/// What the system does not let happen, or cuts short. Each test's other half runs in a process of its own, which is
/// nobody's where the tests are root's, since root is let everything.
@Suite struct VaultPermissionTests {
    private let place: VaultPlace
    private let line: String

    init() throws {
        place = try VaultPlace(record("github"))
        line = place.owner.line
    }

    /// Gives the folder and all in it to whom the other half runs as.
    private func handOver() throws {
        if getuid() == 0 {
            try #require(try Command.run("chown", ["-R", "65534:65534", place.folder.path]).status == 0)
        }
    }

    private func setMode(_ mode: Int, of name: String = "") throws {
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: place.folder.path + name)
    }

    /// The vault as the other half sees it.
    private static func vault(_ folder: String, _ line: String, _ pin: String) throws -> Vault {
        if getuid() == 0 { try #require(setgid(65534) == 0 && setuid(65534) == 0) }
        return Vault(
            path: FilePath(folder + "/vault.age"), identities: [try X25519Identity.parse(line)],
            trust: .init(pin: Pin(pin)), ratchet: Ratchet(folder: FilePath(folder + "/state")))
    }

    @Test func aFolderThatCannotBeSyncedLeavesTheNewVaultAndSaysSo() async throws {
        let before = try place.ratchet.state(of: place.pin.id)
        try handOver()
        // It can be written, and not opened for the last fsync.
        try setMode(0o300)
        await #expect(processExitsWith: .success) {
            [folder = place.folder.path as String, line = line as String, pin = "\(place.pin)" as String] in
            let vault = try Self.vault(folder, line, pin)
            #expect(throws: VaultError.durabilityUnknown(path: folder + "/vault.age", errno: EACCES)) {
                try vault.put(record("gitlab"))
            }
        }
        try setMode(0o700)
        // Not remembered, since it might be gone after a power cut.
        #expect(try place.ratchet.state(of: place.pin.id) == before)
        #expect(try place.vault.records() == [record("github"), record("gitlab")])
        #expect(try place.names() == ["state", "vault.age", "vault.age.bak", "vault.age.lock"])
    }

    @Test func aFolderThatCannotBeWrittenIsReadFrom() async throws {
        let before = try place.path.read()
        try handOver()
        try setMode(0o500)
        await #expect(processExitsWith: .success) {
            [folder = place.folder.path as String, line = line as String, pin = "\(place.pin)" as String] in
            let vault = try Self.vault(folder, line, pin)
            #expect(try vault.records() == [record("github")])
            #expect(throws: VaultError.system(operation: .writing, path: folder + "/vault.age", errno: EACCES)) {
                try vault.put(record("gitlab"))
            }
            let other = Vault(
                path: FilePath(folder + "/other.age"), identities: [X25519Identity()], trust: .init(),
                ratchet: Ratchet(folder: nil))
            #expect(throws: VaultError.system(operation: .creating, path: folder + "/other.age", errno: EACCES)) {
                _ = try other.create(label: "owner")
            }
        }
        try setMode(0o700)
        #expect(try place.path.read() == before)
    }

    @Test func aStateFolderThatCannotBeWrittenFailsNoRead() async throws {
        // Something newer than what is remembered, so that there is something to write.
        try place.vault(state: "other").put(record("gitlab"))
        let before = try place.ratchet.state(of: place.pin.id)
        try handOver()
        for (mode, lockMode) in [(0o500, 0o600), (0o700, 0o000), (0o500, 0o400)] {
            try setMode(lockMode, of: "/state/\(place.pin.id).lock")
            try setMode(mode, of: "/state")
            await #expect(processExitsWith: .success) {
                [folder = place.folder.path as String, line = line as String, pin = "\(place.pin)" as String] in
                let vault = try Self.vault(folder, line, pin)
                #expect(try vault.records() == [record("github"), record("gitlab")])
            }
            try setMode(0o700, of: "/state")
            #expect(try place.ratchet.state(of: place.pin.id) == before)
        }
    }

    @Test func aVaultThatCannotBeReadIsAnErrorOfTheSystem() async throws {
        try handOver()
        try setMode(0o200, of: "/vault.age")
        await #expect(processExitsWith: .success) {
            [folder = place.folder.path as String, line = line as String, pin = "\(place.pin)" as String] in
            let vault = try Self.vault(folder, line, pin)
            let error = VaultError.system(operation: .opening, path: folder + "/vault.age", errno: EACCES)
            #expect(throws: error) { _ = try vault.open() }
            #expect(throws: error) { try vault.put(record("gitlab")) }
        }
        try setMode(0o600, of: "/vault.age")
        #expect(try place.vault.records() == [record("github")])
    }

    @Test func aFolderThatCannotBeEnteredIsNotSaidToHoldNothing() async throws {
        try handOver()
        try setMode(0o600)
        await #expect(processExitsWith: .success) {
            [folder = place.folder.path as String, line = line as String, pin = "\(place.pin)" as String] in
            let vault = Vault(
                path: FilePath(folder + "/vault.age"), identities: [try X25519Identity.parse(line)],
                trust: .init(pin: Pin(pin)), ratchet: Ratchet(folder: "/dev/null"))
            _ = try Self.vault(folder, line, pin)
            #expect(throws: VaultError.system(operation: .opening, path: folder + "/vault.age", errno: EACCES)) {
                _ = try vault.open()
            }
            #expect(throws: VaultError.system(operation: .locking, path: folder + "/vault.age", errno: EACCES)) {
                try vault.put(record("gitlab"))
            }
        }
        try setMode(0o700)
    }

    /// Root may change a vault that somebody else must go on reading.
    @Test(.enabled(if: getuid() == 0, "it takes root to give a file away"))
    func theOwnerOfTheFileStaysItsOwner() throws {
        try handOver()
        try setMode(0o640, of: "/vault.age")
        try place.vault.put(record("gitlab"))
        for path in [place.path, place.backup] {
            var status = stat()
            #expect(stat(path.string, &status) == 0)
            #expect(status.st_uid == 65534 && status.st_gid == 65534)
            #expect(try path.permissions() == 0o640)
        }
    }

    /// Two users of one group take turns at a vault that belongs to the group.
    @Test(.enabled(if: getuid() == 0, "it takes root to be two users"))
    func aGroupSharesAVault() async throws {
        try #require(try Command.run("chown", ["-R", "65534:65532", place.folder.path]).status == 0)
        try setMode(0o770)
        try setMode(0o770, of: "/state")
        try setMode(0o660, of: "/vault.age")
        try FileManager.default.removeItem(atPath: place.folder.file("vault.age.lock"))
        for (number, user) in [65533, 65534, 65533].enumerated() {
            await #expect(processExitsWith: .success) {
                [
                    folder = place.folder.path as String, line = line as String, pin = "\(place.pin)" as String,
                    user = user as Int, number = number as Int
                ] in
                var group = gid_t(65532)
                // Its own group is another one.
                try #require(setgroups(1, &group) == 0 && setgid(gid_t(user)) == 0 && setuid(uid_t(user)) == 0)
                let vault = Vault(
                    path: FilePath(folder + "/vault.age"), identities: [try X25519Identity.parse(line)],
                    trust: .init(pin: Pin(pin)), ratchet: Ratchet(folder: nil))
                try vault.put(record("gitlab-\(number)"))
            }
            var status = stat()
            #expect(stat(place.path.string, &status) == 0)
            #expect(status.st_gid == 65532)
            #expect(try place.path.permissions() == 0o660)
        }
        var status = stat()
        #expect(stat(place.folder.file("vault.age.lock"), &status) == 0)
        #expect(status.st_uid == 65533 && status.st_gid == 65532)
        #expect(try place.vault.records().count == 4)
    }

    /// Killed when all is written and nothing is in place.
    @Test func aWriterThatIsKilledLeavesTheOldVault() async throws {
        let (before, backup) = (try place.path.read(), try place.backup.read())
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = place.path.string as String] in
            let path = FilePath(path)
            try VaultLock.hold(path) {
                try DurableFile.write(path, backup: FilePath(path.string + ".bak")) { (descriptor) throws(VaultError) in
                    try DurableFile.write([UInt8](repeating: 1, count: 100_000).span, to: descriptor, at: path)
                } check: { _ in
                    kill(getpid(), SIGKILL)
                }
            }
        }
        let names = try place.names()
        #expect(names.count == 5 && names[0].hasPrefix(".vault.age.") && names[0].hasSuffix(".tmp"))
        #expect(try place.path.read() == before && place.backup.read() == backup)
        #expect(try place.vault.records() == [record("github")])
        // The lock went with the process, and what it left goes with the next write.
        try place.vault.put(record("gitlab"))
        #expect(try place.names() == ["state", "vault.age", "vault.age.bak", "vault.age.lock"])
        #expect(try place.backup.read() == before)
    }
}
