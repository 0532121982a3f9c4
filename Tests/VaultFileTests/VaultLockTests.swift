import Dispatch
import Foundation
import SystemPackage
import Synchronization
import TestSupport
import Testing

@testable import VaultFile

@Suite struct VaultLockTests {
    private let folder: TemporaryFolder
    private let path: FilePath

    init() throws {
        folder = try TemporaryFolder()
        path = FilePath(folder.file("vault.age"))
    }

    @Test func isAFileBesideTheVaultAndStays() throws {
        let result = try VaultLock.hold(path) {
            #expect(FilePath(folder.file("vault.age.lock")).exists)
            return 7
        }
        #expect(result == 7)
        #expect(try FilePath(folder.file("vault.age.lock")).permissions() == 0o600)
        #expect(!path.exists)
    }

    /// Whoever may write the vault has to be able to lock it, and nobody else.
    @Test(arguments: [(0o600, 0o600), (0o400, 0o600), (0o644, 0o600), (0o660, 0o660), (0o664, 0o660), (0o666, 0o666)])
    func isForThoseWhoMayWriteTheFile(_ mode: Int, _ lockMode: Int) throws {
        try Array("x".utf8).write(to: path)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path.string)
        try VaultLock.hold(path) {}
        #expect(try FilePath(folder.file("vault.age.lock")).permissions() == lockMode)
    }

    @Test func whoWaitsInVainGivesUp() throws {
        try VaultLock.hold(path) {
            let start = ContinuousClock.now
            #expect(throws: VaultError.locked(path.string)) { try VaultLock.hold(path, patience: 1) {} }
            let waited = ContinuousClock.now - start
            #expect(waited > .milliseconds(900) && waited < .seconds(5))
            #expect(throws: VaultError.locked(path.string)) { try VaultLock.hold(path, patience: 0) {} }
        }
        // It was let go.
        try VaultLock.hold(path, patience: 0) {}
    }

    /// Somebody else's link must not make a file elsewhere.
    @Test func isNeverALink() throws {
        try FileManager.default.createSymbolicLink(
            atPath: path.string + ".lock", withDestinationPath: folder.file("elsewhere"))
        #expect(throws: VaultError.system(operation: .locking, path: path.string, errno: ELOOP)) {
            try VaultLock.hold(path) {}
        }
        #expect(throws: VaultError.system(operation: .creating, path: path.string, errno: ELOOP)) {
            try VaultLock.hold(path, purpose: .creating) {}
        }
        #expect(!FilePath(folder.file("elsewhere")).exists)
    }

    @Test func isLetGoWhenTheBodyThrows() throws {
        #expect(throws: Unexpected.self) { try VaultLock.hold(path) { throw Unexpected(what: "thrown") } }
        try VaultLock.hold(path, patience: 0) {}
    }

    /// Twenty writers whose writes take a fifth of a second, and who come again at once, in a time that is only counted.
    /// If all asked alike, some would wait for longer than anybody may.
    @Test(arguments: UInt64(1)...4) func noneOfManySlowWritersWaitsInVain(_ seed: UInt64) {
        var generator = Generator(seed: seed)
        var (began, next) = ([Int](repeating: 0, count: 20), [Int](0..<20))
        var (free, longest, writes) = (0, 0, 0)
        while writes < 150 {
            let writer = next.indices.min { next[$0] < next[$1] } ?? 0
            let now = next[writer]
            if now < free {
                next[writer] += Int.random(in: VaultLock.pauses(after: now - began[writer]), using: &generator)
            } else {
                writes += 1
                longest = max(longest, now - began[writer])
                free = now + 200_000
                next[writer] = free + 1000
                began[writer] = next[writer]
            }
        }
        #expect(longest < VaultLock.patience * 1_000_000)
    }

    @Test func holdsUpTheOthers() throws {
        let order = Mutex<[Int]>([])
        DispatchQueue.concurrentPerform(iterations: 8) { number in
            do {
                try VaultLock.hold(path) {
                    order.withLock { $0.append(number) }
                    usleep(3000)
                    order.withLock { $0.append(number) }
                }
            } catch {
                order.withLock { $0.append(-1) }
            }
        }
        let entered = order.withLock { $0 }
        #expect(entered.count == 16)
        for index in stride(from: 0, to: entered.count - 1, by: 2) { #expect(entered[index] == entered[index + 1]) }
    }

    @Test func aMissingFolderIsAnErrorOfTheSystem() {
        let path = FilePath(folder.file("missing/vault.age"))
        #expect(throws: VaultError.system(operation: .locking, path: path.string, errno: ENOENT)) {
            try VaultLock.hold(path) {}
        }
    }

    /// flock(1) takes the same lock, and a process that is killed lets go of it.
    @Test func isTheSystemsAndEndsWithTheProcess() throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["flock", "--no-fork", path.string + ".lock", "sleep", "60"]
        try process.run()
        defer { process.waitUntilExit() }
        var isHeld = false
        for _ in 0..<500 where !isHeld {
            usleep(10_000)
            do { try VaultLock.hold(path, patience: 0) {} } catch VaultError.locked { isHeld = true }
        }
        #expect(isHeld)
        kill(process.processIdentifier, SIGKILL)
        try VaultLock.hold(path, patience: 5) {}
    }
}
