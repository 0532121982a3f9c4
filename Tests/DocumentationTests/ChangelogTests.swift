import Foundation
import TestSupport
import Testing

/// What the program says that it is.
private let binary = ProcessInfo.processInfo.environment["VAULT_BINARY"]

@Suite struct ChangelogTests {
    @Test(.enabled(if: binary != nil, "set VAULT_BINARY to the program to test"))
    func newestVersionIsTheProgramsVersion() throws {
        let titles = try Document("Sources/vault/vault.docc/Changelog.md").sections.map(\.title)
        // As semver.org has it: three numbers, none with a zero in front.
        let number = #/(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)/#
        let newest = try #require(titles.first { $0.wholeMatch(of: number) != nil })
        let line = try Command.run(#require(binary), ["--version"]).text
        let version = try #require(
            line.wholeMatch(of: /vault ([^ ]+)(?: \([0-9a-f]{12}(?:, modified)?\))?\n/), "\(line)")
        #expect(version.1 == newest)
    }
}
