internal import Sodium
public import VaultFile

/// Merges records that two sides changed, one after the other, and collects what it cannot decide.
///
/// A record is merged by its members. What only one side has changed is taken from that side; what both have changed,
/// each in another way, is a conflict. No token is lost by that: the history is that of both sides, and has the tokens
/// that others took the place of.
public struct RecordMerge: Sendable {
    /// Who is right where both sides changed the same.
    public enum Preference: String, CaseIterable, Sendable {
        /// The token that was stored later; for all else the record that was changed later. A change wins over a
        /// removal, which has no date.
        case newest
        /// Our side.
        case ours
        /// Their side.
        case theirs

        /// Whose list of members counts, which has no date.
        public var side: VersionDifferences.Side? {
            switch self {
            case .newest: nil
            case .ours: .ours
            case .theirs: .theirs
            }
        }
    }

    /// What both sides changed, each in another way: named, never guessed.
    public struct Conflict: Sendable, Equatable {
        /// What it is about.
        public enum Subject: Sendable, Equatable {
            /// A member of the record, such as `note`, `urls` or `token`; `expires` is the token's. In the place of a
            /// name that is no plain word stands "a member of a later version".
            case member(String)
            /// We removed the record, they changed it.
            case removedHere
            /// They removed the record, we changed it.
            case removedThere
        }

        /// The record.
        public let name: RecordName
        /// What it is about.
        public let subject: Subject
    }

    /// A record that does not fit with all of its earlier tokens.
    public struct Dropped: Sendable, Equatable {
        /// The record.
        public let name: RecordName
        /// How many earlier tokens, the oldest ones, it had to lose.
        public let count: Int
    }

    /// What could not be decided: none when there is a preference.
    public private(set) var conflicts: [Conflict] = []
    /// What would be a conflict, and was decided by the preference.
    public private(set) var settled: [Conflict] = []
    /// The records that do not fit with all of their earlier tokens.
    public private(set) var dropped: [Dropped] = []

    private let preference: Preference?

    /// Nothing merged yet.
    ///
    /// - Parameter preference: Who is right where both sides changed the same; nil to have it in ``conflicts``.
    public init(preferring preference: Preference? = nil) { self.preference = preference }

    /// Merges one record. After a conflict it gives ours, which is not to be stored.
    ///
    /// - Parameters:
    ///   - name: The record's name.
    ///   - base: The record that both sides come from; nil when there was none.
    ///   - ours: The record of our side; nil when it has none.
    ///   - theirs: The record of their side; nil when it has none.
    /// - Returns: What becomes of the record.
    /// - Throws: ``ResourceError/malformedRecord(name:_:)`` for a record of a side that would go into the result.
    public mutating func merge(
        _ name: RecordName, base: Span<UInt8>?, ours: Span<UInt8>?, theirs: Span<UInt8>?
    ) throws(ResourceError) -> MergedRecord {
        if Self.areSame(theirs, base) || Self.areSame(theirs, ours) {
            try Self.check(ours)
            return .ours
        }
        if Self.areSame(ours, base) {
            try Self.check(theirs)
            return .theirs
        }
        guard let ours, let theirs else {
            try Self.check(ours)
            try Self.check(theirs)
            return decideRemoval(name, isHere: ours == nil)
        }
        var buffer = SecretBuffer(capacity: (base?.count ?? 0) + ours.count + theirs.count)
        func add(_ line: Span<UInt8>) -> Range<Int> {
            let start = buffer.count
            buffer.append(line)
            return start..<buffer.count
        }
        let (oursPlace, theirsPlace) = (add(ours), add(theirs))
        let basePlace: Range<Int>? = if let base { add(base) } else { nil }
        let key = SecretBytes.random(count: 32)
        return try buffer.withBytes { (lines) throws(ResourceError) in
            let ours = try RecordVersion(lines, at: oursPlace, key: key)
            let theirs = try RecordVersion(lines, at: theirsPlace, key: key)
            var base: RecordVersion?
            // What a malformed base was meant to say, nobody knows: that is as if there were none.
            if let basePlace { base = try? RecordVersion(lines, at: basePlace, key: key) }
            var mix = RecordMix(base: base, ours: ours, theirs: theirs, preferring: preference, lines)
            return merge(name, &mix, lines)
        }
    }

    private mutating func decideRemoval(_ name: RecordName, isHere: Bool) -> MergedRecord {
        let conflict = Conflict(name: name, subject: isHere ? .removedHere : .removedThere)
        guard let preference else {
            conflicts.append(conflict)
            return .ours
        }
        settled.append(conflict)
        switch preference {
        case .ours: return .ours
        case .theirs: return .theirs
        case .newest: return isHere ? .theirs : .ours
        }
    }

    private mutating func merge(_ name: RecordName, _ mix: inout RecordMix, _ lines: Span<UInt8>) -> MergedRecord {
        var plan = mix.merged(lines)
        if preference != nil || mix.subjects.isEmpty {
            if let faults = mix.faults(of: plan, lines) {
                faults.forEach { mix.note($0) }
                plan = mix.whole(lines)
            }
        }
        let found = mix.subjects.map { Conflict(name: name, subject: .member($0)) }
        guard preference != nil || found.isEmpty else {
            conflicts += found
            return .ours
        }
        settled += found
        guard let count = plan.fittingHistory(lines) else {
            let side = mix.preferred
            let lost = plan.tokens.count { mix[side].numbers[$0.mark] == nil }
            if lost > 0 { dropped.append(Dropped(name: name, count: lost)) }
            return side == .ours ? .ours : .theirs
        }
        let lost = plan.tokens.count - 1 - count
        if lost > 0 { dropped.append(Dropped(name: name, count: lost)) }
        let text = plan.text(history: count, lines)
        let (isOurs, isTheirs) = text.withBytes { text in
            (text.isEqual(to: lines.extracting(mix.ours.place)), text.isEqual(to: lines.extracting(mix.theirs.place)))
        }
        if isOurs { return .ours }
        return isTheirs ? .theirs : .new(text)
    }

    /// Nothing that is malformed comes in by a merge.
    private static func check(_ line: Span<UInt8>?) throws(ResourceError) {
        if let line { _ = try RecordLayout.parseStored(line) }
    }

    private static func areSame(_ left: Span<UInt8>?, _ right: Span<UInt8>?) -> Bool {
        guard let left, let right else { return left == nil && right == nil }
        return left.isEqual(to: right)
    }
}
