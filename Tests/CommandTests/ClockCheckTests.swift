import Testing
import VaultFile

@testable import vault

/// What no test can set the system's clock to.
@Suite struct ClockCheckTests {
    @Test(arguments: ["1970-01-01T00:00:00Z", "2025-12-31T23:59:59Z"])
    func clockThatWasNeverSetIsSeen(_ now: String) throws {
        let check = ClockCheck(now: try #require(Timestamp(now)))
        #expect(check.finding.state == .todo)
        #expect(check.finding.message == "it is \(now) by the clock")
    }

    @Test func clockOfTheFirstSecondIsTaken() throws {
        #expect(ClockCheck(now: try #require(Timestamp("2026-01-01"))).finding.state == .ok)
    }

    @Test func latestMomentIsWhatCounts() throws {
        var check = ClockCheck(now: try #require(Timestamp("2026-11-24")))
        check.compare(try #require(Timestamp("2026-11-24T00:05:01Z")), "one happened")
        check.compare(try #require(Timestamp("2026-11-24T00:04:00Z")), "two happened")
        #expect(check.finding.message.contains("one happened on 2026-11-24T00:05:01Z"))
    }
}
