import Foundation
import Sodium
import TestSupport
import Testing

@testable import Redaction

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

private func matcher(_ secrets: [[UInt8]], headerValues: [(Int, [UInt8])] = []) -> Matcher {
    var needles = Needles()
    for (number, value) in headerValues { needles.add(headerValue: value.span, lead: 7, number: number) }
    for (number, secret) in secrets.enumerated() { needles.add(secret.span, number: number) }
    return Matcher(needles)
}

private func names(_ count: Int) -> [String] { (0..<count).map { "s\($0)" } }

/// The output for a text that comes in these parts.
private func redact(_ parts: [[UInt8]], _ matcher: Matcher, _ names: [String]) -> [UInt8] {
    var redactor = Redactor(matcher, names: names)
    var output: [UInt8] = []
    for part in parts { output += redactor.output(part) }
    redactor.finish { output += $0.array }
    return output
}

extension Redactor {
    fileprivate mutating func output(_ part: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        process(part.span) { output += $0.array }
        return output
    }
}

extension Span<UInt8> {
    fileprivate var array: [UInt8] { withUnsafeBufferPointer { Array($0) } }
}

@Suite struct RedactorTests {
    /// Secrets that overlap themselves and each other.
    private static let awkward = [
        ["aabaabaab"], ["abacabacab"], ["abababcab"], ["aaaaaaaa", "aaaaaaaab"], ["aaaaaaaaaaaa", "aaaaaaaaaaab"],
        ["abcdefgh", "bcdefghi", "cdefghijklmn"], ["abcdefghijkl", "cdefghij"], ["cdefghij", "abcdefghijkl"],
        ["abcabcabcabc", "bcabcabc", "cabcabcab"], ["aabaabaabb", "abaabaab"],
    ]

    @Test(arguments: awkward) func `Every way to cut a text in two gives what the oracle gives`(secrets: [String]) {
        let matcher = matcher(secrets.map(bytes))
        let oracle = Oracle(matcher)
        let names = names(secrets.count)
        var texts = secrets.flatMap { first in secrets.map { bytes("x\(first)\($0)y\(first.dropLast())\(first)") } }
        texts += secrets.map { bytes("\($0.dropLast(3))\($0)\($0.prefix(5))") }
        texts += secrets.map { bytes("\($0.dropFirst())\($0.dropLast())") }
        for text in texts {
            let expected = oracle.redacted(text, names: names)
            for cut in 0...text.count {
                let output = redact([Array(text[..<cut]), Array(text[cut...])], matcher, names)
                #expect(output == expected, "\(String(decoding: text, as: UTF8.self)) cut at \(cut)")
            }
            #expect(redact(text.map { [$0] }, matcher, names) == expected)
        }
    }

    @Test(arguments: 0..<30) func `Random secrets, texts and parts give what the oracle gives`(seed: UInt64) {
        Fuzz.run(cases: 120, seed: seed)
    }

    @Test(arguments: [
        ["aaaaaaaab", "aaaaaaaaaaaac"], ["baaaaaaaa", "aaaaaaaab"], ["aaaaaaaabaaaaaaaaac", "bbbbbbbbb"],
    ])
    func `A run of one letter is followed to its end`(secrets: [String]) {
        let matcher = matcher(secrets.map(bytes))
        let oracle = Oracle(matcher)
        let names = names(secrets.count)
        for count in 0...40 {
            let run = String(repeating: "a", count: count)
            for text in ["\(run)b", "\(run)c", "\(run)ba\(run)c", "b\(run)b\(run)bb", "bbbbbbbb\(run)bbbbbbbbbb"] {
                #expect(redact([bytes(text)], matcher, names) == oracle.redacted(bytes(text), names: names), "\(text)")
            }
        }
    }

    @Test(.enabled(if: Fuzz.seconds > 0, "only when Scripts/fuzz asks for it")) func `Random cases for a longer time`()
    {
        let end = ContinuousClock.now + .seconds(Fuzz.seconds)
        var seed = UInt64.random(in: 0...UInt64.max)
        while ContinuousClock.now < end {
            Fuzz.run(cases: 1000, seed: seed)
            seed &+= 1
        }
    }

    @Test func `What is held back is what may still become a secret, and no more`() {
        var random = Generator(seed: 7)
        for _ in 0..<200 {
            let secrets = Fuzz.secrets(&random)
            let matcher = matcher(secrets)
            let oracle = Oracle(matcher)
            let text = Fuzz.text(of: oracle, &random)
            var search = Search(matcher)
            for count in 1...text.count {
                let byte = [text[count - 1]]
                search.advance(byte.span)
                _ = search.decide()
                let held = oracle.heldCount(Array(text.prefix(count)))
                #expect(search.decided == count - held)
            }
        }
    }

