internal import Sodium
internal import VaultFile

/// The merge of one record that both sides have, each in another way.
struct RecordMix {
    enum Side {
        case ours
        case theirs

        var other: Side { self == .ours ? .theirs : .ours }

        /// The side that says something new; ours when both say the same, nil when each says something else.
        static func changing(areSame: Bool, isBaseOurs: Bool, isBaseTheirs: Bool) -> Side? {
            if areSame || isBaseTheirs { return .ours }
            return isBaseOurs ? .theirs : nil
        }

        /// The same for values; without a base nil.
        static func changing<T: Equatable>(_ base: T?, _ ours: T, _ theirs: T) -> Side? {
            changing(
                areSame: ours == theirs, isBaseOurs: base.map { $0 == ours } ?? false,
                isBaseTheirs: base.map { $0 == theirs } ?? false)
        }
    }

    /// A member that is taken as a whole.
    enum Member: String, CaseIterable {
        case urls, headers, env, username, note, tags

        /// What it says, as bytes: differently composed characters are different texts.
        func texts(of resource: Resource) -> [[UInt8]]? {
            let texts: [String]? =
                switch self {
                case .urls: resource.urls.map(\.description)
                case .headers: resource.givenHeaders.map { $0.map(\.text) }
                case .env: resource.givenEnvironment.map { $0.map(\.text) }
                case .username: resource.username.map { [$0] }
                case .note: resource.note.map { [$0] }
                case .tags: resource.tags
                }
            return texts.map { $0.map { Array($0.utf8) } }
        }

        func copy(from resource: Resource, to other: inout Resource) {
            switch self {
            case .urls: other.urls = resource.urls
            case .headers: other.givenHeaders = resource.givenHeaders
            case .env: other.givenEnvironment = resource.givenEnvironment
            case .username: other.username = resource.username
            case .note: other.note = resource.note
            case .tags: other.tags = resource.tags
            }
        }

        /// Whether the resource needs a user name for it.
        func needsUsername(in resource: Resource) -> Bool {
            let templates =
                switch self {
                case .headers: resource.headers.map(\.value)
                case .env: (resource.givenEnvironment ?? []).map(\.value)
                default: [Template]()
                }
            return templates.flatMap(\.variables).contains { $0 == .basic || $0 == .username }
        }
    }

    let base: RecordVersion?
    let ours: RecordVersion
    let theirs: RecordVersion
    /// The side that is right where both changed the same; ours when nobody said.
    let preferred: Side
    /// The names of what both sides changed, each in another way, as they may stand in a message.
    private(set) var subjects: [String] = []
    private var noted: Set<String> = []

    /// The same for the token itself.
    private let preferredForToken: Side

    init(
        base: RecordVersion?, ours: RecordVersion, theirs: RecordVersion, preferring: RecordMerge.Preference?,
        _ lines: Span<UInt8>
    ) {
        (self.base, self.ours, self.theirs) = (base, ours, theirs)
        switch preferring {
        case nil, .ours: (preferred, preferredForToken) = (.ours, .ours)
        case .theirs: (preferred, preferredForToken) = (.theirs, .theirs)
        case .newest:
            preferred =
                Self.later(ours.resource.updated, theirs.resource.updated)
                ?? (RecordName.precedes(lines.extracting(ours.place), lines.extracting(theirs.place)) ? .theirs : .ours)
            preferredForToken = Self.later(ours.resource.token.added, theirs.resource.token.added) ?? preferred
        }
    }

    subscript(side: Side) -> RecordVersion { side == .ours ? ours : theirs }

    /// Notes what both sides changed, each in another way.
    mutating func note(_ subject: String) {
        if noted.insert(subject).inserted { subjects.append(subject) }
    }

    // MARK: - The record

