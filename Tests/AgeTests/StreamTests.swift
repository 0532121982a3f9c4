@testable import Age
import Sodium
import TestSupport
import Testing

@Suite struct StreamTests {
    static let chunkSize = Age.Stream.chunkSize
    static let sealedChunkSize = Age.Stream.sealedChunkSize
    static let nonceSize = Age.Stream.nonceSize

    @Test(arguments: [0, 1, 100, 65_535, 65_536, 65_537, 131_071, 131_072, 131_073, 300_000])
    func `What was sealed is read, whatever its size`(size: Int) throws {
        let payload = Payload(pattern(size))
        let chunks = max(1, (size + Self.chunkSize - 1) / Self.chunkSize)
        #expect(payload.bytes.count == Self.nonceSize + size + 16 * chunks)
        let reader = try payload.reader(payload.bytes)
        #expect(reader.chunkCount == chunks)
        #expect(reader.byteCount == size)
        let isSame = try payload.read(payload.bytes) == pattern(size)
        #expect(isSame)
    }

    @Test func `The payload is what the specification says, chunk by chunk`() throws {
        let chunks = [pattern(Self.chunkSize), pattern(Self.chunkSize), pattern(5)]
        let payload = Payload(chunks: chunks)
        let isSame = try payload.read(payload.bytes) == Array(chunks.joined())
        #expect(isSame)
    }

    @Test func `The nonce counts in eleven bytes, most significant first`() {
        func bytes(_ nonce: ChaCha20Poly1305.Nonce) -> [UInt8] { nonce.indices.map { nonce[$0] } }
        #expect(bytes(Age.Stream.chunkNonce(0, isLast: false)) == [UInt8](repeating: 0, count: 12))
        #expect(bytes(Age.Stream.chunkNonce(1, isLast: true)) == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1])
        #expect(bytes(Age.Stream.chunkNonce(0x0102_0304, isLast: false)) == [0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 0])
        #expect(
            bytes(Age.Stream.chunkNonce(.max, isLast: false)) == [0, 0, 0, 0x7f] + [UInt8](repeating: 0xff, count: 7)
                + [0])
    }

    @Test func `Chunks are read in any order, any number of times`() throws {
        let plaintext = pattern(4 * Self.chunkSize + 1)
        let payload = Payload(plaintext)
        // In the middle of something else, as it stands in a file.
        let source = pattern(77) + payload.bytes
        let reader = try StreamReader(source, at: 77, fileKey: payload.fileKey)
        for index in [4, 0, 2, 2, 4, 3, 1, 0] {
            var chunk = [UInt8](repeating: 0, count: Self.chunkSize)
            var output = chunk.mutableSpan
            try reader.readChunk(index, into: &output)
            #expect(reader.size(ofChunk: index) == (index == 4 ? 1 : Self.chunkSize))
            let expected = plaintext[(index * Self.chunkSize)...].prefix(reader.size(ofChunk: index))
            let isSame = chunk.prefix(reader.size(ofChunk: index)) == expected
            #expect(isSame, "chunk \(index)")
        }
    }

    @Test func `A chunk is read although others are damaged`() throws {
        let plaintext = pattern(3 * Self.chunkSize)
        let payload = Payload(plaintext)
        var damaged = payload.bytes
        damaged[Self.nonceSize + Self.sealedChunkSize] ^= 1
        let reader = try payload.reader(damaged)
        var chunk = [UInt8](repeating: 0, count: Self.chunkSize)
        var endings: [Outcome?] = []
        for index in 0..<3 {
            var output = chunk.mutableSpan
            endings.append(outcome { () throws(AgeError) in try reader.readChunk(index, into: &output) })
        }
        #expect(endings == [.success, .payload, .success])
        let isLast = chunk.elementsEqual(plaintext.suffix(Self.chunkSize))
        #expect(isLast)
    }

    @Test func `A small payload that is cut anywhere is refused`() {
        let payload = Payload(pattern(100))
        for count in 0..<payload.bytes.count {
            // Without its nonce it is the header that is incomplete.
            let expected: Outcome = count < Self.nonceSize ? .header : .payload
            #expect(payload.ending(Array(payload.bytes.prefix(count))) == expected, "\(count) bytes")
        }
    }

    @Test func `A payload that is cut around the end of a chunk is refused`() {
        let payload = Payload(pattern(3 * Self.chunkSize))
        for chunks in 0...3 {
            for offset in -20...20 {
                let count = Self.nonceSize + chunks * Self.sealedChunkSize + offset
                guard (Self.nonceSize..<payload.bytes.count).contains(count) else { continue }
                #expect(payload.ending(Array(payload.bytes.prefix(count))) == .payload, "\(count) bytes")
            }
        }
    }

    @Test(arguments: [0, 1, 100, 65_535, 65_536]) func `A payload that goes on after its end is refused`(size: Int) {
        let payload = Payload(pattern(size))
        for more in [1, 15, 16, 17, 100, Self.sealedChunkSize] {
            #expect(payload.ending(payload.bytes + [UInt8](repeating: 0, count: more)) == .payload, "\(more) bytes")
        }
        // What stands behind is genuine, too.
        #expect(payload.ending(payload.bytes + payload.bytes.dropFirst(Self.nonceSize)) == .payload)
    }

    @Test func `Every bit of a small payload counts`() {
        let payload = Payload(pattern(40))
        for bit in 0..<payload.bytes.count * 8 {
            var changed = payload.bytes
            changed[bit / 8] ^= 1 << (bit % 8)
            #expect(payload.ending(changed) == .payload, "bit \(bit)")
        }
    }

    @Test func `Chunks that changed places, are missing or come twice are refused`() {
        let payload = Payload(pattern(4 * Self.chunkSize))
        let nonce = Array(payload.bytes.prefix(Self.nonceSize))
        let chunks = stride(from: Self.nonceSize, to: payload.bytes.count, by: Self.sealedChunkSize).map {
            Array(payload.bytes[$0..<$0 + Self.sealedChunkSize])
        }
        for order in [
            [1, 0, 2, 3], [0, 2, 1, 3], [0, 1, 3, 2], [3, 1, 2, 0], [1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 0, 1, 2, 3],
            [0, 1, 2, 3, 3], [0, 1, 2, 2, 3], [0, 1, 2], [3],
        ] {
            #expect(payload.ending(nonce + order.flatMap { chunks[$0] }) == .payload, "\(order)")
        }
        #expect(payload.ending(nonce + chunks.joined()) == .success)
    }

    @Test func `An empty last chunk behind a full one is refused`() {
        // Genuine in itself, so that only the rule is in its way.
        let payload = Payload(chunks: [pattern(Self.chunkSize), []])
        #expect(payload.ending(payload.bytes) == .payload)
        let empty = Payload(chunks: [[]])
        #expect(empty.ending(empty.bytes) == .success)
    }

    @Test func `Another file key reads nothing`() {
        let payload = Payload(pattern(100))
        #expect(Payload(pattern(100)).ending(payload.bytes) == .payload)
    }

    @Test func `Every payload has a nonce of its own`() {
        let fileKey = FileKey()
        #expect(Set((0..<100).map { _ in StreamWriter(fileKey: fileKey).nonce }).count == 100)
    }

    @Test func `A short chunk that is not the last is a mistake`() async {
        await #expect(processExitsWith: .failure) {
            var writer = StreamWriter(fileKey: FileKey())
            writer.seal([1, 2, 3].span, isLast: false) { _ in }
        }
    }

    @Test func `An empty chunk behind others is a mistake`() async {
        await #expect(processExitsWith: .failure) {
            var writer = StreamWriter(fileKey: FileKey())
            writer.seal([UInt8](repeating: 0, count: 65_536).span, isLast: false) { _ in }
            writer.seal([UInt8]().span, isLast: true) { _ in }
        }
    }
}

