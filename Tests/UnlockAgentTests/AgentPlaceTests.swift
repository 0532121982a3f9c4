import Foundation
import TestSupport
import Testing

@testable import UnlockAgent

@Suite struct AgentPlaceTests {
    private let own = "/tmp/vault-\(geteuid())"

    @Test func theRuntimeFolderHoldsTheSocket() throws {
        let folder = try TemporaryFolder()
        let place = AgentPlace(runtimeFolder: folder.path)
        #expect(place.folder == folder.path + "/vault")
        #expect(place.socket == folder.path + "/vault/agent.sock")
    }

    @Test func whatIsNoFolderOfOnesOwnIsPassedOver() throws {
        let folder = try TemporaryFolder()
        try Data().write(to: URL(filePath: folder.file("file")))
        for path in [nil, "", "relative", folder.file("missing"), folder.file("file")] {
            #expect(AgentPlace(runtimeFolder: path, systemFolder: folder.file("none")).folder == own)
        }
    }

    /// A job that nobody's session started finds the agent of that session.
    @Test func theFolderOfTheSystemIsTheNextOne() throws {
        let folder = try TemporaryFolder()
        let (session, system) = (folder.file("session"), folder.file("system"))
        for path in [session, system, "\(system)/\(geteuid())"] { #expect(mkdir(path, 0o700) == 0) }
        #expect(AgentPlace(runtimeFolder: session, systemFolder: system).folder == "\(session)/vault")
        for path in [nil, folder.file("missing"), "\(system)/\(geteuid())"] {
            let places = AgentPlace.all(runtimeFolder: path, systemFolder: system)
            #expect(places.map(\.folder) == ["\(system)/\(geteuid())/vault", own])
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only root can give a folder away"))
    func anotherUsersFolderIsPassedOver() throws {
        let folder = try TemporaryFolder()
        #expect(chown(folder.path, 65534, 65534) == 0)
        #expect(AgentPlace(runtimeFolder: folder.path, systemFolder: "/none").folder == own)
    }

    @Test func aFolderThatOthersMayEnterIsADefect() throws {
        let folder = try TemporaryFolder()
        let place = AgentPlace(runtimeFolder: folder.path)
        #expect(place.defect == nil)
        try place.prepare()
        #expect(place.defect == nil)
        #expect(chmod(place.folder, 0o710) == 0)
        #expect(place.defect == .open)
        #expect(throws: AgentPlace.Failure.folder(place.folder, .open)) { try place.prepare() }
    }
}
