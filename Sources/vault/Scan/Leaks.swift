internal import Redaction

/// A token that was found in a file.
struct Leak {
    /// The file, as it is shown; its name need not be text.
    let path: [UInt8]
    /// The line that the token begins in, counted from 1.
    let line: Int
    /// The token's number.
    let token: Int
    let form: Needles.Form
}

/// What a search through files has found, and where it could not look.
struct Leaks {
    /// Something that could not be read.
    struct Unread {
        let path: [UInt8]
        let reason: String
    }

    private(set) var found: [Leak] = []
    private(set) var unread: [Unread] = []

    mutating func add(_ path: [UInt8], _ findings: [Finder.Finding], _ lines: LineCounter) {
        for (finding, line) in zip(findings, lines.lines) {
            found.append(Leak(path: path, line: line, token: finding.secret, form: finding.form))
        }
    }

    mutating func addUnread(_ path: [UInt8], _ reason: String) { unread.append(Unread(path: path, reason: reason)) }

    /// Puts everything in order, and leaves out what was found twice in a line.
    ///
    /// - Parameter sources: What the tokens are called, by their numbers: two of one name are not told apart.
    /// - Returns: What was found, by path and line; what was not read, by path.
    func sorted(_ sources: [TokenNeedles.Source]) -> Leaks {
        var sorted = Leaks()
        var places: [[Leak]] = []
        // Stable, so that what stands in one line keeps its order.
        let order = found.enumerated().sorted { one, other in
            if one.element.path != other.element.path {
                return one.element.path.lexicographicallyPrecedes(other.element.path)
            }
            return (one.element.line, one.offset) < (other.element.line, other.offset)
        }
        for (_, leak) in order {
            if let last = places.last?.first, last.line == leak.line, last.path == leak.path {
                places[places.count - 1].append(leak)
            } else {
                places.append([leak])
            }
        }
        for place in places {
            var seen: Set<String> = []
            sorted.found += place.filter { leak in
                let source = sources[leak.token]
                return seen.insert("\(source.name) \(source.isEarlier) \(leak.form)").inserted
            }
        }
        sorted.unread = unread.sorted { $0.path.lexicographicallyPrecedes($1.path) }
        return sorted
    }
}

/// Says in which lines findings stand. Reads a content once more for that, since few have any.
struct LineCounter {
    private let offsets: [Int]
    private var position = 0
    private var line = 1
    private var known: [Int] = []

    /// A counter for findings in the order of their places.
    init(_ findings: [Finder.Finding]) { offsets = findings.map(\.offset) }

    /// Whether there is nothing more to count.
    var isDone: Bool { known.count == offsets.count }

    /// Takes the next part of the content.
    mutating func process(_ part: Span<UInt8>) {
        var start = 0
        while !isDone, offsets[known.count] < position + part.count {
            let end = offsets[known.count] - position
            line += part.extracting(start..<end).newlines
            known.append(line)
            start = end
        }
        line += part.extracting(droppingFirst: start).newlines
        position += part.count
    }

    /// The lines, one for each finding: the last one for what stood behind the end of a content that has become shorter.
    var lines: [Int] { known + Array(repeating: line, count: offsets.count - known.count) }
}

extension Span<UInt8> {
    fileprivate var newlines: Int {
        var count = 0
        for index in indices where self[index] == UInt8(ascii: "\n") { count += 1 }
        return count
    }
}
