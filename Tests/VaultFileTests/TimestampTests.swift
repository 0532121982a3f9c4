import Testing
import VaultFile

@Suite struct TimestampTests {
    /// Moments and how they are written; computed with Python's datetime.
    private static let moments: [(seconds: Int, text: String)] = [
        (0, "1970-01-01T00:00:00Z"),
        (-1, "1969-12-31T23:59:59Z"),
        (86_399, "1970-01-01T23:59:59Z"),
        (951_782_400, "2000-02-29T00:00:00Z"),
        (951_868_799, "2000-02-29T23:59:59Z"),
        (951_868_800, "2000-03-01T00:00:00Z"),
        (1_795_464_000, "2026-11-23T20:00:00Z"),
        (2_147_483_648, "2038-01-19T03:14:08Z"),
        (4_107_542_399, "2100-02-28T23:59:59Z"),
        (4_107_542_400, "2100-03-01T00:00:00Z"),
        (13_574_563_200, "2400-02-29T00:00:00Z"),
        (-2_203_891_200, "1900-03-01T00:00:00Z"),
        (-11_671_084_800, "1600-02-28T00:00:00Z"),
        (-62_135_596_800, "0001-01-01T00:00:00Z"),
        (253_402_300_799, "9999-12-31T23:59:59Z"),
    ]

    @Test(arguments: moments)
    func isWrittenInUTCAndReadAgain(_ seconds: Int, _ text: String) {
        #expect("\(Timestamp(seconds: seconds))" == text)
        #expect(Timestamp(text)?.seconds == seconds)
    }

    @Test(arguments: [
        ("2026-11-23", 1_795_392_000),
        ("2026-11-23T20:00:00z", 1_795_464_000),
        ("2026-11-23t20:00:00Z", 1_795_464_000),
        ("2026-11-23T20:00:00.0Z", 1_795_464_000),
        ("2026-11-23T20:00:00.999999999999Z", 1_795_464_000),
        ("2026-11-23T20:00:00+00:00", 1_795_464_000),
        ("2026-11-23T20:00:00-00:00", 1_795_464_000),
        ("2026-11-23T22:00:00+02:00", 1_795_464_000),
        ("2026-11-24T01:30:00+05:30", 1_795_464_000),
        ("2026-11-23T16:30:00-03:30", 1_795_464_000),
        ("2026-11-23T16:30:00.25-03:30", 1_795_464_000),
        ("2026-11-24T19:59:00+23:59", 1_795_464_000),
        ("2026-11-22T20:01:00-23:59", 1_795_464_000),
        ("2016-12-31T23:59:60Z", 1_483_228_800),
        ("2024-02-29", 1_709_164_800),
    ])
    func readsDatesAndRFC3339(_ text: String, _ seconds: Int) { #expect(Timestamp(text)?.seconds == seconds) }

    @Test(arguments: [
        "", "2026", "2026-11", "2026-11-23T", "2026-11-23T20", "2026-11-23T20:00", "2026-11-23T20:00:00",
        "2026-11-23T20:00:00.Z", "2026-11-23T20:00:00.5", "2026-11-23T20:00:00,5Z", "2026-11-23T20:00:0Z",
        // Days, months and times that do not exist.
        "2026-00-01", "2026-13-01", "2026-01-00", "2026-01-32", "2026-04-31", "2026-06-31", "2026-09-31", "2026-11-31",
        "2026-02-29", "1900-02-29", "2100-02-29", "2024-02-30", "0000-01-01", "2026-11-23T24:00:00Z",
        "2026-11-23T20:60:00Z", "2026-11-23T20:00:61Z",
        // Offsets.
        "2026-11-23T20:00:00+", "2026-11-23T20:00:00+2", "2026-11-23T20:00:00+02", "2026-11-23T20:00:00+0200",
        "2026-11-23T20:00:00+2:00", "2026-11-23T20:00:00+02:0", "2026-11-23T20:00:00+24:00",
        "2026-11-23T20:00:00+02:60", "2026-11-23T20:00:00*02:00", "2026-11-23T20:00:00Z+02:00",
        "2026-11-23T20:00:00+02:00Z", "2026-11-23T20:00:00UTC",
        // Other forms.
        " 2026-11-23", "2026-11-23 ", "2026-11-23Z", "2026-11-23 20:00:00Z", "2026-11-23_20:00:00Z", "2026-1-1",
        "26-11-23", "+2026-11-23", "-2026-11-23", "02026-11-23", "12026-11-23", "2026/11/23", "20261123", "2026-W48-1",
        "2026-327", "23.11.2026", "2026-11-23T20.00.00Z", "2026-11-23T200000Z", "2026-11-23T20:00:00Z\n", "٢٠٢٦-11-23",
        "2026-11-2３", "now", "90d",
        // Control characters that are one bit away from the signs.
        "2026\r11\r23", "2026-11-23T20\u{1a}00\u{1a}00Z", "2026-11-23T20:00:00\u{0e}5Z",
        "2026-11-23T20:00:00+02\u{1a}00",
        // Years that would not be read again.
        "9999-12-31T23:59:59-00:01", "9999-12-31T23:59:60Z", "0001-01-01T00:00:00+00:01",
    ])
    func refusesWhatIsNoTimestamp(_ text: String) { #expect(Timestamp(text) == nil) }

    @Test func countsEveryDayOfTheCalendar() {
        var seconds = -2_208_988_800
        var wrong: [String] = []
        for year in 1900...2101 where !(1906...1994).contains(year) || year == 1972 {
            if year == 1972 { seconds = 63_072_000 }
            if year == 1995 { seconds = 788_918_400 }
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            for (month, days) in [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].enumerated() {
                for day in 1...days {
                    func padded(_ number: Int) -> String { (number < 10 ? "0" : "") + "\(number)" }
                    let text = "\(year)-\(padded(month + 1))-\(padded(day))"
                    if Timestamp(text)?.seconds != seconds || "\(Timestamp(seconds: seconds))" != text + "T00:00:00Z" {
                        wrong.append(text)
                    }
                    seconds += 86_400
                }
            }
        }
        #expect(wrong.prefix(20) == [])
    }

    @Test func readsWhatItWroteOverTenThousandYears() {
        let wrong = stride(from: -62_135_596_800, through: 253_402_300_799, by: 123_456_789).filter {
            Timestamp("\(Timestamp(seconds: $0))")?.seconds != $0
        }
        #expect(wrong == [])
    }

    @Test func isOrderedByTime() {
        #expect(Timestamp(seconds: -1) < Timestamp(seconds: 0))
        #expect(Timestamp(seconds: 1) > Timestamp(seconds: 0))
        #expect(!(Timestamp(seconds: 1) < Timestamp(seconds: 1)))
        #expect(Timestamp.now > Timestamp(seconds: 1_700_000_000))
    }
}
