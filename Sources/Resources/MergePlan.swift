internal import Sodium
internal import VaultFile

/// What a record is written of that comes from several versions.
struct MergePlan {
    /// A token of one of the versions.
    struct Token {
        private let version: RecordVersion
        private let number: Int
        /// Its dates.
        var dates: Resource.TokenDates
        /// Its unknown members.
        var unknown: [RecordVersion.Unknown]
        /// How many tokens stood in front of it, at the least.
        var place: Int

        init(_ version: RecordVersion, _ number: Int, _ lines: Span<UInt8>) {
            self.version = version
            self.number = number
            dates = version.dates(number)
            unknown = version.unknown(ofToken: number, in: lines)
            place = number
        }

        /// What stands for its value.
        var mark: [UInt8] { version.marks[number] }

        /// Whether a version has it as its token, and not as an earlier one.
        var wasCurrent: Bool { place == 0 }

        /// Lends its value.
        func withValue<R: ~Copyable, E: Error>(
            _ lines: Span<UInt8>, _ body: (Span<UInt8>) throws(E) -> R
        ) throws(E) -> R {
            try version.layout.withToken(number, of: lines.extracting(version.place), body)
        }

        /// Writes its value and its unknown members.
        func write(_ lines: Span<UInt8>, into text: inout SecretBuffer) {
            version.layout.writeValue(number, of: lines.extracting(version.place), into: &text)
            MergePlan.write(unknown, lines, into: &text)
        }

        /// Whether it stands in front of another one in a history: the later retired first, then the one that had fewer
        /// in front of it, then the later stored. None of that asks which side it comes from.
        func precedes(_ other: Token, _ lines: Span<UInt8>) -> Bool {
            func order(_ token: Token) -> [Int] {
                [-(token.dates.retired?.seconds ?? .min + 1), token.place, -(token.dates.added?.seconds ?? .min + 1)]
            }
            let (left, right) = (order(self), order(other))
            guard left == right else { return left.lexicographicallyPrecedes(right) }
            return withValue(lines) { value in other.withValue(lines) { RecordName.precedes(value, $0) } }
        }
    }

    /// All that is no secret, but for the dates of the tokens.
    var resource: Resource
    /// The token, and behind it the earlier ones.
    var tokens: [Token]
    /// The record's unknown members.
    var unknown: [RecordVersion.Unknown]

    /// The record with the latest of its earlier tokens, as many as `history` says.
    func text(history count: Int, _ lines: Span<UInt8>) -> SecretBuffer {
        var resource = self.resource
        resource.token = tokens[0].dates
        resource.history = tokens.dropFirst().prefix(count).map(\.dates)
        var text = SecretBuffer(capacity: min(lines.count, VaultLimits.recordSize) + 1024)
        RecordLayout.write(resource, into: &text) { (number, text) in
            tokens[number].write(lines, into: &text)
        } others: { text in
            Self.write(unknown, lines, into: &text)
        }
        return text
    }

    /// How many of the earlier tokens fit into a record; nil when it is too large without any.
    func fittingHistory(_ lines: Span<UInt8>) -> Int? {
        func fits(_ count: Int) -> Bool { text(history: count, lines).count <= VaultLimits.recordSize }
        var count = tokens.count - 1
        if fits(count) { return count }
        guard fits(0) else { return nil }
        // Halved, since a hostile record has thousands: `fitting` of them do, and `count` do not.
        var fitting = 0
        while count - fitting > 1 {
            let middle = (fitting + count) / 2
            if fits(middle) { fitting = middle } else { count = middle }
        }
        return fitting
    }

    private static func write(
        _ members: [RecordVersion.Unknown], _ lines: Span<UInt8>, into text: inout SecretBuffer
    ) {
        for member in members {
            text.append(",")
            text.append(JSONText.quoted(String(decoding: member.name, as: UTF8.self)).span)
            text.append(":")
            text.append(lines.extracting(member.value))
        }
    }
}
