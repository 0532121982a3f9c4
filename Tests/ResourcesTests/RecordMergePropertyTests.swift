import Resources
import TestSupport
import Testing
import VaultFile

/// Random edits on two sides, merged at the level of whole vaults.
@Suite("Merging records: random edits on both sides") struct RecordMergePropertyTests {
    private typealias Vault = [String: Sample]

    private static let cases = 100

    // MARK: - Random vaults

    private static let values: [String: [String]] = [
        "urls": [#"["https://h"]"#, #"["https://i","https://h"]"#, #"["https://j/k"]"#],
        "headers": [#"["X: {{token}}"]"#, #"["Y: {{name}}","X: {{token}}"]"#, "[]"],
        "env": [#"["A={{token}}"]"#, #"["B={{url}}"]"#, "[]"],
        "username": [#""alice""#, #""bob""#], "note": [#""one""#, #""two""#, #""""#],
        "tags": [#"["ci"]"#, #"["ci","prod"]"#],
    ]

    private static func edit(_ vault: inout Vault, on day: Int, _ random: inout Generator) {
        let name = ["a", "b", "c", "d"].randomElement(using: &random) ?? "a"
        func token() -> String { "token-\(Int.random(in: 10..<70, using: &random))" }
        guard var sample = vault[name] else {
            let added = Sample.Token(value: token(), added: day % 5 == 0 ? nil : Sample.day(day))
            vault[name] = Sample(name: name, created: Sample.day(day), updated: Sample.day(day), token: added)
            return
        }
        sample.updated = Sample.day(day)
        switch Int.random(in: 0..<12, using: &random) {
        case 0: vault[name] = nil
        case 1...3: vault[name] = sample.rotated(to: token(), on: day)
        case 4: vault[name] = sample.history.isEmpty ? sample : sample.rolledBack(on: day)
        case 5:
            sample.unknown[["p", "q"].randomElement(using: &random) ?? "p"] =
                ["1", "[2]", "null", nil].randomElement(using: &random) ?? nil
            vault[name] = sample
        case 6:
            sample.token.unknown[["t", "u"].randomElement(using: &random) ?? "t"] =
                ["1", #"{"v":2}"#, nil].randomElement(using: &random) ?? nil
            vault[name] = sample
        case 7:
            sample.token.expires =
                [Sample.day(90), Sample.day(91), nil].randomElement(using: &random) ?? nil
            vault[name] = sample
        default:
            let member = Sample.members.randomElement(using: &random) ?? "note"
            let choices = (values[member] ?? []) + (member == "urls" ? [] : [nil])
            sample.members[member] = choices.randomElement(using: &random) ?? nil
            vault[name] = sample
        }
    }

    private static func vaults(seed: UInt64) -> (base: Vault, ours: Vault, theirs: Vault) {
        var random = Generator(seed: seed)
        var base: Vault = [:]
        for day in 1...20 where Int.random(in: 0..<4, using: &random) > 0 { edit(&base, on: day, &random) }
        func side(_ random: inout Generator) -> Vault {
            var side = base
            var day = 21
            for _ in 0..<Int.random(in: 1...14, using: &random) {
                edit(&side, on: day, &random)
                day += Int.random(in: 0...2, using: &random)
            }
            return side
        }
        return (base, side(&random), side(&random))
    }

    // MARK: - Merging vaults

    private struct Result: Equatable {
        var lines: [String: String] = [:]
        var conflicts: [String] = []
        var settled: [String] = []
    }

    private static func merge(
        _ base: [String: String], _ ours: [String: String], _ theirs: [String: String],
        preferring preference: RecordMerge.Preference?
    ) throws -> Result {
        var result = Result()
        for name in Set(ours.keys).union(theirs.keys).sorted() {
            let found = try Merged(
                base: base[name], ours: ours[name], theirs: theirs[name], preferring: preference, name: name)
            result.lines[name] = found.line
            result.conflicts += found.conflicts.map { "\(name): \($0)" }
            result.settled += found.settled.map { "\(name): \($0)" }
            #expect(found.dropped == 0)
        }
        return result
    }

    private static func lines(_ vault: Vault) -> [String: String] { vault.mapValues(\.text) }

    private static let swapped: [RecordMerge.Preference: RecordMerge.Preference] = [
        .ours: .theirs, .theirs: .ours, .newest: .newest,
    ]

    // MARK: - What a person would say

    /// The value of what only one side changed; nil when each side says something else.
    private static func naive(_ base: String??, _ ours: String?, _ theirs: String?) -> String?? {
        if ours == theirs { return .some(ours) }
        guard let base else { return nil }
        if base == ours { return .some(theirs) }
        return base == theirs ? .some(ours) : nil
    }

    /// The conflicts, and where there are none what has to stand in the line, and what must not.
    private static func oracle(
        _ base: Sample?, _ ours: Sample?, _ theirs: Sample?
    ) -> (conflicts: Set<String>, parts: [String], absent: [String]) {
        if ours == theirs || ours == base || theirs == base { return ([], [], []) }
        guard let ours, let theirs else { return ([ours == nil ? "removed here" : "removed there"], [], []) }
        var conflicts: Set<String> = []
        var parts: [String] = []
        var absent: [String] = []
        func decide(_ name: String, _ base: String??, _ ours: String?, _ theirs: String?, isShown: Bool = true) {
            switch naive(base, ours, theirs) {
            case nil: conflicts.insert(name)
            case .some(.some(let value)): if isShown { parts.append("\"\(name)\":\(value)") }
            case .some(.none): if isShown { absent.append("\"\(name)\":") }
            }
        }
        for name in Sample.members {
            decide(name, base.map { $0.members[name] }, ours.members[name], theirs.members[name])
        }
        for name in ["p", "q"] { decide(name, base.map { $0.unknown[name] }, ours.unknown[name], theirs.unknown[name]) }
        func value(_ sample: Sample) -> String { #"{"value":"\#(sample.token.value)""# }
        decide("token", base.map(value), value(ours), value(theirs))
        func find(_ value: String, _ sample: Sample?) -> Sample.Token? {
            sample.flatMap { ([$0.token] + $0.history).first { $0.value == value } }
        }
        if ours.token.value == theirs.token.value {
            let old = find(ours.token.value, base)
            decide("expires", old.map(\.expires), ours.token.expires, theirs.token.expires, isShown: false)
        }
        for value in Set(([ours.token] + ours.history).map(\.value)) {
            guard let mine = find(value, ours), let other = find(value, theirs) else { continue }
            let old = find(value, base)
            for name in ["t", "u"] {
                decide(name, old.map { $0.unknown[name] }, mine.unknown[name], other.unknown[name], isShown: false)
            }
        }
        return (conflicts, parts, absent)
    }

    /// What a record says, its earlier tokens in no order.
    private static func content(_ line: String, _ name: String) throws -> Content {
        var (resource, tokens, _) = try Merged(base: nil, ours: line, theirs: line, name: name).record
        let earlier = zip(resource.history, tokens.dropFirst()).map { "\($0) \($1)" }
        resource.history = []
        return Content(resource: resource, token: tokens[0], earlier: Set(earlier))
    }

    private struct Content: Equatable {
        let resource: Resource
        let token: String
        let earlier: Set<String>
    }

    // MARK: - Tests

    @Test("Merging in either order gives the same records, byte for byte", arguments: 0..<UInt64(cases))
    func eitherOrder(seed: UInt64) throws {
        let vaults = Self.vaults(seed: seed)
        let (base, ours, theirs) = (Self.lines(vaults.base), Self.lines(vaults.ours), Self.lines(vaults.theirs))
        for (preference, swapped) in Self.swapped {
            let one = try Self.merge(base, ours, theirs, preferring: preference)
            let other = try Self.merge(base, theirs, ours, preferring: swapped)
            #expect(one.lines == other.lines, "seed \(seed), \(preference)")
            #expect(one.conflicts.isEmpty && one.settled.count == other.settled.count, "seed \(seed), \(preference)")
        }
        let one = try Self.merge(base, ours, theirs, preferring: nil)
        let other = try Self.merge(base, theirs, ours, preferring: nil)
        #expect(one.conflicts.count == other.conflicts.count, "seed \(seed)")
        #expect(!one.conflicts.isEmpty || one.lines == other.lines, "seed \(seed)")
    }

    @Test(
        "Merging with itself changes nothing, and with the base it gives the other side", arguments: 0..<UInt64(cases))
    func withItself(seed: UInt64) throws {
        let vaults = Self.vaults(seed: seed)
        let (base, ours) = (Self.lines(vaults.base), Self.lines(vaults.ours))
        for preference in [nil] + RecordMerge.Preference.allCases {
            let expected = Result(lines: ours)
            #expect(try Self.merge(base, ours, ours, preferring: preference) == expected, "seed \(seed)")
            #expect(try Self.merge([:], ours, ours, preferring: preference) == expected, "seed \(seed)")
            #expect(try Self.merge(base, ours, base, preferring: preference) == expected, "seed \(seed)")
            #expect(try Self.merge(base, base, ours, preferring: preference) == expected, "seed \(seed)")
        }
    }

    @Test("No token of either side is lost, unless its record was removed", arguments: 0..<UInt64(cases))
    func noTokenLost(seed: UInt64) throws {
        let vaults = Self.vaults(seed: seed)
        for preference in RecordMerge.Preference.allCases {
            let result = try Self.merge(
                Self.lines(vaults.base), Self.lines(vaults.ours), Self.lines(vaults.theirs), preferring: preference)
            for name in Set(vaults.ours.keys).union(vaults.theirs.keys) {
                let sides = [vaults.ours[name], vaults.theirs[name]]
                guard let line = result.lines[name] else {
                    #expect(sides.contains(nil), "seed \(seed), \(name): neither side removed it")
                    continue
                }
                let tokens = try Merged(base: nil, ours: line, theirs: line, name: name).record.tokens
                // A side that changed nothing gives way, with the earlier tokens that the other's limit dropped.
                let known = sides.filter { $0 != vaults.base[name] }.compactMap(\.self)
                    .flatMap { [$0.token] + $0.history }.map(\.value)
                #expect(Set(tokens).isSuperset(of: known), "seed \(seed), \(name), \(preference)")
                if sides.allSatisfy({ $0?.text != line }) {
                    #expect(Set(tokens).count == tokens.count, "seed \(seed), \(name), \(preference)")
                }
            }
        }
    }

    @Test(
        "There is a conflict where a person would say so, and else what one side changed", arguments: 0..<UInt64(cases))
    func conflicts(seed: UInt64) throws {
        let (base, ours, theirs) = Self.vaults(seed: seed)
        for name in Set(ours.keys).union(theirs.keys) {
            let expected = Self.oracle(base[name], ours[name], theirs[name])
            let found = try Merged(
                base: base[name]?.text, ours: ours[name]?.text, theirs: theirs[name]?.text, name: name)
            #expect(Set(found.conflicts) == expected.conflicts, "seed \(seed), \(name)")
            #expect(found.conflicts.count == expected.conflicts.count, "seed \(seed), \(name)")
            if !found.conflicts.isEmpty { continue }
            let line = found.line ?? ""
            for part in expected.parts { #expect(line.contains(part), "seed \(seed), \(name)") }
            for part in expected.absent { #expect(!line.contains(part), "seed \(seed), \(name)") }
            for preference in RecordMerge.Preference.allCases {
                let same = try Merged(
                    base: base[name]?.text, ours: ours[name]?.text, theirs: theirs[name]?.text,
                    preferring: preference, name: name)
                #expect(same == found, "seed \(seed), \(name), \(preference)")
            }
        }
    }

    @Test("What came of a merge is read, and stays as it is when it meets a side again", arguments: 0..<UInt64(cases))
    func again(seed: UInt64) throws {
        let vaults = Self.vaults(seed: seed)
        let (base, ours, theirs) = (Self.lines(vaults.base), Self.lines(vaults.ours), Self.lines(vaults.theirs))
        for preference in RecordMerge.Preference.allCases {
            let merged = try Self.merge(base, ours, theirs, preferring: preference).lines
            for (name, line) in merged {
                let record = try Merged(base: nil, ours: line, theirs: line, name: name).record
                #expect(record.resource.name.description == name, "seed \(seed)")
            }
            for side in [ours, theirs] {
                let expected = Result(lines: merged)
                #expect(try Self.merge(side, side, merged, preferring: nil) == expected, "seed \(seed)")
                #expect(try Self.merge(side, merged, side, preferring: nil) == expected, "seed \(seed)")
                // From the old base as well, as long as it is the result that is right; but for the order of earlier
                // tokens that were retired at the same time.
                let old = try Self.merge(base, merged, side, preferring: .ours).lines
                #expect(Set(old.keys) == Set(merged.keys), "seed \(seed), \(preference)")
                for (name, line) in merged {
                    let before = try Self.content(line, name)
                    let after = try Self.content(try #require(old[name]), name)
                    #expect(before == after, "seed \(seed), \(name), \(preference)")
                }
            }
        }
    }
}
