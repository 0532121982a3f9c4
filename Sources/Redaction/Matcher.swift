internal import Sodium

/// What finds needles in streams: made once, used by any number of streams and threads.
public final class Matcher: Sendable {
    /// The bytes of the needles.
    let text: SecretBytes
    let needles: [Needles.Needle]
    /// The sizes of the needles in bytes.
    let sizes: [Int]
    let automaton: Automaton
    let filter: BlockFilter

    /// Prepares to look for `needles`.
    public init(_ needles: consuming Needles) {
        let list = needles.needles
        let text = needles.text()
        let ranges = list.map(\.range)
        automaton = text.withBytes { Automaton(ranges, in: $0) }
        filter = text.withBytes { BlockFilter(ranges, in: $0) }
        self.needles = list
        sizes = ranges.map(\.count)
        self.text = text
    }
}
