import Foundation
import Glibc
import SystemPackage
import TestSupport
import Testing

@testable import VaultFile

@Suite struct KnownVaultsTests {
    private let folder: TemporaryFolder
    private let file: FilePath
    private let known: KnownVaults
    private let one = Pin(id: Draft().id)
    private let two = Pin(id: Draft().id, minimumRosterVersion: 7)

    init() throws {
        folder = try TemporaryFolder()
        file = FilePath(folder.file("config/vault/known_vaults"))
        known = KnownVaults(file: file)
    }

    private func write(_ text: String) throws {
        try DurableFile.createFolder(file.removingLastComponent())
        try Array(text.utf8).write(to: file)
    }

    private func text() throws -> String { String(decoding: try file.read(), as: UTF8.self) }

    private func entry(_ path: String, _ pin: Pin? = nil, git: Bool = false) -> KnownVaults.Entry {
        KnownVaults.Entry(pin: pin ?? one, followsGit: git, path: FilePath(path))
    }

    @Test func knowsNothingWithoutAFile() throws {
        #expect(try known.entry(for: "/srv/vault.age") == nil)
        try write("")
        #expect(try known.entry(for: "/srv/vault.age") == nil)
    }

    @Test func knowsNothingWithoutAPlaceForTheFile() throws {
        let nowhere = KnownVaults(file: nil)
        #expect(try nowhere.entry(for: "/srv/vault.age") == nil)
        #expect(throws: VaultError.notAllowed("there is no home folder to write it down in")) {
            try nowhere.record(entry("/srv/vault.age"))
        }
    }

    @Test func writesDownWhatItReads() throws {
        let plain = entry("/srv/vault.age")
        let git = entry("/srv/repository/vault.age", two, git: true)
        try known.record(plain)
        try known.record(git)
        #expect(try text() == "\(one) plain /srv/vault.age\n\(two) git /srv/repository/vault.age\n")
        #expect(try known.entry(for: "/srv/vault.age") == plain)
        #expect(try known.entry(for: "/srv/repository/vault.age") == git)
        #expect(try known.entry(for: "/srv/other.age") == nil)
        #expect(try file.permissions() == 0o600)
        #expect(try file.removingLastComponent().permissions() == 0o700)
    }

    @Test(arguments: [
        "/srv/my vaults/the vault.age", "/srv/ leading", "/srv/trailing ", "/srv/two  spaces", "/srv/tab\there",
        "/srv/#1",
        "/srv/vault1 plain /srv/x", "/srv/ünïcödé", "/srv/\"quoted\"", "/srv/back\\slash", "/srv/colon:1",
    ])
    func aPathReachesToTheEndOfItsLine(_ path: String) throws {
        try known.record(entry("/first"))
        try known.record(entry(path, two))
        try known.record(entry("/last"))
        #expect(try known.entry(for: FilePath(path)) == entry(path, two))
        try known.record(entry(path, one))
        #expect(try known.entry(for: FilePath(path)) == entry(path, one))
        #expect(try text() == "\(one) plain /first\n\(one) plain /last\n\(one) plain \(path)\n")
    }

    @Test func aPathWithALineBreakIsNotWrittenDown() throws {
        #expect(
            throws: VaultError.notAllowed("a vault whose path has a line break cannot be written down in \(file)")
        ) { try known.record(entry("/srv/a\n\(two) plain /srv/b")) }
        #expect(!file.exists)
    }

    /// A line with such a path would make the whole file unreadable.
    @Test(arguments: ["", "vault.age", "./vault.age", "~/vault.age", " /srv/a"])
    func aPathThatIsNotWholeIsNotWrittenDown(_ path: String) throws {
        #expect(
            throws: VaultError.notAllowed("a vault is written down by its whole path, which \"\(path)\" is not")
        ) { try known.record(entry(path)) }
        #expect(!file.exists)
    }

    @Test func commentsStay() throws {
        try write("# vaults\n\n\(one) plain /srv/a\n#\(two) plain /srv/b\n\(one) git /srv/c\n# end")
        try known.record(entry("/srv/a", two))
        #expect(
            try text()
                == "# vaults\n\n#\(two) plain /srv/b\n\(one) git /srv/c\n# end\n\(two) plain /srv/a\n")
    }

    /// As an editor on another system may leave it.
    @Test func linesThatEndInACarriageReturnStayTheirOwn() throws {
        try write("# vaults\r\n\(one) plain /srv/a\n")
        try known.record(entry("/srv/a", two))
        #expect(try text() == "# vaults\r\n\(two) plain /srv/a\n")
        #expect(try known.entry(for: "/srv/a") == entry("/srv/a", two))
    }

    @Test(arguments: [
        "x", "ID", "ID plain", "ID plain ", "ID  plain /srv/a", "ID plain srv/a", "ID plain  /srv/a",
        "ID secret /srv/a",
        "ID Plain /srv/a", " ID plain /srv/a", "ID:0 plain /srv/a", "ID: plain /srv/a", "vault1qqq plain /srv/a",
        "plain ID /srv/a", "ID\tplain\t/srv/a", " # comment", " ", "/srv/a", "ID git ~/a",
    ])
    func aMalformedLineIsSaidByItsNumber(_ line: String) throws {
        let line = line.split(separator: "ID", omittingEmptySubsequences: false).joined(separator: "\(one.id)")
        try write("# first\n\n\(one) plain /srv/z\n\(line)\n\(one) plain /srv/y\n")
        let error = VaultError.setting(
            file: file.string, line: 4, "a line is \"vault1… plain|git /path\", with the path last")
        #expect(throws: error) { _ = try known.entry(for: "/srv/z") }
        let before = try text()
        #expect(throws: error) { try known.record(entry("/srv/x")) }
        #expect(try text() == before)
    }

    @Test func aPathStandsOnOneLineOnly() throws {
        try write("\(one) plain /srv/a\n# comment\n\(two) git /srv/a\n")
        #expect(
            throws: VaultError.setting(file: file.string, line: 3, "the path stands on a line before")
        ) { _ = try known.entry(for: "/srv/b") }
    }

    /// Composed in one way and in another, they look alike and are two files.
    @Test func pathsAreComparedByTheirBytes() throws {
        try write("\(one) plain /srv/\u{e9}\n\(two) plain /srv/e\u{301}\n")
        #expect(try known.entry(for: "/srv/\u{e9}")?.pin == one)
        #expect(try known.entry(for: "/srv/e\u{301}")?.pin == two)
        try write("\(one) plain /srv/\u{e9}\n")
        #expect(try known.entry(for: "/srv/e\u{301}") == nil)
        try known.record(entry("/srv/e\u{301}", two))
        #expect(try text() == "\(one) plain /srv/\u{e9}\n\(two) plain /srv/e\u{301}\n")
    }

    @Test func aLinkStaysOne() throws {
        let real = FilePath(folder.file("dotfiles"))
        try Array("# mine\n".utf8).write(to: real)
        try DurableFile.createFolder(file.removingLastComponent())
        try FileManager.default.createSymbolicLink(atPath: file.string, withDestinationPath: real.string)
        try known.record(entry("/srv/a"))
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: file.string) == real.string)
        #expect(String(decoding: try real.read(), as: UTF8.self) == "# mine\n\(one) plain /srv/a\n")
    }

    @Test func aFileThatIsNoneIsRefused() throws {
        try FileManager.default.createDirectory(atPath: file.string, withIntermediateDirectories: true)
        #expect(throws: VaultError.system(operation: .reading, path: file.string, errno: EISDIR)) {
            _ = try known.entry(for: "/srv/a")
        }
    }

    /// The names of folders are bytes: two that are no text look alike when they are shown.
    @Test func aPathNeedNotBeText() throws {
        let folders = [UInt8(0xfe), 0xff].map { FilePath(folder.path).appending(bytes: [$0]) }
        for (folder, pin) in zip(folders, [one, two]) {
            try DurableFile.createFolder(folder)
            try known.record(
                .init(pin: pin, followsGit: false, path: KnownVaults.place(of: folder.appending("vault.age"))))
        }
        for (folder, pin) in zip(folders, [one, two]) {
            #expect(try known.entry(for: folder.appending("vault.age"))?.pin == pin)
        }
    }

    @Test func aVaultIsKnownByItsRealFolderAndItsName() throws {
        let real = FilePath(folder.file("real"))
        let link = FilePath(folder.file("link"))
        try DurableFile.createFolder(real)
        try FileManager.default.createSymbolicLink(atPath: link.string, withDestinationPath: real.string)
        let realFolder = KnownVaults.place(of: real.appending("vault.age"))
        #expect(realFolder.string.hasSuffix("/real/vault.age"))
        #expect(KnownVaults.place(of: link.appending("vault.age")) == realFolder)
        #expect(KnownVaults.place(of: real.appending("../link/./vault.age")) == realFolder)
        // The file itself may be a link: it is known by its own name.
        try Array("x".utf8).write(to: real.appending("vault.age"))
        try FileManager.default.createSymbolicLink(
            atPath: real.appending("other.age").string, withDestinationPath: "vault.age")
        #expect(KnownVaults.place(of: link.appending("other.age")) == real.appending("other.age"))
        // A folder that is not there has no real path.
        #expect(KnownVaults.place(of: "/no/such/folder/vault.age") == "/no/such/folder/vault.age")
        #expect(KnownVaults.place(of: "vault.age") == FilePath(FileManager.default.currentDirectoryPath + "/vault.age"))
    }

    @Test func seesAGitWorkTreeAboveTheVault() throws {
        let deep = FilePath(folder.file("tree/a/b"))
        try DurableFile.createFolder(deep)
        #expect(!KnownVaults.isInGitWorkTree(deep.appending("vault.age")))
        // An empty one is none: anybody could make that.
        try DurableFile.createFolder(FilePath(folder.file("tree/.git")))
        #expect(!KnownVaults.isInGitWorkTree(deep.appending("vault.age")))
        try Array("ref: refs/heads/main\n".utf8).write(to: FilePath(folder.file("tree/.git/HEAD")))
        #expect(KnownVaults.isInGitWorkTree(deep.appending("vault.age")))
        #expect(KnownVaults.isInGitWorkTree(FilePath(folder.file("tree/vault.age"))))
        #expect(!KnownVaults.isInGitWorkTree(FilePath(folder.file("vault.age"))))
        // In a linked work tree it is a file.
        try FileManager.default.removeItem(atPath: folder.file("tree/.git"))
        try Array("gitdir: /elsewhere\n".utf8).write(to: FilePath(folder.file("tree/.git")))
        #expect(KnownVaults.isInGitWorkTree(deep.appending("vault.age")))
    }

    /// What somebody else could put there would have older versions accepted.
    @Test func aWorkTreeIsNothingThatOthersCanMake() throws {
        let tree = FilePath(folder.file("tree"))
        let git = tree.appending(".git")
        let vault = tree.appending("vault.age")
        try DurableFile.createFolder(git)
        try Array("ref: refs/heads/main\n".utf8).write(to: git.appending("HEAD"))
        for (mode, isTree) in [(0o700, true), (0o755, true), (0o757, false), (0o777, false), (0o1777, false)] {
            try #require(chmod(tree.string, mode_t(mode)) == 0)
            #expect(KnownVaults.isInGitWorkTree(vault) == isTree, "\(String(mode, radix: 8))")
        }
        // A group that is not the user's own alone has other members.
        if geteuid() == 0 {
            try #require(chmod(tree.string, 0o770) == 0)
            #expect(KnownVaults.isInGitWorkTree(vault))
            try #require(chown(tree.string, 0, 4711) == 0)
            #expect(!KnownVaults.isInGitWorkTree(vault))
            try #require(chmod(tree.string, 0o750) == 0)
            #expect(KnownVaults.isInGitWorkTree(vault))
        }
        // A link leads where its maker likes.
        try FileManager.default.moveItem(atPath: git.string, toPath: folder.file("moved"))
        for target in ["moved", "moved/HEAD", "/etc/passwd", "gitdir"] {
            try Array("gitdir: /elsewhere\n".utf8).write(to: FilePath(folder.file("gitdir")))
            let path = target.hasPrefix("/") ? target : folder.file(target)
            try FileManager.default.createSymbolicLink(atPath: git.string, withDestinationPath: path)
            #expect(!KnownVaults.isInGitWorkTree(vault), "\(target)")
            try FileManager.default.removeItem(atPath: git.string)
        }
        for text in ["", "x", "gitdir:", "ref: refs/heads/main\n"] {
            try Array(text.utf8).write(to: git)
            #expect(!KnownVaults.isInGitWorkTree(vault), "\(text)")
        }
        try FileManager.default.removeItem(atPath: git.string)
        try #require(mkfifo(git.string, 0o600) == 0)
        #expect(!KnownVaults.isInGitWorkTree(vault))
    }
}
