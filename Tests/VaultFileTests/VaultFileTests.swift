import Testing
import VaultFile

@Test func timestampsAreWritten() { #expect("\(Timestamp(seconds: 0))" == "1970-01-01T00:00:00Z") }
