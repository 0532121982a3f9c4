import Foundation
import TestSupport
import Testing

@testable import vault

/// What the trail says of itself before anything is written.
@Suite struct TrailTests {
    @Test func nothingStandsInTheWay() throws {
        let folder = try TemporaryFolder()
        #expect(TrailFile(folder: folder.path).problem() == nil)
        #expect(TrailFile(folder: folder.file("a/b/c")).problem() == nil)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
        try TrailFile(folder: folder.path).append(Array("{}\n".utf8))
        #expect(TrailFile(folder: folder.path).problem() == nil)
        #expect(try String(contentsOfFile: folder.file("log.jsonl"), encoding: .utf8) == "{}\n")
    }

    @Test func whatStandsInTheWayIsSaid() throws {
        let folder = try TemporaryFolder()
        let log = folder.file("log.jsonl")
        try FileManager.default.createDirectory(atPath: log, withIntermediateDirectories: false)
        let problem = try #require(TrailFile(folder: folder.path).problem())
        #expect(problem.text == "\(log): it is not a regular file of one name")

        let file = folder.file("file")
        try Data().write(to: URL(filePath: file))
        #expect(TrailFile(folder: file).problem()?.text == "\(file)/log.jsonl: not a directory")
    }

    @Test(.enabled(if: geteuid() != 0, "root may write everywhere"))
    func folderThatMayNotBeWrittenIsSaid() throws {
        let folder = try TemporaryFolder()
        try FileManager.default.setAttributes([.posixPermissions: 0o500], ofItemAtPath: folder.path)
        for place in [folder.path, folder.file("vault")] {
            #expect(TrailFile(folder: place).problem()?.text == "\(place)/log.jsonl: permission denied")
        }
    }
}
