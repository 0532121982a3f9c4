import Age

/// How reading an age file ended, in the words of the test kit of C2SP/CCTV.
enum Outcome: String, Sendable {
    case success
    case noMatch = "no match"
    case headerMAC = "HMAC failure"
    case header = "header failure"
    case armor = "armor failure"
    case payload = "payload failure"
}

extension AgeError {
    /// The class of the failure, or nil when the file is not to blame.
    var outcome: Outcome? {
        switch self {
        case .noMatch: .noMatch
        case .headerMAC: .headerMAC
        case .header, .workFactor: .header
        case .armor: .armor
        case .payload: .payload
        case .outOfMemory, .unreadable, .noAnswer: nil
        }
    }
}

/// How `attempt` ends.
func outcome(of attempt: () throws(AgeError) -> Void) -> Outcome? {
    do {
        try attempt()
        return .success
    } catch {
        return error.outcome
    }
}
