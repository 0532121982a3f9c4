internal import Sodium

/// A search through one stream, which comes in parts: says of each byte, as soon as that is certain, whether it belongs
/// to a needle.
///
/// Needles that overlap, or stand in one another, are one finding.
struct Search {
    /// What became of the next bytes of the stream, in their order.
    enum Decision {
        /// So many belong to no needle.
        case pass(Int)
        /// Here begins a finding, of this needle: the one that begins first, and of several the longest.
        case find(needle: Int)
        /// So many belong to the finding that has begun.
        case cover(Int)
    }

    private struct Finding {
        var start: Int
        var end: Int
        var needle: Int
    }

    private let matcher: Matcher
    private var state: Automaton.Number = 0
    /// How many bytes there were.
    private(set) var position = 0
    /// How many of them were decided upon.
    private(set) var decided = 0
    /// The end of the last finding that was told.
    private var coveredEnd = 0
    /// Findings that were not told yet, in their order; none overlaps another one.
    private var findings: [Finding] = []

    /// How many bytes the automaton takes after a block was known, before blocks are looked at again: where many are,
    /// looking at them costs more than it saves.
    private var patience = 0
    private static let maximumPatience = 4096
    private static let worthwhileSkip = 256

    init(_ matcher: Matcher) { self.matcher = matcher }

    /// The bytes that are not decided upon: the first ones of a needle, where they stand in the matcher's text.
    var held: Range<Int> { matcher.automaton.path(to: state) }

    /// Whether a needle that may have begun goes on with `byte`.
    func goesOn(with byte: UInt8) -> Bool {
        matcher.text.withBytes { matcher.automaton.successor(of: state, by: byte, in: $0) != nil }
    }

    /// Takes the next bytes. ``decide()`` then tells what became of them.
    mutating func advance(_ bytes: Span<UInt8>) {
        matcher.text.withBytes { text in advance(bytes, text) }
    }

    private mutating func advance(_ bytes: Span<UInt8>, _ text: Span<UInt8>) {
        let stride = matcher.filter.stride
        var index = 0
        // The automaton must take all bytes before this one.
        var obliged = 0
        while index < bytes.count {
            if state == 0, index >= obliged {
                let block = matcher.filter.firstKnownBlock(in: bytes, from: index + stride - 1)
                // Nothing begins before the last block that was looked at, nor stride - 1 bytes before a known one.
                let blocks = ((block ?? bytes.count - BlockFilter.blockSize + stride) - index - stride + 1) / stride
                let skipped = max(blocks, 0) * stride
                index += skipped
                if block == nil {
                    obliged = bytes.count
                } else {
                    patience = skipped < Self.worthwhileSkip ? min(patience * 2 + 1, Self.maximumPatience) : 0
                    obliged = index + stride + patience
                }
            }
            index = run(bytes, from: index, obliged: obliged, text)
        }
        position += bytes.count
        state = matcher.automaton.open(state)
    }

    /// Lets the automaton take bytes, as many as it is obliged to and until no needle has begun.
    ///
    /// - Returns: The index of the byte that is next.
    private mutating func run(_ bytes: Span<UInt8>, from start: Int, obliged: Int, _ text: Span<UInt8>) -> Int {
        var index = start
        var state = self.state
        let automaton = matcher.automaton
        // A needle that overlaps the last finding makes it longer, which with some texts each byte does.
        var last = lastFinding
        unsafe automaton.states.withUnsafeBufferPointer { states in
            unsafe automaton.roots.withUnsafeBufferPointer { roots in
                unsafe text.withUnsafeBufferPointer { text in
                    unsafe bytes.withUnsafeBufferPointer { bytes in
                        while index < bytes.count, state != 0 || index < obliged {
                            let byte = unsafe bytes[index]
                            index += 1
                            while true {
                                if state == 0 {
                                    state = unsafe roots[Int(byte)]
                                    break
                                }
                                let from = unsafe states[Int(state)]
                                if from.hasSuccessor, unsafe text[Int(states[Int(state) + 1].place)] == byte {
                                    state += 1
                                    break
                                }
                                if from.hasBranches, let next = automaton.branches.target(of: state, by: byte) {
                                    state = next
                                    break
                                }
                                // Where a text is nothing but beginnings of needles, this is each byte's way.
                                if from.repeats, unsafe text[Int(from.place)] == byte { break }
                                state = from.fallback
                            }
                            let needle = Int(unsafe states[Int(state)].needle)
                            guard needle != 0 else { continue }
                            let end = position + index
                            let start = end - matcher.sizes[needle - 1]
                            if start < last.end, start > last.start {
                                last.end = end
                            } else {
                                lastFinding = last
                                add(Finding(start: start, end: end, needle: needle - 1))
                                last = lastFinding
                            }
                        }
                    }
                }
            }
        }
        lastFinding = last
        self.state = state
        return index
    }

