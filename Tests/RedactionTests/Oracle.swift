import Sodium

@testable import Redaction

/// What redaction must give, worked out the slow way: over the whole text at once, needle by needle and place by place.
struct Oracle {
    struct Finding: Equatable {
        var range: Range<Int>
        var needle: Int
    }

    let needles: [(bytes: [UInt8], secret: Int)]

    init(_ matcher: Matcher) {
        needles = matcher.needles.map { needle in
            (matcher.text.withBytes { text in needle.range.map { text[$0] } }, needle.secret)
        }
    }

    /// Everything that is to be masked; the parts at the end as well when the text ends there.
    func findings(in text: [UInt8], isEnd: Bool) -> [Finding] {
        var all: [Finding] = []
        for (number, needle) in needles.enumerated() where needle.bytes.count <= text.count {
            for start in 0...text.count - needle.bytes.count where text[start...].starts(with: needle.bytes) {
                all.append(Finding(range: start..<start + needle.bytes.count, needle: number))
            }
        }
        if isEnd {
            for (number, needle) in needles.enumerated() {
                for size in 1..<needle.bytes.count where size >= 8 || size * 2 >= needle.bytes.count {
                    if size <= text.count, text.suffix(size).elementsEqual(needle.bytes.prefix(size)) {
                        all.append(Finding(range: text.count - size..<text.count, needle: number))
                    }
                }
            }
        }
        all.sort {
            ($0.range.lowerBound, -$0.range.count, $0.needle) < ($1.range.lowerBound, -$1.range.count, $1.needle)
        }
        var merged: [Finding] = []
        for finding in all {
            guard let last = merged.last, finding.range.lowerBound < last.range.upperBound else {
                merged.append(finding)
                continue
            }
            let end = max(last.range.upperBound, finding.range.upperBound)
            merged[merged.count - 1].range = last.range.lowerBound..<end
        }
        return merged
    }

    /// The text with masks in the place of what is to be masked.
    func redacted(_ text: [UInt8], names: [String]) -> [UInt8] {
        var output: [UInt8] = []
        var place = 0
        for finding in findings(in: text, isEnd: true) {
            output += text[place..<finding.range.lowerBound]
            output += Array("[vault:\(names[needles[finding.needle].secret])]".utf8)
            place = finding.range.upperBound
        }
        return output + text[place...]
    }

    /// How many bytes at the end of the text may still become a secret.
    func heldCount(_ text: [UInt8]) -> Int {
        (0...text.count).reversed().first { size in
            size == 0
                || needles.contains { $0.bytes.count > size && text.suffix(size).elementsEqual($0.bytes.prefix(size)) }
        } ?? 0
    }
}
