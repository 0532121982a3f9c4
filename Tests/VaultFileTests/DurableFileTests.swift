import Foundation
import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import VaultFile

@Suite struct DurableFileTests {
    private let folder: TemporaryFolder
    private let path: FilePath
    private let backup: FilePath
    private let trouble = VaultError.damaged("trouble")

    init() throws {
        folder = try TemporaryFolder()
        path = FilePath(folder.file("file"))
        backup = FilePath(folder.file("file.bak"))
    }

    private func write(
        _ text: String, backup: FilePath? = nil, mode: FilePermissions = [.ownerReadWrite], replacing: Bool = true,
        making: DurableFile.Making = .named, check: (FilePath) throws(VaultError) -> Void = { _ in }
    ) throws {
        try DurableFile.write(path, backup: backup, mode: mode, replacing: replacing, making: making) {
            (descriptor) throws(VaultError) in
            try DurableFile.write(Array(text.utf8).span, to: descriptor, at: path)
        } check: { (temporary) throws(VaultError) in
            try check(temporary)
        }
    }

    private func text(_ path: FilePath) throws -> String { String(decoding: try path.read(), as: UTF8.self) }

    private func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    }

    @Test func makesAFileThatOnlyItsOwnerReads() throws {
        try write("new")
        #expect(try text(path) == "new")
        #expect(try path.permissions() == 0o600)
        #expect(try names() == ["file"])
    }

    @Test func replacesAFileAndKeepsTheOldOne() throws {
        try write("one", backup: backup)
        #expect(try names() == ["file"])
        try write("two", backup: backup)
        #expect(try text(path) == "two" && text(backup) == "one")
        try write("three", backup: backup)
        #expect(try text(path) == "three" && text(backup) == "two")
        #expect(try names() == ["file", "file.bak"])
    }

    @Test func whoReadsTheOldFileReadsOn() throws {
        try write("one")
        let source = try FileSource(opening: path)
        try write("three")
        var bytes = [UInt8](repeating: 0, count: 3)
        var output = bytes.mutableSpan
        try source.read(into: &output, at: 0)
        #expect(String(decoding: bytes, as: UTF8.self) == "one")
    }

    /// A file without a name in the folder.
    private func unnamed() throws -> FileDescriptor {
        // O_TMPFILE, which Swift does not see.
        let descriptor = open(folder.path, 0o20_000_000 | O_DIRECTORY | O_RDWR | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Errno(rawValue: errno) }
        return FileDescriptor(rawValue: descriptor)
    }

    /// Writes what is in a file, naming the file itself where that is possible. Whether it is the same one.
    private func write(from source: FileDescriptor, to path: FilePath) throws -> Bool {
        let link = FilePath("/proc/self/fd/\(source.rawValue)")
        try DurableFile.write(path, backup: backup, making: .of(link)) { (descriptor) throws(VaultError) in
            try DurableFile.copy(link, to: descriptor, at: path)
        }
        let (this, that) = (DurableFile.status(of: link), DurableFile.status(of: path))
        return this?.st_dev == that?.st_dev && this?.st_ino == that?.st_ino
    }

    @Test func aFileWithoutANameGetsIt() throws {
        try write("one")
        let source = try unnamed()
        defer { try? source.close() }
        try source.writeAll("two".utf8)
        #expect(try write(from: source, to: path))
        #expect(try text(path) == "two" && text(backup) == "one")
        // It has a name now, by which somebody could write into it: another one is a copy.
        let other = FilePath(folder.file("other"))
        #expect(try !write(from: source, to: other))
        #expect(try text(other) == "two")
        #expect(try names() == ["file", "file.bak", "other"])
    }

    @Test func aFileThatLostItsNameIsCopied() throws {
        let lost = FilePath(folder.file("lost"))
        let source = try FileDescriptor.open(
            lost, .readWrite, options: [.create, .exclusiveCreate], permissions: [.ownerReadWrite])
        defer { try? source.close() }
        try source.writeAll("two".utf8)
        try FileManager.default.removeItem(atPath: lost.string)
        #expect(try !write(from: source, to: path))
        #expect(try text(path) == "two")
        #expect(try names() == ["file"])
    }

    @Test func takesTheModeThatItIsGiven() throws {
        try write("one", mode: [.ownerReadWrite, .groupRead, .otherRead])
        #expect(try path.permissions() == 0o644)
        try write("two", mode: [.ownerRead])
        #expect(try path.permissions() == 0o400)
    }

    @Test func showsTheCheckAWholeFileBeforeItIsInPlace() throws {
        try write("one", backup: backup)
        var seen: [String] = []
        try write("two", backup: backup) { temporary in
            seen = [(try? text(temporary)) ?? "", (try? text(path)) ?? "", "\(backup.exists)"]
            #expect(temporary.removingLastComponent() == path.removingLastComponent())
            #expect((try? temporary.permissions()) == 0o600)
        }
        #expect(seen == ["two", "one", "false"])
    }

    @Test func aFailureLeavesEverythingAsItWas() throws {
        try write("one", backup: backup)
        try write("two", backup: backup)
        #expect(throws: trouble) { try write("three", backup: backup) { (_) throws(VaultError) in throw trouble } }
        #expect(throws: trouble) {
            try DurableFile.write(path, backup: backup) { (descriptor) throws(VaultError) in
                try DurableFile.write(Array("half".utf8).span, to: descriptor, at: path)
                throw trouble
            }
        }
        #expect(try text(path) == "two" && text(backup) == "one")
        #expect(try names() == ["file", "file.bak"])
    }

    @Test func aBackupThatCannotBeMadeIsAFailure() throws {
        try write("one")
        try FileManager.default.createDirectory(atPath: backup.string, withIntermediateDirectories: false)
        #expect(
            throws: VaultError.system(operation: .keepingAs, path: backup.string, errno: EISDIR)
        ) { try write("two", backup: backup) }
        #expect(try text(path) == "one")
        #expect(try names() == ["file", "file.bak"])
    }

    @Test func aFolderInTheWayIsAFailure() throws {
        try FileManager.default.createDirectory(atPath: path.string, withIntermediateDirectories: false)
        #expect(throws: VaultError.system(operation: .replacing, path: path.string, errno: EISDIR)) { try write("x") }
        #expect(throws: VaultError.exists(path.string)) { try write("x", replacing: false) }
        #expect(try names() == ["file"])
    }

    @Test func makesAFileOnlyWhereThereIsNone() throws {
        try write("one", replacing: false)
        #expect(throws: VaultError.exists(path.string)) { try write("two", replacing: false) }
        #expect(try text(path) == "one")
        // A link that leads nowhere is something, too.
        try FileManager.default.removeItem(atPath: path.string)
        try FileManager.default.createSymbolicLink(atPath: path.string, withDestinationPath: "nowhere")
        #expect(throws: VaultError.exists(path.string)) { try write("two", replacing: false) }
        #expect(try names() == ["file"])
    }

    @Test func aMissingFolderIsAFailure() {
        let lost = FilePath(folder.file("missing/file"))
        for (replacing, operation) in [(true, VaultError.Operation.writing), (false, .creating)] {
            #expect(throws: VaultError.system(operation: operation, path: lost.string, errno: ENOENT)) {
                try DurableFile.write(lost, replacing: replacing) { _ in }
            }
        }
    }

    @Test(arguments: [true, false])
    func hasNoNameUntilItIsWholeAndChecked(_ replacing: Bool) throws {
        if replacing { try write("old") }
        var seen: [[String]] = []
        func look() { seen.append((try? names()) ?? []) }
        try DurableFile.write(path, replacing: replacing, making: .unnamed) { (descriptor) throws(VaultError) in
            try DurableFile.write(Array("new".utf8).span, to: descriptor, at: path)
            look()
        } check: { (unnamed) throws(VaultError) in
            look()
            let mode = DurableFile.status(of: unnamed).map { String($0.st_mode & 0o777, radix: 8) } ?? ""
            seen.append([(try? text(unnamed)) ?? "", mode])
        }
        let before = replacing ? ["file"] : []
        #expect(seen == [before, before, ["new", "600"]])
        #expect(try text(path) == "new")
        #expect(try names() == ["file"])
    }

    /// Without a lock, what somebody is writing has to be told from what nobody will ever finish.
    @Test(arguments: [true, false])
    func removesWhatNobodyHoldsAnyMore(_ replacing: Bool) throws {
        if replacing { try write("old") }
        let (held, abandoned) = (".file.0123456789abcdef.tmp", ".file.fedcba9876543210.tmp")
        for name in [held, abandoned] { try Array("half".utf8).write(to: FilePath(folder.file(name))) }
        let writer = try FileDescriptor.open(folder.file(held), .readOnly, options: [.closeOnExec])
        defer { try? writer.close() }
        #expect(flock(writer.rawValue, LOCK_EX | LOCK_NB) == 0)
        try write("new", replacing: replacing, making: .unnamed)
        #expect(try names() == [held, "file"])
        #expect(try text(path) == "new")
    }

    @Test func aWriterWhoseFileHasANameIsLeftAlone() throws {
        try write("one")
        try write("two") { (_) throws(VaultError) in
            // Somebody else, who knows of no lock.
            do { try write("other", making: .unnamed) } catch { throw trouble }
        }
        #expect(try text(path) == "two")
        #expect(try names() == ["file"])
    }

    /// Where the system cannot say what a path is, it is not taken for a file that a new one may replace.
    @Test func aLinkThatCannotBeFollowedIsNoFile() throws {
        try write("one")
        let link = FilePath(folder.file("link"))
        try FileManager.default.createSymbolicLink(atPath: link.string, withDestinationPath: "file")
        #expect(try DurableFile.target(of: link, for: .writing).lastComponent == "file")
        let missing = FilePath(folder.file("missing/file"))
        #expect(try DurableFile.target(of: missing, for: .writing) == missing)
        let long = FilePath(folder.file(String(repeating: "a", count: 300)))
        #expect(throws: VaultError.system(operation: .writing, path: long.string, errno: ENAMETOOLONG)) {
            try DurableFile.target(of: long, for: .writing)
        }
    }

    @Test func aFailureLeavesNothingWithoutAName() throws {
        try write("one", making: .unnamed)
        #expect(throws: trouble) {
            try write("two", making: .unnamed) { (_) throws(VaultError) in throw trouble }
        }
        #expect(throws: VaultError.exists(path.string)) { try write("two", replacing: false, making: .unnamed) }
        #expect(try text(path) == "one")
        #expect(try names() == ["file"])
        let lost = FilePath(folder.file("missing/file"))
        #expect(throws: VaultError.system(operation: .creating, path: lost.string, errno: ENOENT)) {
            try DurableFile.write(lost, replacing: false, making: .unnamed) { _ in }
        }
    }

    /// What ends a program waits from the check on, for as long as there may be a name to be taken away.
    @Test func signalsThatWaitedComeAfterwards() throws {
        var seen: [Int32] = []
        func held() -> Int32 {
            var mask = sigset_t()
            pthread_sigmask(SIG_BLOCK, nil, &mask)
            return [SIGHUP, SIGINT, SIGQUIT, SIGTERM].reduce(0) { $0 + sigismember(&mask, $1) }
        }
        let before = held()
        try DurableFile.write(path, making: .unnamed) { _ in
            seen.append(held())
        } check: { _ in
            seen.append(held())
        }
        #expect(seen == [before, 4])
        #expect(held() == before)
        try DurableFile.write(path) { _ in
            seen.append(held())
        } check: { _ in
            seen.append(held())
        }
        #expect(seen.suffix(2) == [before, before])
    }

    @Test func remainsOfAKilledWriterAreRemoved() throws {
        try write("one")
        // What a kill leaves behind is what is there while the check runs.
        var remains: [String] = []
        try write("two") { _ in
            remains = (try? names().filter { $0 != "file" }) ?? []
            for name in remains { try? Array("half".utf8).write(to: FilePath(folder.file("copy-of-\(name)"))) }
        }
        try #require(remains.count == 1)
        try FileManager.default.moveItem(
            atPath: folder.file("copy-of-\(remains[0])"), toPath: folder.file(remains[0]))
        let others = [
            ".file.lock", ".file.tmp", ".file.2026.tmp", ".file.notes.tmp", ".file.age.0123456789abcdef.tmp",
            ".filed.0123456789abcdef.tmp",
            "file.0123456789abcdef.tmp", ".file.0123456789abcdef.tmp~", ".file.0123456789abcdeg.tmp",
        ]
        for name in others { try Array("mine".utf8).write(to: FilePath(folder.file(name))) }
        DurableFile.removeRemains(of: path)
        #expect(try names() == (others + ["file"]).sorted())
        DurableFile.removeRemains(of: FilePath(folder.file("missing/file")))
    }

    @Test func foldersAreMadeWithThoseAboveThem() throws {
        let deep = FilePath(folder.file("a/b/c"))
        try DurableFile.createFolder(deep)
        try DurableFile.createFolder(deep)
        for name in ["a", "a/b", "a/b/c"] { #expect(try FilePath(folder.file(name)).permissions() == 0o700) }
        try DurableFile.createFolder("/")
        // The folder of a path that is only a name.
        try DurableFile.createFolder(FilePath("file").removingLastComponent())
    }

    @Test func aFolderThatAFileStandsInTheWayOfIsAFailure() throws {
        try write("one")
        for name in [path, path.appending("a"), path.appending("a/b")] {
            #expect(throws: VaultError.system(operation: .creatingFolder, path: path.string, errno: ENOTDIR)) {
                try DurableFile.createFolder(name)
            }
        }
    }
}