    /// The record of both sides, with the preferred one's members where both changed the same.
    mutating func merged(_ lines: Span<UInt8>) -> MergePlan {
        var resource = ours.resource
        for member in Member.allCases {
            let side =
                Side.changing(
                    base.map { member.texts(of: $0.resource) }, member.texts(of: ours.resource),
                    member.texts(of: theirs.resource)) ?? conflict(member.rawValue)
            member.copy(from: self[side].resource, to: &resource)
        }
        let winner =
            Side.changing(base?.marks[0], ours.marks[0], theirs.marks[0])
            ?? conflict("token", preferring: preferredForToken)
        setDates(of: &resource)
        return MergePlan(
            resource: resource, tokens: tokens(winner, lines),
            unknown: unknown(base?.unknown(in: lines), ours.unknown(in: lines), theirs.unknown(in: lines), lines))
    }

    /// All of the preferred side, and the earlier tokens of both: for where a mix of them would be no record.
    mutating func whole(_ lines: Span<UInt8>) -> MergePlan {
        let version = self[preferred]
        var resource = version.resource
        setDates(of: &resource)
        var tokens = tokens(preferred, lines)
        tokens[0] = MergePlan.Token(version, 0, lines)
        return MergePlan(resource: resource, tokens: tokens, unknown: version.unknown(in: lines))
    }

    private func setDates(of resource: inout Resource) {
        resource.created = Self.earliest(ours.resource.created, theirs.resource.created)
        resource.updated = Self.latest(ours.resource.updated, theirs.resource.updated)
    }

    /// Which members make that a record of both sides, each of which is good for itself, cannot be stored; nil when it
    /// can be.
    func faults(of plan: MergePlan, _ lines: Span<UInt8>) -> [String]? {
        guard plan.fittingHistory(lines) != nil else {
            // Too much in all, so that it is all that differs.
            var differing = RecordMix(base: nil, ours: ours, theirs: theirs, preferring: nil, lines)
            _ = differing.merged(lines)
            return differing.subjects.isEmpty ? ["updated"] : differing.subjects
        }
        do throws(ResourceError) {
            try plan.resource.checkStored()
        } catch {
            return [Member.headers, .env].filter {
                $0.needsUsername(in: plan.resource) && $0.texts(of: ours.resource) != $0.texts(of: theirs.resource)
            }.map(\.rawValue)
        }
        do throws(ResourceError) {
            try plan.tokens[0].withValue(lines) { (token) throws(ResourceError) in
                try TokenRules.check(token, for: plan.resource.headers)
            }
        } catch {
            return ["headers", "token"]
        }
        return nil
    }

    // MARK: - Tokens

    /// The token of one side, and behind it all other tokens of both and of the base, the latest first.
    private mutating func tokens(_ winner: Side, _ lines: Span<UInt8>) -> [MergePlan.Token] {
        let current = self[winner].marks[0]
        let updated = Self.latest(ours.resource.updated, theirs.resource.updated)
        let now = Self.latest(updated, self[winner].resource.token.added)
        // A new token that has to give way to another new one.
        let loser = self[winner.other].marks[0]
        let isLoserNew = loser != base?.marks[0]
        var seen: Set<[UInt8]> = [current]
        var earlier: [MergePlan.Token] = []
        for mark in ours.marks + theirs.marks + (base?.marks.prefix(1) ?? []) where seen.insert(mark).inserted {
            guard var token = token(mark, lines) else { continue }
            if mark == loser && isLoserNew || token.wasCurrent && token.dates.retired == nil {
                token.dates.retired = now
            }
            earlier.append(token)
        }
        earlier.sort { $0.precedes($1, lines) }
        guard var token = token(current, lines) else { return earlier }
        token.dates.retired = nil
        return [token] + earlier
    }

