import Foundation
import Testing

/// The inputs of `Scripts/fuzz`, run once: what was found stays mended.
@Suite struct CorpusTests {
    @Test(arguments: FuzzTarget.all) func `Every input of the corpus is dealt with`(target: FuzzTarget) throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../Corpora/\(target.name)").standardized
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        #expect(files.count >= 3, "the corpus of \(target.name) is nearly empty")
        for file in files {
            #expect(throws: Never.self, "\(file.lastPathComponent)") {
                try target.check(Array(try Data(contentsOf: file)))
            }
        }
    }

    @Test func `Every corpus has a target`() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Corpora").standardized
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(names.sorted() == FuzzTarget.all.map(\.name).sorted())
    }
}
