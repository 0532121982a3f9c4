public import VaultFile

/// Spans of time as people write them: `90d`, `12h`, `30m`, `45s`, `2w`.
public enum TimeSpan {
    /// The number of seconds that `text` stands for, or nil when it stands for none.
    public static func seconds(_ text: some StringProtocol) -> Int? {
        guard let unit = text.last, let number = Int(text.dropLast()), number >= 0, text.first?.isNumber == true else {
            return nil
        }
        let sizes: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800]
        guard let size = sizes[unit] else { return nil }
        let (seconds, overflow) = number.multipliedReportingOverflow(by: size)
        return overflow || seconds > 100_000_000_000 ? nil : seconds
    }

    /// The moment that `text` gives: RFC 3339, a date, or a span from `now` on.
    ///
    /// - Throws: ``ResourceError/invalid(_:_:)``.
    public static func moment(_ text: String, from now: Timestamp) throws(ResourceError) -> Timestamp {
        if let moment = Timestamp(text) { return moment }
        guard let span = seconds(text) else {
            throw .invalid("that is no time; write 2027-01-31, 2027-01-31T12:00:00Z, 90d or 12h")
        }
        return Timestamp(seconds: now.seconds + span)
    }

    /// A span in words: one unit alone, and rounded, such as `3 days`. Months and years only where days would be many.
    public static func words(_ seconds: Int) -> String {
        let day = 86_400
        let units = [
            (365 * day, 730 * day, "year"), (30 * day, 100 * day, "month"), (day, 2 * day, "day"),
            (3600, 2 * 3600, "hour"), (60, 90, "minute"),
        ]
        // Of size and first use: never so few of a unit that rounding would mislead.
        let unit = units.first { seconds >= $0.1 } ?? (1, 0, "second")
        let count = (seconds + unit.0 / 2) / unit.0
        return "\(count) \(unit.2)\(count == 1 ? "" : "s")"
    }
}