/// A payload as it stands behind a header, and the file key that it is read with.
private final class Payload {
    let fileKey = FileKey()
    let bytes: [UInt8]

    init(_ plaintext: [UInt8]) {
        var writer = StreamWriter(fileKey: fileKey)
        var bytes = writer.nonce
        var rest = plaintext[...]
        repeat {
            let chunk = rest.prefix(Age.Stream.chunkSize)
            rest = rest.dropFirst(chunk.count)
            writer.seal(Array(chunk).span, isLast: rest.isEmpty) { bytes += $0.publicCopy }
        } while !rest.isEmpty
        self.bytes = bytes
    }

    /// Seals by the words of the specification, and also what the writer would not: an empty chunk behind others.
    init(chunks: [[UInt8]]) {
        let nonce = Random.bytes(Age.Stream.nonceSize)
        let key = fileKey.payloadKey(nonce: nonce.span)
        var bytes = nonce
        for (index, chunk) in chunks.enumerated() {
            var sealed = [UInt8](repeating: 0, count: chunk.count + ChaCha20Poly1305.tagSize)
            var output = sealed.mutableSpan
            ChaCha20Poly1305.seal(
                chunk.span, nonce: Age.Stream.chunkNonce(index, isLast: index == chunks.count - 1), key: key,
                into: &output)
            bytes += sealed
        }
        self.bytes = bytes
    }

    func reader(_ bytes: [UInt8]) throws(AgeError) -> StreamReader<[UInt8]> {
        try StreamReader(bytes, at: 0, fileKey: fileKey)
    }

    func read(_ bytes: [UInt8]) throws(AgeError) -> [UInt8] {
        let reader = try reader(bytes)
        var plaintext: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: Age.Stream.chunkSize)
        for index in 0..<reader.chunkCount {
            var output = chunk.mutableSpan
            try reader.readChunk(index, into: &output)
            plaintext += chunk.prefix(reader.size(ofChunk: index))
        }
        return plaintext
    }

    func ending(_ bytes: [UInt8]) -> Outcome? {
        outcome { () throws(AgeError) in _ = try read(bytes) }
    }
}