    /// The finding that a needle would have to overlap: one that was not told yet, or the last that was.
    private var lastFinding: (start: Int, end: Int) {
        get { findings.last.map { ($0.start, $0.end) } ?? (.min, coveredEnd) }
        set {
            if findings.isEmpty { coveredEnd = newValue.end } else { findings[findings.count - 1].end = newValue.end }
        }
    }

    /// Takes note of a needle, which ends behind all that were found before.
    private mutating func add(_ finding: Finding) {
        var finding = finding
        // What was released cannot be taken back.
        finding.start = max(finding.start, decided)
        if finding.start < coveredEnd {
            coveredEnd = finding.end
            return findings.removeAll(keepingCapacity: true)
        }
        while let last = findings.last, last.end > finding.start {
            if last.start < finding.start { return findings[findings.count - 1].end = finding.end }
            findings.removeLast()
        }
        findings.append(finding)
    }

    /// What became of the bytes that are certain by now.
    mutating func decide() -> [Decision] { decide(until: position - held.count) }

    /// Lets go of what is held back, if less than `count` bytes of it are secret. A needle that goes on from there is found
    /// all the same, without them.
    mutating func release(below count: Int) -> [Decision] { depth < count ? decide(until: position) : [] }

    /// How many bytes of a secret the stream may end with.
    var depth: Int {
        let held = held
        if held.isEmpty { return 0 }
        return matcher.text.withBytes { text in
            let part = text.extracting(held)
            return matcher.needles.reduce(0) { depth, needle in
                let secretCount = part.count - needle.lead
                return secretCount > depth && text.extracting(needle.range).begins(with: part) ? secretCount : depth
            }
        }
    }

    /// Ends the stream, and says what became of its last bytes.
    ///
    /// - Parameter findsParts: Whether a part of a needle that the stream ends with is a finding, when it has
    ///   ``Needles/minimumSize`` bytes, or half of the needle.
    /// - Returns: What was not certain before.
    mutating func finish(findsParts: Bool) -> [Decision] {
        if findsParts { addPart() }
        state = 0
        return decide(until: position)
    }

    private mutating func addPart() {
        var part = state
        while part != 0 {
            let path = matcher.automaton.path(to: part)
            if let needle = matcher.text.withBytes({ needle(beginningWith: $0.extracting(path), in: $0) }) {
                return add(Finding(start: position - path.count, end: position, needle: needle))
            }
            part = matcher.automaton.states[Int(part)].fallback
        }
    }

    /// A needle that begins with so much that it must not be seen.
    private func needle(beginningWith part: Span<UInt8>, in text: Span<UInt8>) -> Int? {
        matcher.needles.firstIndex { needle in
            let count = part.count - needle.lead
            guard count >= Needles.minimumSize || count * 2 >= needle.range.count - needle.lead else { return false }
            return text.extracting(needle.range).begins(with: part)
        }
    }

    private mutating func decide(until limit: Int) -> [Decision] {
        var decisions: [Decision] = []
        var told = 0
        while decided < limit {
            let next = told < findings.count && findings[told].start < limit ? findings[told] : nil
            if decided < coveredEnd {
                let end = min(coveredEnd, limit)
                decisions.append(.cover(end - decided))
                decided = end
            } else if let next {
                // No other one can begin at its first byte or before.
                if decided < next.start { decisions.append(.pass(next.start - decided)) }
                decisions.append(.find(needle: next.needle))
                decided = next.start
                coveredEnd = next.end
                told += 1
            } else {
                decisions.append(.pass(limit - decided))
                decided = limit
            }
        }
        findings.removeFirst(told)
        return decisions
    }
}

extension Span<UInt8> {
    fileprivate func begins(with part: Span<UInt8>) -> Bool {
        part.count <= count && part.indices.allSatisfy { part[$0] == self[$0] }
    }
}
