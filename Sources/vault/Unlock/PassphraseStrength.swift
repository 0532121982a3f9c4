internal import Glibc
internal import Sodium

/// How many guesses a secret withstands that somebody chose, estimated with caution: what looks like a word, a row of
/// keys or a repetition counts for little, even where chance made it.
enum PassphraseStrength {
    /// Below this many bits a passphrase is called weak.
    ///
    /// A guess at an identity file, whose work factor is 18, costs about as much as 2^28 at a bare hash. 2^52 of them
    /// cost as much as 2^80 of those, which nobody can pay for.
    static let weakBelow = 52.0

    /// The secret's bits: the number of guesses, as a power of two. Of a long secret only the beginning is looked at.
    ///
    /// - Parameters:
    ///   - secret: The secret.
    ///   - limit: Counting ends when there are so many.
    /// - Returns: The bits.
    static func bits(of secret: Span<UInt8>, upTo limit: Double = .infinity) -> Double {
        let secret = secret.extracting(first: min(secret.count, longest))
        var bits = 0.0
        var letters = Letters()
        var index = 0
        while index < secret.count, bits < limit {
            var after = letters
            var (size, cost, saving) = (1, after.cost(of: secret[index]), 0.0)
            // The pattern that saves a guesser most.
            for case let pattern? in [
                repetition(secret, index), track(secret, index), word(secret, index), year(secret, index),
            ] {
                var other = letters
                let plain = (index..<index + pattern.size).reduce(0) { $0 + other.cost(of: secret[$1]) }
                guard plain - pattern.bits > saving else { continue }
                (after, size, cost, saving) = (other, pattern.size, pattern.bits, plain - pattern.bits)
            }
            letters = after
            bits += cost
            index += size
        }
        return bits
    }

    /// How much of a secret is looked at, in bytes.
    private static let longest = 256

    /// What a guesser has a name for, and the bits it takes to say which it is.
    private struct Pattern {
        let size: Int
        let bits: Double
    }

    /// The bits of characters that no pattern covers, of which each depends on those before it.
    private struct Letters {
        private enum Kind { case lower, upper, digit, other }

        private var kind: Kind?
        /// How many letters of a word there have been.
        private var count = 0
        private var lastOther: UInt8 = 0

        mutating func cost(of byte: UInt8) -> Double {
            let before = kind
            let now = Self.kind(of: byte)
            kind = now
            let change = before == nil || before == now ? 0.0 : 1
            switch now {
            case .lower, .upper:
                // A capital begins a word, or stands in one that has nothing else.
                let isSameWord = before == now || before == .upper && count == 1
                count = isSameWord ? count + 1 : 1
                // How surprising the letters of a language are, after those before them (Shannon).
                switch count {
                case 1: return 4.7 + change
                case 2: return 3.6
                case 3: return 2.5
                default: return 1.5
                }
            case .digit:
                count = 0
                return 3.3 + change
            case .other:
                count = 0
                defer { lastOther = byte }
                if byte >= 0x80 { return 2 }
                // What stands between words is soon known.
                if byte == UInt8(ascii: " ") || byte == lastOther { return 1 }
                return 4 + change
            }
        }

        private static func kind(of byte: UInt8) -> Kind {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): .lower
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): .upper
            case UInt8(ascii: "0")...UInt8(ascii: "9"): .digit
            default: .other
            }
        }
    }

    /// The longest part from `index` on that was there before: `aaaa`, `abcabc`.
    private static func repetition(_ secret: Span<UInt8>, _ index: Int) -> Pattern? {
        var best = 0
        for distance in 1..<max(index + 1, 1) {
            var size = 0
            while index + size < secret.count, secret[index + size] == secret[index + size - distance] { size += 1 }
            best = max(best, size)
        }
        return best < 3 ? nil : Pattern(size: best, bits: log2(Double(index)) + log2(Double(best)))
    }

    /// The longest part from `index` on that is a row of neighbours, either way: `1234`, `dcba`, `qwert`.
    private static func track(_ secret: Span<UInt8>, _ index: Int) -> Pattern? {
        var best = 0
        for track in tracks {
            for start in track.indices {
                for step in [1, -1] {
                    var (size, place) = (0, start)
                    while index + size < secret.count, track.indices.contains(place),
                        lowercase(secret[index + size]) == track[place]
                    {
                        size += 1
                        place += step
                    }
                    best = max(best, size)
                }
            }
        }
        return best < 4 ? nil : Pattern(size: best, bits: 4 + log2(Double(best)))
    }

    private static let tracks = [
        "abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "qwertzuiop", "azertyuiop", "asdfghjkl", "zxcvbnm",
        "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    ].map { Array($0.utf8) }

    /// The longest of the commonest passwords that stands at `index`, perhaps with `0` for `o` and the like.
    private static func word(_ secret: Span<UInt8>, _ index: Int) -> Pattern? {
        let best = words.filter { word in
            word.count <= secret.count - index
                && word.indices.allSatisfy { stands(secret[index + $0], for: word[$0]) }
        }.map(\.count).max()
        return best.map { Pattern(size: $0, bits: 8) }
    }

    private static let words = """
        password passwort passwd passphrase letmein welcome admin administrator login monkey dragon master iloveyou \
        princess sunshine football baseball shadow superman batman trustno starwars secret hello hallo freedom whatever \
        changeme default guest access computer internet summer winter spring autumn sommer michael charlie jordan \
        mustang hunter killer cheese pokemon ninja geheim schatz test root user vault github correcthorse
        """.split(separator: " ").map { Array($0.utf8) }

    private static func stands(_ byte: UInt8, for letter: UInt8) -> Bool {
        if lowercase(byte) == letter { return true }
        return switch byte {
        case UInt8(ascii: "0"): letter == UInt8(ascii: "o")
        case UInt8(ascii: "1"), UInt8(ascii: "!"): letter == UInt8(ascii: "i") || letter == UInt8(ascii: "l")
        case UInt8(ascii: "3"): letter == UInt8(ascii: "e")
        case UInt8(ascii: "4"), UInt8(ascii: "@"): letter == UInt8(ascii: "a")
        case UInt8(ascii: "5"), UInt8(ascii: "$"): letter == UInt8(ascii: "s")
        case UInt8(ascii: "7"): letter == UInt8(ascii: "t")
        default: false
        }
    }

    /// A year of the last century or this one.
    private static func year(_ secret: Span<UInt8>, _ index: Int) -> Pattern? {
        guard index + 4 <= secret.count else { return nil }
        let year = secret.extracting(index..<index + 4)
        guard year.hasPrefix("19") || year.hasPrefix("20"), isDigit(year[2]), isDigit(year[3]) else { return nil }
        return Pattern(size: 4, bits: 7)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func lowercase(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
