@testable import Age
import Foundation
import Sodium
import TestSupport
import Testing

/// The test kit that age's implementations share (C2SP/CCTV, age/testdata). It is not part of this package.
@Suite(.enabled(if: testkit != nil, "there is no test kit: set AGE_TESTKIT to the folder with its vectors"))
struct AgeTestkit {
    @Test func `Every vector ends as the kit says`() throws {
        let folder = try #require(testkit)
        var ran = 0
        var skipped: [String] = []
        for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted() {
            let contents = try #require(FileManager.default.contents(atPath: folder + "/" + name), "\(name)")
            do {
                try Self.run(TestkitVector(Array(contents)), name: name)
                ran += 1
            } catch let error as TestkitVector.Skipped {
                skipped.append("\(name) (\(error.reason))")
            }
        }
        let list = skipped.isEmpty ? "" : ": " + skipped.joined(separator: ", ")
        print("AgeTestkit: \(ran) vectors ran, \(skipped.count) files skipped\(list)")
        #expect(ran > 0, "there is no vector in \(folder)")
    }

    private static func run(_ vector: TestkitVector, name: String) throws {
        var identities: [any Identity] = []
        for text in vector.identities {
            guard text.hasPrefix("AGE-SECRET-KEY-1") else {
                throw TestkitVector.Skipped(reason: "an identity of another kind, \(text.prefix(20))…")
            }
            identities.append(try identity(text))
        }
        identities += vector.passphrases.map { passphrase($0) }

        var fileKey: String?
        var header: (read: [UInt8], written: [UInt8])?
        var released: [UInt8] = []
        var streamed: [UInt8] = []
        let ending = outcome { () throws(AgeError) in
            let file = vector.isArmored ? try Armor.decode(vector.file) : vector.file
            let parsed = try Header(readingFrom: file)
            let opened = try parsed.unwrap(with: identities)
            fileKey = opened.fileKey.bytes.bytes.hex
            header = (
                Array(file.prefix(parsed.byteCount)), Header(stanzas: parsed.stanzas, fileKey: opened.fileKey).bytes
            )
            streamed = try stream(file, at: parsed.byteCount, fileKey: opened.fileKey)
            let reader = try StreamReader(file, at: parsed.byteCount, fileKey: opened.fileKey)
            for index in 0..<reader.chunkCount { released += try reader.chunk(index) }
        }
        #expect(ending == vector.expected, "\(name)")
        if let payload = vector.payload { #expect(sha256(streamed) == payload, "\(name)") }
        if ending == .success {
            let isSame = released == streamed
            #expect(isSame, "\(name)")
        } else {
            #expect(streamed.starts(with: released), "\(name)")
        }
        if let fileKey, let expected = vector.fileKey { #expect(fileKey == expected, "\(name)") }
        // There is one way to write a header, so that what was read is written again as it was.
        if let header { #expect(header.read == header.written, "\(name)") }
    }

    /// What a reader releases that goes through a payload once and does not know where it ends.
    ///
    /// The kit's hashes are of this. A reader that knows the size, as this library's does, gives out less of some damaged
    /// payloads: nothing of a chunk whose mark says that it is the last, where it is not, and the other way around.
    private static func stream(_ file: [UInt8], at start: Int, fileKey: borrowing FileKey) throws(AgeError) -> [UInt8] {
        var plaintext: [UInt8] = []
        var index = 0
        while true {
            let end = start + Age.Stream.nonceSize + (index + 1) * Age.Stream.sealedChunkSize
            // As if the file ended here, and as if it went on.
            let cut = Cut(bytes: file, byteCount: min(end, file.count))
            let asLast = try StreamReader(cut, at: start, fileKey: fileKey)
            if asLast.chunkCount <= index { return plaintext }
            if let chunk = try? asLast.chunk(index) { return plaintext + chunk }
            if end > file.count { return plaintext }
            let asOther = try StreamReader(Cut(bytes: file, byteCount: end + 1), at: start, fileKey: fileKey)
            guard let chunk = try? asOther.chunk(index) else { return plaintext }
            plaintext += chunk
            index += 1
        }
    }
}

/// The first bytes of a file, or as if there were more of them.
private struct Cut: ByteSource {
    let bytes: [UInt8]
    let byteCount: Int

    func read(into output: inout MutableSpan<UInt8>, at offset: Int) throws(AgeError) {
        try bytes.read(into: &output, at: offset)
    }
}

extension StreamReader {
    /// The plaintext of a chunk.
    fileprivate func chunk(_ index: Int) throws(AgeError) -> [UInt8] {
        var chunk = [UInt8](repeating: 0, count: max(size(ofChunk: index), 0))
        var output = chunk.mutableSpan
        try readChunk(index, into: &output)
        return chunk
    }
}

/// The folder that `AGE_TESTKIT` names, or else `../shared/age-testkit` beside the package, where that exists.
private let testkit: String? = {
    // A folder that was asked for and is not there is a failure, not a reason to skip.
    if let named = ProcessInfo.processInfo.environment["AGE_TESTKIT"], !named.isEmpty { return named }
    let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    let beside = package.deletingLastPathComponent().appending(path: "shared/age-testkit").path
    return FileManager.default.fileExists(atPath: beside) ? beside : nil
}()
