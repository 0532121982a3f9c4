import Resources
import Testing
import VaultFile

@Suite struct TimeSpanTests {
    @Test(arguments: [
        ("0s", 0), ("1s", 1), ("45s", 45), ("30m", 1800), ("12h", 43_200), ("1d", 86_400), ("90d", 7_776_000),
        ("2w", 1_209_600), ("007d", 604_800), ("100000000000s", 100_000_000_000), ("1157407d", 99_999_964_800),
    ])
    func `A span is a number and its unit`(text: String, seconds: Int) {
        #expect(TimeSpan.seconds(text) == seconds)
    }

    @Test(arguments: [
        "", "d", "1", "90", "-1d", "+1d", " 1d", "1d ", "1 d", "1.5h", "1e3s", "1D", "1y", "1M", "1ms", "1d12h", "0x1d",
        "1_0d",
        "٣d", "½d", "d1", "100000000001s", "1157408d", "9223372036854775807s", "9223372036854775807w",
        "99999999999999999999999d", "1d\u{301}", "1d\0", "P1D", "1\u{a0}d", "１d",
    ])
    func `Anything else is no span`(text: String) {
        #expect(TimeSpan.seconds(text) == nil)
    }

    @Test(arguments: [
        ("90d", 1_700_000_000 + 7_776_000), ("0s", 1_700_000_000), ("2027-01-31", 1_801_353_600),
        ("2027-01-31T12:00:00Z", 1_801_396_800), ("2027-01-31T12:00:00+01:00", 1_801_393_200), ("1970-01-01", 0),
        ("100000000000s", 101_700_000_000),
    ])
    func `A moment is a date, or a span from now on`(text: String, seconds: Int) throws {
        #expect(try TimeSpan.moment(text, from: Timestamp(seconds: 1_700_000_000)).seconds == seconds)
    }

    @Test(arguments: ["", "tomorrow", "2027-02-30", "2027-1-1", "31.01.2027", "-1d", "1801353600", "2027-01-31 12:00"])
    func `What is no moment is refused`(text: String) {
        let error = #expect(throws: ResourceError.self) { try TimeSpan.moment(text, from: Timestamp(seconds: 0)) }
        #expect(error == .invalid("that is no time; write 2027-01-31, 2027-01-31T12:00:00Z, 90d or 12h"))
    }

    @Test func `The longest span from the latest moment can still be written`() throws {
        // Of which the text is read again.
        let moment = try TimeSpan.moment("100000000000s", from: .now)
        #expect(Timestamp(moment.description) == moment)
    }

    @Test(arguments: [
        (0, "0 seconds"), (1, "1 second"), (2, "2 seconds"), (89, "89 seconds"), (90, "2 minutes"), (101, "2 minutes"),
        (120, "2 minutes"),
        (3599, "60 minutes"), (5400, "90 minutes"), (7199, "120 minutes"), (7200, "2 hours"), (86_400, "24 hours"),
        (172_800, "2 days"),
        (259_200, "3 days"), (7_775_999, "90 days"), (8_639_999, "100 days"), (8_640_000, "3 months"),
        (31_536_000, "12 months"), (63_072_000, "2 years"), (3_153_600_000, "100 years"),
    ])
    func `In words a span is one unit, rounded`(seconds: Int, words: String) {
        #expect(TimeSpan.words(seconds) == words)
    }
}