    @Test func `A prompt is not held back`() {
        let matcher = matcher([bytes("token-zero-one")])
        var redactor = Redactor(matcher, names: ["zero"])
        let outputs = ["Password: ", "token-zer", "o-two"].map { redactor.output(bytes($0)) }
        #expect(outputs == ["Password: ", "", "token-zero-two"].map(bytes))
    }

    @Test func `A part at the end is masked from eight bytes or a half on`() {
        let matcher = matcher([bytes("0123456789abcdef"), bytes("ghijklmnop")])
        func output(_ text: String) -> String {
            String(decoding: redact([bytes(text)], matcher, ["long", "short"]), as: UTF8.self)
        }
        #expect(output("x 0123456") == "x 0123456")
        #expect(output("x 01234567") == "x [vault:long]")
        #expect(output("x 0123456789abcde") == "x [vault:long]")
        #expect(output("x ghij") == "x ghij")
        #expect(output("x ghijk") == "x [vault:short]")
        #expect(output("x 01234567!") == "x 01234567!")
    }

    @Test func `A secret at a boundary of large parts is found`() {
        let secret = bytes("tok-boundary-0123456789")
        let matcher = matcher([secret])
        for size in [1 << 16, 1 << 20] {
            for offset in 0...secret.count {
                var text = [UInt8](repeating: UInt8(ascii: "."), count: size - offset)
                text += secret + bytes("!")
                let output = redact([Array(text[..<size]), Array(text[size...])], matcher, ["b"])
                #expect(output.count == size - offset + bytes("[vault:b]!").count)
                #expect(output.suffix(10) == bytes("[vault:b]!"))
            }
        }
    }

    @Test func `Binary data without a secret comes out as it was`() {
        let matcher = matcher([bytes("tok-binary-0123456789")])
        for size in [0, 1, 7, 4095, 100_000] {
            let data = (0..<size).map { _ in UInt8.random(in: 0...255) }
            #expect(redact([data], matcher, ["b"]) == data)
        }
    }

    @Test func `A header's value is one with the token in it`() {
        let matcher = matcher([bytes("tok-header-1")], headerValues: [(0, bytes("Bearer tok-header-1"))])
        let output = redact([bytes("Authorization: Bearer tok-header-1\r\nX: tok-header-1\r\n")], matcher, ["h"])
        #expect(output == bytes("Authorization: [vault:h]\r\nX: [vault:h]\r\n"))
        // The token's bytes are there once.
        let text = matcher.text.withBytes { $0.array }
        #expect(text.ranges(of: bytes("tok-header-1")).count == 1)
    }

    @Test func `The count is that of the masks`() {
        let matcher = matcher([bytes("tok-count-1")])
        var redactor = Redactor(matcher, names: ["c"])
        _ = redactor.output(bytes("tok-count-1 tok-count-1 tok-coun"))
        let before = redactor.maskCount
        redactor.finish { _ in }
        let after = redactor.maskCount
        #expect(before == 2)
        #expect(after == 3)
    }

    @Test func `Many needles with shared beginnings are told apart`() {
        let secrets = (0..<200).map { bytes("eyJhbGciOiJIUzI1NiJ9.\($0 * 7919)-\($0)") }
        let matcher = matcher(secrets)
        for (number, secret) in secrets.enumerated() {
            let output = redact([bytes("<") + secret + bytes(">")], matcher, names(200))
            #expect(output == bytes("<[vault:s\(number)]>"))
        }
    }

    @Test func `Nothing to look for lets everything through`() {
        #expect(redact([bytes("anything")], matcher([]), []) == bytes("anything"))
    }
}

@Suite struct FinderTests {
    private func findings(_ parts: [[UInt8]], _ matcher: Matcher) -> [Finder.Finding] {
        var finder = Finder(matcher)
        var findings: [Finder.Finding] = []
        for part in parts { findings += finder.process(part.span) }
        return findings + finder.finish()
    }

    @Test func `Places and forms are told`() {
        let text = bytes("ab tok-finder-1 \n") + bytes(Data("tok-finder-1".utf8).base64EncodedString())
        let findings = findings([Array(text.prefix(8)), Array(text.dropFirst(8))], matcher([bytes("tok-finder-1")]))
        #expect(findings.map(\.offset) == [3, 17])
        #expect(findings.map(\.form) == [.raw, .base64])
    }

    @Test func `A part at the end is no finding`() {
        #expect(findings([bytes("x tok-finder-")], matcher([bytes("tok-finder-1")])).isEmpty)
    }
}
