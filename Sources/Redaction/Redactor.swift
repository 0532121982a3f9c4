internal import Sodium

/// Puts `[vault:NAME]` in the place of secrets in a stream of bytes that comes in parts.
///
/// What may still become a secret is held back, and nothing else: the longest end of the stream that one of the needles
/// begins with. What is held back needs no space of its own, since the needle has it.
public struct Redactor: ~Copyable {
    private let matcher: Matcher
    private let masks: [[UInt8]]
    private var search: Search

    /// How often something was masked.
    public private(set) var maskCount = 0

    /// Bytes that are no text, with the place in the text that they stand at, while what is in front of them is held
    /// back.
    private var insertions: [(position: Int, bytes: [UInt8])] = []
    /// How many bytes these have, and the most that wait.
    private var insertedCount = 0
    private static let maximumInsertedCount = 1 << 16

    /// A redactor for one stream.
    ///
    /// - Parameters:
    ///   - matcher: What to look for.
    ///   - names: What to call the secrets, by their numbers.
    public init(_ matcher: Matcher, names: [String]) {
        self.matcher = matcher
        masks = names.map { Array("[vault:\($0)]".utf8) }
        search = Search(matcher)
    }

    /// Takes the next bytes, and hands on what is certain.
    ///
    /// - Parameters:
    ///   - input: The next bytes.
    ///   - emit: Gets bytes in their order; they are lent for the call.
    public mutating func process(_ input: Span<UInt8>, _ emit: (Span<UInt8>) -> Void) {
        let (held, decided) = (search.held, search.decided)
        search.advance(input)
        let decisions = search.decide()
        // Most parts have nothing to mask and are handed on as they are. The others are put together first: what was
        // written at once is handed on at once.
        guard decisions.count > 1 else { return hand(on: decisions, from: decided, of: input, behind: held, emit) }
        var output: [UInt8] = []
        output.reserveCapacity(input.count + held.count)
        hand(on: decisions, from: decided, of: input, behind: held) { part in
            unsafe part.withUnsafeBufferPointer { unsafe output.append(contentsOf: $0) }
        }
        if !output.isEmpty { emit(output.span) }
    }

    /// Ends the stream, and hands on what was held back. A part of a secret that is worth something is masked.
    public mutating func finish(_ emit: (Span<UInt8>) -> Void) {
        let (held, decided) = (search.held, search.decided)
        hand(on: search.finish(findsParts: true), from: decided, of: Span(), behind: held, emit)
    }

    /// Hands on what is decided upon: of the bytes that were held back, and then of the input.
    private mutating func hand(
        on decisions: [Search.Decision], from place: Int, of input: Span<UInt8>, behind held: Range<Int>,
        _ emit: (Span<UInt8>) -> Void
    ) {
        var source = Source(place: place, held: held, inputStart: search.position - input.count)
        var next = 0
        for decision in decisions {
            switch decision {
            case .find(let needle):
                let mask = masks[matcher.needles[needle].secret]
                emit(mask.span)
                maskCount += 1
            case .pass(let count):
                let end = source.place + count
                while next < insertions.count, insertions[next].position <= end {
                    let insertion = insertions[next]
                    source.pass(to: insertion.position, of: input, matcher.text, emit)
                    emit(insertion.bytes.span)
                    insertedCount -= insertion.bytes.count
                    next += 1
                }
                source.pass(to: end, of: input, matcher.text, emit)
            case .cover(let count):
                source.place += count
                while next < insertions.count, insertions[next].position <= source.place {
                    let insertion = insertions[next]
                    emit(insertion.bytes.span)
                    insertedCount -= insertion.bytes.count
                    next += 1
                }
            }
        }
        insertions.removeFirst(next)
    }

    /// Where the bytes are that are decided upon.
    private struct Source {
        /// The place in the stream that is next.
        var place: Int
        /// The bytes that were held back, in the matcher's text, and the place of the first.
        let held: Range<Int>
        let heldStart: Int
        /// The place of the input's first byte.
        let inputStart: Int

        init(place: Int, held: Range<Int>, inputStart: Int) {
            self.place = place
            self.held = held
            self.inputStart = inputStart
            heldStart = inputStart - held.count
        }

        mutating func pass(
            to end: Int, of input: Span<UInt8>, _ text: borrowing SecretBytes, _ emit: (Span<UInt8>) -> Void
        ) {
            if place < inputStart, place < end {
                let part = place - heldStart..<min(end, inputStart) - heldStart
                text.withBytes { emit($0.extracting(held).extracting(part)) }
            }
            if end > inputStart { emit(input.extracting(max(place, inputStart) - inputStart..<end - inputStart)) }
            place = end
        }
    }

    /// Takes bytes that are no part of the text but keep their place in it.
    mutating func insert(_ bytes: Span<UInt8>, _ emit: (Span<UInt8>) -> Void) {
        if search.decided == search.position { return emit(bytes) }
        insertedCount += bytes.count
        guard insertedCount <= Self.maximumInsertedCount else {
            // So much within one secret is none: what it began with is masked, and all goes on.
            finish(emit)
            insertedCount = 0
            return emit(bytes)
        }
        if insertions.last?.position == search.position {
            unsafe bytes.withUnsafeBufferPointer {
                unsafe insertions[insertions.count - 1].bytes.append(contentsOf: $0)
            }
            return
        }
        unsafe bytes.withUnsafeBufferPointer { unsafe insertions.append((search.position, Array($0))) }
    }

    /// Hands on what is held back, if it is less than `count` bytes. A secret that goes on from there is masked all the
    /// same, without them.
    mutating func release(below count: Int, _ emit: (Span<UInt8>) -> Void) {
        let (held, decided) = (search.held, search.decided)
        hand(on: search.release(below: count), from: decided, of: Span(), behind: held, emit)
    }

    /// Whether a secret may have begun, even if its beginning was let go.
    var isHolding: Bool { !search.held.isEmpty }

    /// How many bytes of a secret the stream may end with.
    var depth: Int { search.depth }

    /// Whether a secret that may have begun goes on with `byte`.
    func goesOn(with byte: UInt8) -> Bool { search.goesOn(with: byte) }
}
