import Resources
import TestSupport
import Testing
import VaultFile

@Suite("Merging records: the rules") struct RecordMergeTests {
    /// A record that has lived for some days.
    private static let base = Sample(
        members: [
            "urls": #"["https://h"]"#, "headers": #"["X: {{token}}"]"#, "env": #"["A={{token}}"]"#,
            "username": #""alice""#, "note": #""base""#, "tags": #"["ci"]"#,
        ],
        created: Sample.day(1), updated: Sample.day(3),
        token: .init(value: "token-three", added: Sample.day(3)),
        history: [
            .init(value: "token-two", added: Sample.day(2), retired: Sample.day(3)),
            .init(value: "token-one", added: Sample.day(1), retired: Sample.day(2)),
        ],
        unknown: ["x": "1"])

    private static let others: [String: (String, String)] = [
        "urls": (#"["https://ours"]"#, #"["https://h","https://theirs"]"#),
        "headers": (#"["Y: {{token}}"]"#, #"["X: ours {{token}}"]"#),
        "env": (#"["B={{token}}"]"#, #"[]"#), "username": (#""bob""#, #""carol""#),
        "note": (#""ours""#, #""theirs""#), "tags": (#"["a"]"#, #"["b","ci"]"#), "x": ("2", "[3]"),
    ]

    private func merge(
        _ base: Sample?, _ ours: Sample?, _ theirs: Sample?, preferring preference: RecordMerge.Preference? = nil
    ) throws -> Merged {
        try Merged(base: base?.text, ours: ours?.text, theirs: theirs?.text, preferring: preference)
    }

    private static func set(_ member: String, _ value: String?) -> (inout Sample) -> Void {
        { sample in
            if member == "x" { sample.unknown["x"] = value } else { sample.members[member] = value }
        }
    }

    // MARK: - One side

    @Test("What only one side changed, added or removed is that side's")
    func oneSide() throws {
        let base = Self.base
        let changed = base.rotated(to: "token-four", on: 4)
        for (before, after) in [(base, changed), (base, nil), (nil, base)] as [(Sample?, Sample?)] {
            let here = try merge(before, after, before)
            #expect(here.line == after?.text)
            #expect(here.side == .ours)
            let there = try merge(before, before, after)
            #expect(there.line == after?.text)
            #expect(there.side == .theirs)
            let both = try merge(before, after, after)
            #expect(both.line == after?.text)
            #expect((here.conflicts + there.conflicts + both.conflicts).isEmpty)
        }
    }

    @Test("A record that is taken from one side is checked, and one that is not is none of its business")
    func oneSideChecked() throws {
        let good = Self.base.text
        let bad = good.replacing("token-three", with: "short")
        for (base, ours, theirs) in [
            (good, good, bad), (good, bad, good), (nil, bad, good), (nil, good, bad), (good, bad, nil),
            (good, nil, bad),
            (nil, nil, bad), (nil, bad, nil), (good, bad, good.replacing("base", with: "other")),
        ] as [(String?, String?, String?)] {
            #expect(throws: ResourceError.self) { _ = try Merged(base: base, ours: ours, theirs: theirs) }
        }
        #expect(try Merged(base: bad, ours: bad, theirs: good).line == good)
        #expect(try Merged(base: bad, ours: good, theirs: bad).line == good)
        #expect(try Merged(base: bad, ours: bad, theirs: nil).line == nil)
    }

    @Test("A base that is malformed is as good as none")
    func malformedBase() throws {
        let base = Self.base
        let (ours, theirs) = (base.with(Self.set("note", #""o""#)), base.with(Self.set("tags", nil)))
        let found = try Merged(base: "{\(base.text)", ours: ours.text, theirs: theirs.text)
        #expect(found == (try merge(nil, ours, theirs)))
        #expect(found.conflicts == ["note", "tags"])
    }

    // MARK: - Members

    @Test("A member that one side changed or removed is that side's", arguments: others.keys.sorted())
    func memberOfOneSide(member: String) throws {
        let base = Self.base.with { $0.updated = Sample.day(5) }
        let another = member == "note" ? "tags" : "note"
        for value in [Self.others[member]?.0, member == "urls" ? #"["https://u"]"# : nil] {
            let changed = base.with(Self.set(member, value))
            let other = base.with(Self.set(another, nil))
            let expected = changed.with(Self.set(another, nil)).text
            let here = try merge(base, changed, other)
            #expect(here.line == expected)
            #expect(here.conflicts.isEmpty)
            #expect(here.side == nil)
            #expect(try merge(base, other, changed).line == expected)
            // Both changed it in the same way.
            #expect(try merge(base, changed, other.with(Self.set(member, value))).line == expected)
        }
    }

    @Test("A member that both changed is a conflict, which a preference settles", arguments: others.keys.sorted())
    func memberOfBoth(member: String) throws {
        let values = try #require(Self.others[member])
        let another = member == "note" ? "tags" : "note"
        for value in [values.1, member == "urls" ? #"["https://u"]"# : nil] {
            let ours = Self.base.with(Self.set(member, values.0))
            let theirs = Self.base.with(Self.set(member, value)).with(Self.set(another, nil))
            let found = try merge(Self.base, ours, theirs)
            #expect(found.conflicts == [member])
            #expect(found.side == .ours)
            let preferred = try merge(Self.base, ours, theirs, preferring: .ours)
            #expect(preferred.line == ours.with(Self.set(another, nil)).text)
            #expect(preferred.settled == [member])
            #expect(preferred.conflicts.isEmpty)
            #expect(try merge(Self.base, ours, theirs, preferring: .theirs).line == theirs.text)
            // The newest is that of the record that was changed later.
            let newer = ours.with { $0.updated = Sample.day(9) }
            #expect(
                try merge(Self.base, newer, theirs, preferring: .newest).record.text
                    == newer.with(Self.set(another, nil)).text)
            let newest = theirs.with { $0.updated = Sample.day(10) }
            #expect(try merge(Self.base, newer, newest, preferring: .newest).line == newest.text)
            // Without a date it is the oldest; at the same time it does not matter which side is ours.
            let undated = ours.with { $0.updated = nil }
            #expect(try merge(Self.base, undated, theirs, preferring: .newest).line == theirs.text)
            let same = try merge(Self.base, ours, theirs, preferring: .newest)
            #expect(try same.line == merge(Self.base, theirs, ours, preferring: .newest).line)
        }
    }

    @Test("Texts are compared by their bytes")
    func composition() throws {
        let ours = Self.base.with(Self.set("note", "\"\u{e9}\""))
        let theirs = Self.base.with(Self.set("note", "\"e\u{301}\""))
        #expect(ours == theirs)
        #expect(try merge(Self.base, ours, theirs).conflicts == ["note"])
        let tagged = ours.with(Self.set("tags", nil))
        let found = try merge(ours, theirs, tagged)
        #expect(Array((found.line ?? "").utf8) == Array(theirs.with(Self.set("tags", nil)).text.utf8))
    }

    @Test("White space, escapes and the order of members are no change")
    func spelling() throws {
        let theirs = Self.base.with(Self.set("x", "2"))
        let ours = Self.base.text.replacing(#""note":"base","#, with: "").dropLast() + #", "n\u006fte" : "b\u0061se" }"#
        let found = try Merged(base: Self.base.text, ours: String(ours), theirs: theirs.text)
        #expect(found.line == theirs.text)
        #expect(found.side == .theirs)
    }

    @Test("Of a record that both added, whatever differs is a conflict")
    func addedByBoth() throws {
        var theirs = Self.base
        for (member, values) in Self.others { Self.set(member, values.1)(&theirs) }
        theirs.token = .init(value: "token-other")
        let all = ["urls", "headers", "env", "username", "note", "tags", "token", "x"]
        #expect(try merge(nil, Self.base, theirs).conflicts == all)
        let found = try merge(nil, Self.base, theirs, preferring: .theirs)
        #expect(found.settled == all)
        #expect(try found.record.tokens == ["token-other", "token-three", "token-two", "token-one"])
        // What one side does not have differs, too.
        for member in ["note", "x"] {
            #expect(try merge(nil, Self.base, Self.base.with(Self.set(member, nil))).conflicts == [member])
            #expect(try merge(nil, Self.base.with(Self.set(member, nil)), Self.base).conflicts == [member])
        }
        let ending = Self.base.with { $0.token.expires = Sample.day(9) }
        #expect(try merge(nil, Self.base, ending).conflicts == ["expires"])
        #expect(try merge(nil, Self.base, ending, preferring: .theirs).line == ending.text)
    }

    @Test("A record was created when the first one was, and changed when the last one was")
    func dates() throws {
        let ours = Self.base.with {
            $0.created = Sample.day(2)
            $0.updated = Sample.day(6)
            $0.token.added = Sample.day(5)
        }
        let theirs = Self.base.with {
            $0.created = nil
            $0.updated = Sample.day(5)
            $0.token.added = Sample.day(4)
        }
        for (here, there) in [(ours, theirs), (theirs, ours)] {
            let added = try merge(nil, here, there).record.resource
            #expect(added.created?.description == Sample.day(2))
            #expect(added.updated?.description == Sample.day(6))
            #expect(added.token.added?.description == Sample.day(4))
            let changed = try merge(Self.base, here, there).record.resource
            #expect(changed.token.added?.description == Sample.day(3))
        }
    }

    // MARK: - Removal

    @Test("A removal against a change is a conflict, which a preference settles")
    func removal() throws {
        let changed = Self.base.with(Self.set("note", #""new""#))
        let here = try merge(Self.base, nil, changed)
        #expect(here.conflicts == ["removed here"])
        #expect(here.side == .ours)
        #expect(try merge(Self.base, changed, nil).conflicts == ["removed there"])
        #expect(try merge(Self.base, nil, changed, preferring: .ours).line == nil)
        #expect(try merge(Self.base, nil, changed, preferring: .theirs).line == changed.text)
        #expect(try merge(Self.base, changed, nil, preferring: .ours).line == changed.text)
        #expect(try merge(Self.base, changed, nil, preferring: .theirs).line == nil)
        for found in [
            try merge(Self.base, changed, nil, preferring: .newest),
            try merge(Self.base, nil, changed, preferring: .newest),
        ] {
            #expect(found.line == changed.text)
            #expect(found.conflicts.isEmpty)
            #expect(found.settled.count == 1)
        }
    }

    // MARK: - Tokens

    @Test("A token that one side rotated meets what the other changed")
    func rotatedByOne() throws {
        let rotated = Self.base.rotated(to: "token-four", on: 4)
        let noted = Self.base.with(Self.set("note", #""new""#))
        let expected = rotated.with(Self.set("note", #""new""#)).text
        #expect(try merge(Self.base, rotated, noted).line == expected)
        #expect(try merge(Self.base, noted, rotated).line == expected)
    }

    @Test("Two new tokens are a conflict; the one that loses stands in the history")
    func rotatedByBoth() throws {
        let ours = Self.base.rotated(to: "token-ours", on: 5)
        let theirs = Self.base.rotated(to: "token-theirs", on: 4)
        let found = try merge(Self.base, ours, theirs)
        #expect(found.conflicts == ["token"])
        #expect(found.side == .ours)
        for (preference, tokens) in [
            (.ours, ["token-ours", "token-theirs"]), (.theirs, ["token-theirs", "token-ours"]),
            (.newest, ["token-ours", "token-theirs"]),
        ] as [(RecordMerge.Preference, [String])] {
            let found = try merge(Self.base, ours, theirs, preferring: preference)
            #expect(found.settled == ["token"])
            let record = try found.record
            #expect(record.tokens == tokens + ["token-three", "token-two", "token-one"])
            #expect(record.resource.token.retired == nil)
            #expect(record.resource.history[0].retired?.description == Sample.day(5))
            let known = record.tokens[1] == "token-ours" ? ours : theirs
            #expect(record.resource.history[0].added?.description == known.token.added)
        }
        // The newest token need not be that of the record that was changed last.
        let edited = theirs.with {
            $0.updated = Sample.day(9)
            $0.members["note"] = #""theirs""#
        }
        let newest = try merge(
            Self.base, ours.with(Self.set("note", #""ours""#)), edited, preferring: .newest)
        #expect(try newest.record.tokens[0] == "token-ours")
        #expect(try newest.record.resource.note == "theirs")
        #expect(try newest.record.resource.history[0].retired?.description == Sample.day(9))
    }

    @Test("Two new tokens of the same moment, or without one, come out the same on both sides")
    func newestOfTheSameMoment() throws {
        for added in [Sample.day(4), nil] {
            let ours = Self.base.rotated(to: "token-ours", on: 4).with { $0.token.added = added }
            let theirs = Self.base.rotated(to: "token-theirs", on: 4).with { $0.token.added = added }
            let found = try merge(Self.base, ours, theirs, preferring: .newest)
            #expect(try found.line == merge(Self.base, theirs, ours, preferring: .newest).line)
            #expect(try found.record.tokens.count == 5)
        }
    }

    @Test("The same new token on both sides is none of two")
    func rotatedToTheSame() throws {
        let ours = Self.base.rotated(to: "token-four", on: 4)
        let theirs = Self.base.rotated(to: "token-four", on: 5).with(Self.set("note", nil))
        let found = try merge(Self.base, ours, theirs)
        #expect(found.conflicts.isEmpty)
        #expect(try found.record.tokens == ["token-four", "token-three", "token-two", "token-one"])
        #expect(try found.record.resource.token.added?.description == Sample.day(4))
        #expect(try found.record.resource.history[0].retired?.description == Sample.day(5))
        #expect(try found.line == merge(Self.base, theirs, ours).line)
    }

    @Test("A token on one side with escapes is the same token")
    func escapedToken() throws {
        let ours = Self.base.with(Self.set("note", nil)).text.replacing("token-three", with: #"t\u006fken-three"#)
        let theirs = Self.base.with(Self.set("tags", nil))
        let found = try Merged(base: Self.base.text, ours: ours, theirs: theirs.text)
        #expect(found.line == theirs.with(Self.set("note", nil)).text)
    }

    @Test("When a token ends is merged as a member is")
    func expires() throws {
        let day = Sample.day
        func ending(_ number: Int?) -> Sample { Self.base.with { $0.token.expires = number.map(day) } }
        let noted = ending(20).with(Self.set("note", nil))
        #expect(try merge(ending(20), ending(21), noted).record.resource.token.expires?.description == day(21))
        #expect(try merge(ending(20), noted, ending(21)).record.resource.token.expires?.description == day(21))
        #expect(try merge(ending(20), noted, ending(nil)).record.resource.token.expires == nil)
        #expect(try merge(ending(20), ending(21), ending(22)).conflicts == ["expires"])
        #expect(try merge(ending(20), ending(21), ending(nil)).conflicts == ["expires"])
        #expect(try merge(ending(nil), ending(21), ending(22), preferring: .theirs).line == ending(22).text)
        #expect(try merge(ending(20), ending(21), ending(21).with(Self.set("note", nil))).conflicts.isEmpty)
        // The other side rotated meanwhile: the earlier token ends when the side says that still had it.
        let found = try merge(ending(20), ending(21), ending(20).rotated(to: "token-four", on: 4))
        #expect(try found.record.resource.history[0].expires?.description == day(21))
        // Without a base it is as well the side that still has it.
        for expires in [7, 9] {
            let rotated = ending(8).rotated(to: "token-four", on: 4)
            for (ours, theirs) in [(ending(expires), rotated), (rotated, ending(expires))] {
                let preference: RecordMerge.Preference = ours == rotated ? .ours : .theirs
                let found = try merge(nil, ours, theirs, preferring: preference)
                #expect(found.settled == ["token"])
                #expect(try found.record.resource.history[0].expires?.description == day(expires))
            }
        }
        // Both rotated, and both have another date for an earlier one: the later one.
        func earlier(_ number: Int) -> Sample {
            Self.base.rotated(to: "token-four", on: 4).with { $0.history[1].expires = day(number) }
        }
        for (ours, theirs) in [(earlier(8), earlier(9)), (earlier(9), earlier(8))] {
            #expect(try merge(Self.base, ours, theirs).record.resource.history[1].expires?.description == day(9))
        }
    }

    @Test("A rollback is a change of the token")
    func rollback() throws {
        let back = Self.base.rolledBack(on: 4)
        let noted = Self.base.with(Self.set("note", nil))
        let expected = back.with(Self.set("note", nil)).text
        #expect(try merge(Self.base, back, noted).line == expected)
        #expect(try merge(Self.base, noted, back).line == expected)
        let rotated = Self.base.rotated(to: "token-four", on: 5)
        #expect(try merge(Self.base, back, rotated).conflicts == ["token"])
        let found = try merge(Self.base, back, rotated, preferring: .theirs).record
        #expect(found.tokens == ["token-four", "token-two", "token-three", "token-one"])
        #expect(
            found.resource.history.map { $0.retired?.description } == [Sample.day(5), Sample.day(5), Sample.day(2)])
        #expect(
            try merge(Self.base, back, rotated, preferring: .ours).record.tokens
                == ["token-two", "token-four", "token-three", "token-one"])
    }

    @Test("The history is that of both, without the token itself, and longer than the usual five")
    func history() throws {
        var ours = Self.base
        var theirs = Self.base
        for number in 0..<4 {
            ours = ours.rotated(to: "token-ours-\(number)", on: 4 + 2 * number)
            theirs = theirs.rotated(to: "token-theirs-\(number)", on: 5 + 2 * number)
        }
        let tokens = try merge(Self.base, ours, theirs, preferring: .newest).record.tokens
        #expect(
            tokens
                == [
                    "token-theirs-3", "token-ours-3", "token-theirs-2", "token-ours-2", "token-theirs-1",
                    "token-ours-1",
                    "token-theirs-0", "token-ours-0", "token-three", "token-two", "token-one",
                ].filter { $0 != "token-one" })
        // What one side dropped comes back from the other.
        let noted = Self.base.with(Self.set("note", nil))
        #expect(ours.history.count == 5)
        #expect(try merge(Self.base, ours, noted).record.tokens.last == "token-one")
        #expect(try merge(Self.base, noted, ours).record.tokens.count == 7)
    }

    @Test("No token stands twice, also where one side has it twice")
    func repeated() throws {
        let there = Self.base.rotated(to: "token-two", on: 4).rotated(to: "token-three", on: 5)
        #expect(there.history.map(\.value) == ["token-two", "token-three", "token-two", "token-one"])
        let noted = Self.base.with(Self.set("note", nil))
        for (ours, theirs) in [(there, noted), (noted, there)] {
            let record = try merge(Self.base, ours, theirs).record
            #expect(record.tokens == ["token-three", "token-two", "token-one"])
            #expect(record.resource.history[0].retired?.description == Sample.day(5))
        }
    }

    @Test("Earlier tokens without dates stay in their order, behind the others")
    func undatedHistory() throws {
        let names = ["token-ccc", "token-aaa", "token-bbb"]
        let base = Self.base.with { $0.history = names.map { Sample.Token(value: $0) } }
        let ours = base.rotated(to: "token-four", on: 4)
        let theirs = base.with(Self.set("note", nil))
        #expect(try merge(base, ours, theirs).record.tokens == ["token-four", "token-three"] + names)
        // Where nothing tells them apart, it is their bytes that do.
        let left = Self.base.with { $0.history = [.init(value: "token-bbb")] }
        let right = Self.base.with { $0.history = [.init(value: "token-aaa")] }
        for (ours, theirs) in [(left, right), (right, left)] {
            #expect(try merge(nil, ours, theirs).record.tokens == ["token-three", "token-aaa", "token-bbb"])
        }
    }

    @Test("The base's token stays when both sides lost it")
    func baseToken() throws {
        let ours = Self.base.with { $0.token = .init(value: "token-ours") }
        let theirs = Self.base.with { $0.token = .init(value: "token-theirs") }
        let found = try merge(Self.base, ours, theirs, preferring: .ours).record
        #expect(Set(found.tokens) == ["token-ours", "token-theirs", "token-three", "token-two", "token-one"])
        #expect(found.resource.history.prefix(2).allSatisfy { $0.retired?.description == Sample.day(3) })
    }

    @Test("A record of both that is one of them is that one")
    func sameAsOneSide() throws {
        let less = Self.base.with(Self.set("note", nil))
        let more = less.rotated(to: "token-four", on: 4)
        #expect(try merge(Self.base, more, less).side == .ours)
        #expect(try merge(Self.base, less, more).side == .theirs)
    }

    // MARK: - Members of later versions

    @Test("Members of later versions are merged one by one, also those of tokens")
    func unknownMembers() throws {
        let base = Self.base.with {
            $0.unknown = ["p": "1", "q": #"{"a":[1,2]}"#, "r": "null"]
            $0.token.unknown = ["t": "1", "u": "2"]
            $0.history[0].unknown = ["h": "1"]
        }
        let ours = base.with {
            $0.unknown["p"] = "2"
            $0.unknown["zz"] = "true"
            $0.token.unknown["t"] = "[]"
            $0.history[0].unknown["h"] = nil
        }
        let theirs = base.with {
            $0.unknown["q"] = nil
            $0.unknown["aa"] = #""\u00e9""#
            $0.token.unknown["v"] = "3"
            $0.history[0].unknown["i"] = "2"
        }
        for (here, there) in [(ours, theirs), (theirs, ours)] {
            let found = try merge(base, here, there)
            #expect(found.conflicts.isEmpty)
            let line = try #require(found.line)
            #expect(line.hasSuffix(#","p":2,"r":null,"aa":"\u00e9","zz":true}"#))
            #expect(line.contains(#""token":{"value":"token-three","t":[],"u":2,"v":3,"added""#))
            #expect(line.contains(#"{"value":"token-two","i":2,"added""#))
        }
        let other = base.with { $0.token.unknown["t"] = "{}" }
        #expect(try merge(base, ours, other).conflicts == ["t"])
        #expect(try merge(base, ours, other, preferring: .theirs).record.text.contains(#""t":{},"u":2"#))
    }

    @Test(
        "The name of an unknown member is shown when it is a plain word",
        arguments: [
            ("x-1_y.Z", true), (String(repeating: "x", count: 64), true), (String(repeating: "x", count: 65), false),
            ("", false), ("a b", false), (#"\u001b[31m"#, false), ("ä", false), ("a\u{202e}", false),
        ])
    func shownNames(name: String, isShown: Bool) throws {
        let base = Self.base.with { $0.unknown = [name: "1"] }
        let found = try merge(
            base, base.with { $0.unknown[name] = "2" }, base.with { $0.unknown[name] = nil })
        #expect(found.conflicts == [isShown ? name : "a member of a later version"])
    }

    // MARK: - What a mix cannot be

    @Test("A header of one side that needs the user name which the other removed is a conflict")
    func brokenByUsername() throws {
        for (member, value) in [
            ("headers", #"["Authorization: Basic {{basic}}"]"#), ("env", #"["A={{username}}"]"#),
        ] {
            let ours = Self.base.with(Self.set(member, value)).rotated(to: "token-four", on: 4)
            let theirs = Self.base.with(Self.set("username", nil)).with(Self.set("note", #""theirs""#))
            for (here, there) in [(ours, theirs), (theirs, ours)] {
                #expect(try merge(Self.base, here, there).conflicts == [member])
            }
            let here = try merge(Self.base, ours, theirs, preferring: .ours)
            #expect(here.settled == [member])
            #expect(here.line == ours.text)
            let there = try merge(Self.base, ours, theirs, preferring: .theirs).record
            #expect(there.resource.username == nil)
            #expect(there.resource.note == "theirs")
            #expect(there.tokens == ["token-three", "token-four", "token-two", "token-one"])
            #expect(there.resource.updated?.description == Sample.day(4))
        }
    }

    @Test("Of the preferred side all is taken where a mix would be no record, the history apart")
    func wholeSide() throws {
        let ours = Self.base.with(Self.set("headers", #"["A: {{basic}}"]"#)).with {
            $0.members["note"] = #""ours""#
            $0.token.expires = Sample.day(20)
            $0.token.unknown["t"] = "1"
            $0.unknown["x"] = "2"
        }
        let theirs = Self.base.with(Self.set("username", nil))
        let plain = try merge(Self.base, ours, theirs, preferring: .theirs)
        #expect(plain.line == theirs.text)
        #expect(plain.side == .theirs)
    }

    @Test("A token that the other side's header cannot carry is a conflict")
    func brokenByToken() throws {
        let ours = Self.base.with(Self.set("headers", #"["Authorization: Bearer {{token}}"]"#))
        let theirs = Self.base.rotated(to: "a token with spaces", on: 4)
        #expect(try merge(Self.base, ours, theirs).conflicts == ["headers", "token"])
        let here = try merge(Self.base, ours, theirs, preferring: .ours).record
        #expect(here.tokens == ["token-three", "a token with spaces", "token-two", "token-one"])
        #expect(here.resource.headers == [.default])
        #expect(try merge(Self.base, ours, theirs, preferring: .theirs).line == theirs.text)
    }

    @Test("Of a record that is too large, the oldest tokens go")
    func tooManyTokens() throws {
        func token(_ name: String, _ number: Int) -> String {
            "token-\(name)-\(number)-" + String(repeating: "x", count: 12_000)
        }
        var ours = Self.base
        var theirs = Self.base
        for number in 0..<4 {
            ours = ours.rotated(to: token("ours", number), on: 4 + 2 * number)
            theirs = theirs.rotated(to: token("theirs", number), on: 5 + 2 * number)
        }
        let found = try merge(Self.base, ours, theirs, preferring: .newest)
        let order = (0..<4).reversed().flatMap { [token("theirs", $0), token("ours", $0)] }
        #expect(try found.record.tokens == Array(order.prefix(5)))
        #expect(found.dropped == 5)
        let other = try merge(Self.base, theirs, ours, preferring: .newest)
        #expect(other.line == found.line)
    }

    @Test("Members of both sides that are too large together are a conflict")
    func tooLarge() throws {
        let ours = Self.base.with(Self.set("note", "\"" + String(repeating: "n", count: 40_000) + "\""))
        let theirs = Self.base.rotated(to: "token-four", on: 4)
            .with(Self.set("x", "\"" + String(repeating: "u", count: 40_000) + "\""))
        #expect(try merge(Self.base, ours, theirs).conflicts == ["note", "token", "x"])
        let here = try merge(Self.base, ours, theirs, preferring: .ours)
        #expect(here.settled == ["note", "token", "x"])
        #expect(try here.record.tokens == ["token-three", "token-four", "token-two", "token-one"])
        #expect(try here.record.resource.note?.count == 40_000)
        #expect(here.line?.contains(#""x":1"#) == true)
        #expect(here.dropped == 0)
        #expect(try merge(Self.base, ours, theirs, preferring: .theirs).line == theirs.text)
    }

    @Test("A side that only just fits is taken as it is")
    func onlyJustFitting() throws {
        // A line end in the spelling of this version takes six bytes, and here three.
        let note = String(repeating: "n", count: 60_000) + String(repeating: "\u{2028}", count: 1_000)
        let ours = Self.base.with(Self.set("note", "\"\(note)\""))
        let theirs = Self.base.rotated(to: "token-four", on: 4)
        let found = try merge(Self.base, ours, theirs, preferring: .ours)
        #expect(found.line == ours.text)
        #expect(found.side == .ours)
        #expect(found.dropped == 1)
        #expect(try merge(Self.base, ours, theirs).conflicts == ["note", "token"])
    }
}
