import Foundation
import SystemPackage
import TestSupport
import Testing
import VaultFile

@testable import Remotes

@Suite("Remotes: which store belongs to which vault")
struct RemoteListTests {
    private let folder: TemporaryFolder
    private let list: RemoteList
    private let vault: FilePath

    init() throws {
        folder = try TemporaryFolder()
        list = RemoteList(file: FilePath(folder.file("config/remotes")))
        vault = FilePath(folder.file("vault \"1\".age"))
    }

    private var text: String {
        get throws { try String(contentsOfFile: folder.file("config/remotes"), encoding: .utf8) }
    }

    private func write(_ text: String) throws {
        try FileManager.default.createDirectory(atPath: folder.file("config"), withIntermediateDirectories: true)
        try text.write(toFile: folder.file("config/remotes"), atomically: false, encoding: .utf8)
    }

    private let full = RemoteSettings(
        url: "etcd://a.example,b.example/team", allowsHTTP: true, authority: "/ca \"1\"", certificate: "/cert\\",
        key: "/key\n", user: "ü", passwordFile: "/password")

    @Test("What was written down is read again, and replaced")
    func roundTrip() throws {
        #expect(try list.settings(for: vault) == nil)
        #expect(try list.set(full, for: vault) == false)
        #expect(try list.settings(for: vault) == full)
        let other = RemoteSettings(url: "https://a.example/vault.age")
        #expect(try list.set(other, for: vault) == true)
        #expect(try list.settings(for: vault) == other)
        #expect(try text.split(separator: "\n").count == 1)
        #expect(try list.set(nil, for: vault) == true)
        #expect(try list.settings(for: vault) == nil)
        #expect(try text.isEmpty)
    }

    @Test("Lines of other vaults stay byte for byte, whatever else is in them")
    func otherLinesStay() throws {
        let strange = #"{"later": [1, 2], "vault":"/elsewhere","url": 7}"#
        try write(strange + "\n")
        try list.set(full, for: vault)
        #expect(try text.hasPrefix(strange + "\n{"))
        #expect(try list.settings(for: vault) == full)
        #expect(throws: VaultError.self) { try list.settings(for: "/elsewhere") }
    }

    @Test("A link to the vault's folder is the same place")
    func linksAreFollowed() throws {
        try FileManager.default.createSymbolicLink(atPath: folder.file("link"), withDestinationPath: folder.path)
        try list.set(full, for: vault)
        #expect(try list.settings(for: FilePath(folder.file("link/vault \"1\".age"))) == full)
    }

    @Test(
        "What makes no sense is refused with its line",
        arguments: [
            "no JSON", "{}", #"{"vault":7}"#, #"{"vault":"VAULT"}"#, #"{"vault":"VAULT","url":""}"#,
            #"{"vault":"VAULT","url":"etcd://a/b","unknown":true}"#, #"{"vault":"VAULT","url":"etcd://a/b","ca":null}"#,
            #"{"vault":"VAULT","url":"etcd://a/b","allow_http":"yes"}"#,
            "{\"vault\":\"VAULT\",\"url\":\"etcd://a/b\"}\n{\"vault\":\"VAULT\",\"url\":\"etcd://a/b\"}",
        ])
    func nonsense(_ line: String) throws {
        let path = folder.file("plain.age")
        try write("\n" + line.replacing("VAULT", with: path) + "\n")
        let error = try #require(throws: VaultError.self) { try list.settings(for: FilePath(path)) }
        guard case .setting(_, let number, _) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(number == (line.contains("\n") ? 3 : 2))
    }
}
