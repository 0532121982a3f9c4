internal import Resources
internal import VaultFile

/// When a token ends.
enum Expiry {
    /// The moment that `--expires` gives; nil for `never`.
    static func parse(_ text: String) throws -> Timestamp? {
        if text == "never" || text.isEmpty { return nil }
        // Without the value: a token may stand in a wrong place.
        guard let moment = try? TimeSpan.moment(text, from: .now) else {
            throw Failure(
                .usage, "--expires is not a time", hint: "use 2027-01-31, 2027-01-31T12:00:00Z, 90d, 2w, 12h or never")
        }
        guard moment > .now else { throw Failure(.usage, "--expires is in the past") }
        return moment
    }

    /// Refuses a token that is expired, or ends before `minimum` seconds are over.
    /// Where the command has no option by which it would be taken all the same, none is named.
    static func check(_ resource: Resource, minimum: Int = 0, allowsExpired: Bool, hasOption: Bool = true) throws {
        guard let expires = resource.token.expires, !allowsExpired else { return }
        let left = expires.seconds - Timestamp.now.seconds
        if left <= 0 {
            throw Failure(
                .notAllowed, "the token of \(resource.name) expired \(TimeSpan.words(-left)) ago, on \(expires)",
                hint: "store a new one with '\(Process.name) rotate \(resource.name)'"
                    + (hasOption ? ", or use --allow-expired" : ""))
        }
        if left < minimum {
            throw Failure(
                .notAllowed,
                "the token of \(resource.name) expires in \(TimeSpan.words(left)), on \(expires), and was to last for "
                    + TimeSpan.words(minimum),
                hint: "store a new one with '\(Process.name) rotate \(resource.name)'")
        }
    }

    /// The number of seconds of a duration such as `12h`.
    static func duration(_ text: String, option: String) throws -> Int {
        guard let seconds = TimeSpan.seconds(text) else {
            throw Failure(.usage, "\(option) is no duration", hint: "write 30m, 12h, 30d or 2w")
        }
        return seconds
    }
}
