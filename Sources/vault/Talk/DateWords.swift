internal import Resources
internal import VaultFile

/// Dates in words.
enum DateWords {
    /// How long ago a moment was.
    static func age(_ moment: Timestamp?, now: Timestamp = .now) -> String {
        guard let moment else { return "-" }
        let seconds = now.seconds - moment.seconds
        return seconds < 60 ? "now" : TimeSpan.words(seconds)
    }

    /// When a token ends, and how urgent that is: when it is soon, it is a warning.
    static func expiry(_ moment: Timestamp?, now: Timestamp = .now) -> (text: String, style: Table.Style) {
        guard let moment else { return ("-", .plain) }
        let left = moment.seconds - now.seconds
        if left <= 0 { return ("expired \(TimeSpan.words(-left)) ago", .alarm) }
        return ("in \(TimeSpan.words(left))", moment.isSoon(after: now) ? .warning : .plain)
    }
}

extension Timestamp {
    /// Whether it comes within two weeks.
    func isSoon(after now: Timestamp) -> Bool { seconds - now.seconds < 14 * 86_400 }
}
