internal import Sodium

/// Tells where no needle can begin, by looking at four bytes in every ``stride`` only.
///
/// A needle covers at least one of any blocks that are ``stride`` bytes apart, and it does so with one of its first
/// blocks, all of which are known here. A block that is not known proves that no needle begins within the last
/// ``stride`` bytes in front of it and at it. (The block tables of Wu and Manber, 1994, without the chain from one shift
/// to the next, so that a processor can look at many blocks at once.)
struct BlockFilter: ~Copyable, Sendable {
    /// The bytes of a block.
    static let blockSize = 4
    /// Beyond this the memory is the limit.
    private static let maximumStride = 32

    /// How far apart the blocks are that must be looked at.
    let stride: Int

    /// A bit for each value of the hash: of secrets, and so in guarded memory.
    private let bits: SecretBytes
    private let shift: UInt32

    /// The filter for needles that stand at `ranges` of `text`, none of which is shorter than a block.
    init(_ ranges: [Range<Int>], in text: Span<UInt8>) {
        let shortest = ranges.map(\.count).min() ?? Needles.minimumSize
        precondition(shortest >= Self.blockSize)
        let stride = min(shortest - Self.blockSize + 1, Self.maximumStride)
        // So many bits that few are set, but no more than a processor keeps at hand.
        var exponent: UInt32 = 15
        while exponent < 24, 1 << Int(exponent) < 32 * stride * ranges.count { exponent += 1 }
        let shift = 32 - exponent
        bits = SecretBytes(count: 1 << Int(exponent - 3)) { bits in
            for range in ranges {
                for start in range.prefix(stride) {
                    let block = unsafe text.bytes.unsafeLoadUnaligned(fromByteOffset: start, as: UInt32.self)
                    let hash = Self.hash(block, shift)
                    bits[Int(hash >> 3)] |= 1 << UInt8(hash & 7)
                }
            }
        }
        self.stride = stride
        self.shift = shift
    }

    /// The first place, counted in strides from `start`, at which a known block stands.
    ///
    /// - Returns: Nil when there is none; then ``stride`` bytes less one before the end must still be looked at.
    func firstKnownBlock(in bytes: Span<UInt8>, from start: Int) -> Int? {
        let last = bytes.count - Self.blockSize
        guard start <= last else { return nil }
        let (stride, shift) = (self.stride, self.shift)
        return bits.withBytes { bits in
            unsafe bits.withUnsafeBufferPointer { bits in
                unsafe bytes.withUnsafeBytes { bytes in
                    var place = start
                    while place <= last {
                        let hash = unsafe Self.hash(bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self), shift)
                        if unsafe bits[Int(hash >> 3)] & (1 << UInt8(hash & 7)) != 0 { return place }
                        place += stride
                    }
                    return nil
                }
            }
        }
    }

    /// Multiplicative hashing (Knuth, The Art of Computer Programming 3, 6.4).
    @inline(__always)
    private static func hash(_ block: UInt32, _ shift: UInt32) -> UInt32 { (block &* 0x9e37_79b1) >> shift }
}
