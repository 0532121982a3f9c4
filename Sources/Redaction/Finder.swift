/// Finds secrets in a stream of bytes that comes in parts, and says where.
public struct Finder {
    /// A secret that was found.
    public struct Finding: Sendable {
        /// The place of its first byte in the stream, counted from 0.
        public let offset: Int
        /// The number that the secret was added with.
        public let secret: Int
        /// The form that it stands there in.
        public let form: Needles.Form
    }

    private let matcher: Matcher
    private var search: Search

    /// A finder for one stream.
    public init(_ matcher: Matcher) {
        self.matcher = matcher
        search = Search(matcher)
    }

    /// Takes the next bytes.
    ///
    /// - Returns: What is certain by now, in the order of the places. Secrets that overlap are one finding.
    public mutating func process(_ input: Span<UInt8>) -> [Finding] {
        let start = search.decided
        search.advance(input)
        return findings(search.decide(), from: start)
    }

    /// Ends the stream. A part of a secret at its end is no finding.
    ///
    /// - Returns: What was not certain before.
    public mutating func finish() -> [Finding] {
        let start = search.decided
        return findings(search.finish(findsParts: false), from: start)
    }

    private func findings(_ decisions: [Search.Decision], from start: Int) -> [Finding] {
        var place = start
        var findings: [Finding] = []
        for decision in decisions {
            switch decision {
            case .pass(let count), .cover(let count): place += count
            case .find(let number):
                let needle = matcher.needles[number]
                findings.append(Finding(offset: place, secret: needle.secret, form: needle.form))
            }
        }
        return findings
    }
}
