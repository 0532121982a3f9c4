/// The automaton of Aho and Corasick (1975) over needles: after each byte it is in the state of the longest suffix of
/// the text that a needle begins with.
///
/// Its states hold no bytes of the needles, only where in their text those stand: a secret is in memory once.
struct Automaton: Sendable {
    /// A state's number. 0 is the state in which no needle has begun; a state's first successor has the next number.
    typealias Number = UInt32

    struct State: Sendable {
        /// Where in the text the byte stands that leads here.
        var place: UInt32
        /// The state of the longest proper suffix that a needle begins with.
        var fallback: Number
        /// How many bytes of a needle led here.
        var depth: UInt32
        /// The longest needle that ends here, counted from 1; 0 when none does.
        var needle: UInt32
        /// Whether the state with the next number is a successor.
        var hasSuccessor = false
        /// Whether there are more.
        var hasBranches = false
        /// Whether the byte that leads here leads here again, unless to a successor: the state is a run of one letter.
        var repeats = false
    }

    private(set) var states: [State] = [State(place: 0, fallback: 0, depth: 0, needle: 0)]
    /// The successors of state 0 by byte; 0 where there is none.
    private(set) var roots = [Number](repeating: 0, count: 256)
    /// Successors that do not have the next number.
    private(set) var branches = Branches([:])

    /// The automaton for needles that stand at `ranges` of `text`.
    init(_ ranges: [Range<Int>], in text: Span<UInt8>) {
        precondition(text.count < UInt32.max)
        states.reserveCapacity(ranges.reduce(1) { $0 + $1.count })
        var predecessors: [Number] = [0]
        var branches: [UInt64: Number] = [:]
        for (number, range) in ranges.enumerated() {
            var state: Number = 0
            for place in range {
                let known =
                    linearSuccessor(of: state, by: text[place], in: text) ?? branches[Branches.key(state, text[place])]
                if let known {
                    state = known
                    continue
                }
                let next = Number(states.count)
                states.append(State(place: UInt32(place), fallback: 0, depth: states[Int(state)].depth + 1, needle: 0))
                predecessors.append(state)
                if state == 0 {
                    roots[Int(text[place])] = next
                } else if state == next - 1 {
                    states[Int(state)].hasSuccessor = true
                } else {
                    states[Int(state)].hasBranches = true
                    branches[Branches.key(state, text[place])] = next
                }
                state = next
            }
            if states[Int(state)].needle == 0 { states[Int(state)].needle = UInt32(number + 1) }
        }
        self.branches = Branches(branches)
        addFallbacks(predecessors, text)
        addRepeats(text)
    }

    /// The state that `byte` leads to from `state`, if a needle goes on like that.
    func successor(of state: Number, by byte: UInt8, in text: Span<UInt8>) -> Number? {
        linearSuccessor(of: state, by: byte, in: text)
            ?? (states[Int(state)].hasBranches ? branches.target(of: state, by: byte) : nil)
    }

    private func linearSuccessor(of state: Number, by byte: UInt8, in text: Span<UInt8>) -> Number? {
        if state == 0 { return roots[Int(byte)] == 0 ? nil : roots[Int(byte)] }
        guard states[Int(state)].hasSuccessor, text[Int(states[Int(state) + 1].place)] == byte else { return nil }
        return state + 1
    }

    /// What led to a state: the first bytes of a needle, where they stand in the text.
    func path(to state: Number) -> Range<Int> {
        let state = states[Int(state)]
        let end = state.depth == 0 ? 0 : Int(state.place) + 1
        return end - Int(state.depth)..<end
    }

    /// The state, or the next of its fallbacks, from which a needle can go on.
    func open(_ state: Number) -> Number {
        var state = state
        while state != 0, !states[Int(state)].hasSuccessor, !states[Int(state)].hasBranches {
            state = states[Int(state)].fallback
        }
        return state
    }

    /// Level by level, since a fallback is never as deep as its state.
    private mutating func addFallbacks(_ predecessors: [Number], _ text: Span<UInt8>) {
        for number in Self.byDepth(states) where states[Int(number)].depth > 1 {
            let byte = text[Int(states[Int(number)].place)]
            var suffix = states[Int(predecessors[Int(number)])].fallback
            var fallback = successor(of: suffix, by: byte, in: text)
            while fallback == nil, suffix != 0 {
                suffix = states[Int(suffix)].fallback
                fallback = successor(of: suffix, by: byte, in: text)
            }
            states[Int(number)].fallback = fallback ?? 0
            if states[Int(number)].needle == 0 { states[Int(number)].needle = states[Int(fallback ?? 0)].needle }
        }
    }

    /// A fallback whose successor is the state itself is the same run of one letter, with one less.
    private mutating func addRepeats(_ text: Span<UInt8>) {
        for number in states.indices.dropFirst() {
            let state = states[number]
            let next = successor(of: state.fallback, by: text[Int(state.place)], in: text)
            states[number].repeats = next == Number(number)
        }
    }

    /// The numbers of states, the least deep first.
    private static func byDepth(_ states: [State]) -> [Number] {
        var starts = [Int](repeating: 0, count: Int(states.map(\.depth).max() ?? 0) + 2)
        for state in states { starts[Int(state.depth) + 1] += 1 }
        for depth in starts.indices.dropFirst() { starts[depth] += starts[depth - 1] }
        var sorted = [Number](repeating: 0, count: states.count)
        for (number, state) in states.enumerated() {
            sorted[starts[Int(state.depth)]] = Number(number)
            starts[Int(state.depth)] += 1
        }
        return sorted
    }
}

extension Automaton {
    /// Successors by state and byte: a table with open addressing, since a dictionary would be what the automaton
    /// waits for.
    struct Branches: Sendable {
        private var slots: [(key: UInt64, target: Number)]
        private let shift: UInt64

        init(_ targets: [UInt64: Number]) {
            var exponent: UInt64 = 1
            while 1 << Int(exponent) < targets.count * 2 { exponent += 1 }
            shift = 64 - exponent
            slots = Array(repeating: (key: 0, target: 0), count: 1 << Int(exponent))
            for (key, target) in targets {
                var slot = slot(of: key)
                while slots[slot].target != 0 { slot = (slot + 1) & (slots.count - 1) }
                slots[slot] = (key, target)
            }
        }

        func target(of state: Number, by byte: UInt8) -> Number? {
            let key = Self.key(state, byte)
            var slot = slot(of: key)
            while slots[slot].target != 0 {
                if slots[slot].key == key { return slots[slot].target }
                slot = (slot + 1) & (slots.count - 1)
            }
            return nil
        }

        static func key(_ state: Number, _ byte: UInt8) -> UInt64 { UInt64(state) << 8 | UInt64(byte) }

        /// Multiplicative hashing (Knuth, The Art of Computer Programming 3, 6.4).
        private func slot(of key: UInt64) -> Int { Int(truncatingIfNeeded: (key &* 0x9e37_79b9_7f4a_7c15) >> shift) }
    }
}
