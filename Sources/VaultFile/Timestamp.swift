internal import Glibc

/// A moment, in whole seconds since 1970 in UTC; written as RFC 3339, such as `2026-11-23T20:00:00Z`.
public struct Timestamp: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Seconds since 1970-01-01T00:00:00Z.
    public let seconds: Int

    /// The moment `seconds` after the start of 1970.
    public init(seconds: Int) { self.seconds = seconds }

    /// This moment.
    public static var now: Timestamp { Timestamp(seconds: time(nil)) }

    /// The moment that `text` gives: a date (its start in UTC), or RFC 3339 with `Z` or an offset. A fraction of a
    /// second is dropped. Nil when it is neither, when the day does not exist, and when an offset leads out of the
    /// years 1 to 9999, since what is read must be possible to write.
    public init?(_ text: some StringProtocol) {
        self.init(Array(text.utf8).span)
    }

    /// The moment that the bytes of a text give.
    public init?(_ bytes: Span<UInt8>) {
        func number(_ range: Range<Int>) -> Int? {
            guard range.upperBound <= bytes.count else { return nil }
            var value = 0
            for index in range {
                let byte = bytes[index]
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
                value = value * 10 + Int(byte - UInt8(ascii: "0"))
            }
            return value
        }
        func has(_ character: Unicode.Scalar, at index: Int) -> Bool {
            index < bytes.count && bytes[index] == UInt8(ascii: character)
        }
        guard let year = number(0..<4), has("-", at: 4), let month = number(5..<7), has("-", at: 7),
            let day = number(8..<10), year >= 1, (1...12).contains(month),
            (1...Self.days(inMonth: month, of: year)).contains(day)
        else { return nil }
        let midnight = Self.days(before: (year, month, day)) * 86_400
        if bytes.count == 10 {
            seconds = midnight
            return
        }
        guard has("T", at: 10) || has("t", at: 10), let hour = number(11..<13), has(":", at: 13),
            let minute = number(14..<16),
            has(":", at: 16), let second = number(17..<19), hour < 24, minute < 60, second <= 60
        else { return nil }
        var rest = 19
        if has(".", at: rest) {
            let start = rest + 1
            rest = start
            while number(rest..<rest + 1) != nil { rest += 1 }
            guard rest > start else { return nil }
        }
        var offset = 0
        if has("Z", at: rest) || has("z", at: rest) {
            rest += 1
        } else if rest < bytes.count, let hours = number(rest + 1..<rest + 3), has(":", at: rest + 3),
            let minutes = number(rest + 4..<rest + 6), hours < 24, minutes < 60,
            bytes[rest] == UInt8(ascii: "+") || bytes[rest] == UInt8(ascii: "-")
        {
            offset = (hours * 60 + minutes) * (bytes[rest] == UInt8(ascii: "+") ? 60 : -60)
            rest += 6
        } else {
            return nil
        }
        seconds = midnight + hour * 3600 + minute * 60 + second - offset
        guard rest == bytes.count, Self.writable.contains(seconds) else { return nil }
    }

    /// RFC 3339 in UTC.
    public var description: String {
        let days = Int((Double(seconds) / 86_400).rounded(.down))
        let second = seconds - days * 86_400
        let (year, month, day) = Self.date(days)
        func padded(_ number: Int, _ width: Int = 2) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(width - digits.count, 0)) + digits
        }
        return "\(padded(year, 4))-\(padded(month))-\(padded(day))"
            + "T\(padded(second / 3600)):\(padded(second / 60 % 60)):\(padded(second % 60))Z"
    }

    /// The earlier one is less.
    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.seconds < right.seconds }

    /// What four digits of a year can say.
    private static let writable = -62_135_596_800...253_402_300_799

    private static func days(inMonth month: Int, of year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    // The civil calendar in years that begin in March, so that the leap day comes last; eras of 400 years have 146,097
    // days, and 719,468 days lie between March of year 0 and 1970.

    private static func days(before date: (year: Int, month: Int, day: Int)) -> Int {
        let year = date.month > 2 ? date.year : date.year - 1
        let era = year / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * ((date.month + 9) % 12) + 2) / 5 + date.day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func date(_ days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (
            yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        )
    }
}