    /// A token with what each version says about it.
    private mutating func token(_ mark: [UInt8], _ lines: Span<UInt8>) -> MergePlan.Token? {
        let old = base.flatMap { base in base.numbers[mark].map { MergePlan.Token(base, $0, lines) } }
        let mine = ours.numbers[mark].map { MergePlan.Token(ours, $0, lines) }
        let other = theirs.numbers[mark].map { MergePlan.Token(theirs, $0, lines) }
        guard let mine, let other else { return mine ?? other ?? old }
        var token = mine
        token.place = min(mine.place, other.place)
        token.dates.added = old?.dates.added ?? Self.earliest(mine.dates.added, other.dates.added)
        token.dates.retired = Self.latest(mine.dates.retired, other.dates.retired)
        let side = Side.changing(old.map(\.dates.expires), mine.dates.expires, other.dates.expires)
        if (side ?? expiry(of: mine, other)) == .theirs { token.dates.expires = other.dates.expires }
        token.unknown = unknown(old?.unknown, mine.unknown, other.unknown, lines)
        return token
    }

    /// Whose date counts when both sides changed when a token ends. Of an earlier one it is the later date.
    private mutating func expiry(of mine: MergePlan.Token, _ other: MergePlan.Token) -> Side {
        switch (mine.wasCurrent, other.wasCurrent) {
        case (true, true): conflict("expires")
        case (true, false): .ours
        case (false, true): .theirs
        case (false, false): Self.later(mine.dates.expires, other.dates.expires) ?? .ours
        }
    }

    // MARK: - Members of later versions

    /// The unknown members of an object that both sides have: first those of the base, then by their names.
    private mutating func unknown(
        _ base: [RecordVersion.Unknown]?, _ ours: [RecordVersion.Unknown], _ theirs: [RecordVersion.Unknown],
        _ lines: Span<UInt8>
    ) -> [RecordVersion.Unknown] {
        func values(_ members: [RecordVersion.Unknown]) -> [[UInt8]: Range<Int>] {
            Dictionary(uniqueKeysWithValues: members.map { ($0.name, $0.value) })
        }
        func areSame(_ left: Range<Int>?, _ right: Range<Int>?) -> Bool {
            guard let left, let right else { return left == right }
            return lines.extracting(left).isEqual(to: lines.extracting(right))
        }
        let (old, mine, other) = (values(base ?? []), values(ours), values(theirs))
        let added = Set(mine.keys).union(other.keys).subtracting(old.keys)
        let names = (base ?? []).map(\.name) + added.sorted { $0.lexicographicallyPrecedes($1) }
        return names.compactMap { name in
            let side =
                Side.changing(
                    areSame: areSame(mine[name], other[name]),
                    isBaseOurs: base != nil && areSame(old[name], mine[name]),
                    isBaseTheirs: base != nil && areSame(old[name], other[name])) ?? conflict(Self.shown(name))
            let value = side == .ours ? mine[name] : other[name]
            return value.map { RecordVersion.Unknown(name: name, value: $0) }
        }
    }

    // MARK: - What both changed

    private mutating func conflict(_ subject: String, preferring side: Side? = nil) -> Side {
        note(subject)
        return side ?? preferred
    }

    /// The name of an unknown member as it may stand in a message.
    private static func shown(_ name: [UInt8]) -> String {
        let isWord = name.allSatisfy { $0.isNameCharacter || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") }
        guard isWord, (1...64).contains(name.count) else { return "a member of a later version" }
        return String(decoding: name, as: UTF8.self)
    }

    /// The side of the later date; nil when they are the same. None is earlier than any.
    private static func later(_ ours: Timestamp?, _ theirs: Timestamp?) -> Side? {
        if ours == theirs { return nil }
        guard let ours, let theirs else { return ours == nil ? .theirs : .ours }
        return ours > theirs ? .ours : .theirs
    }

    private static func latest(_ left: Timestamp?, _ right: Timestamp?) -> Timestamp? {
        [left, right].compactMap(\.self).max()
    }

    private static func earliest(_ left: Timestamp?, _ right: Timestamp?) -> Timestamp? {
        [left, right].compactMap(\.self).min()
    }
}
