import Foundation
import TestSupport
import Testing

@testable import Redaction

/// Random cases, compared with ``Oracle``. `Scripts/fuzz matcher` runs more of them than the tests do.
enum Fuzz {
    /// How long a longer run takes; 0 when there is none.
    static let seconds = ProcessInfo.processInfo.environment["VAULT_FUZZ_SECONDS"].flatMap { Int($0) } ?? 0

    /// Secrets of few different letters, which overlap themselves, and some that stand in one another.
    static func secrets(_ random: inout Generator) -> [[UInt8]] {
        let letters = Array("ab".utf8) + (Bool.random(using: &random) ? Array("c%'\"".utf8) : [])
        var secrets: [[UInt8]] = []
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            switch (secrets.randomElement(using: &random), Int.random(in: 0..<4, using: &random)) {
            case (let other?, 0) where other.count > 8: secrets.append(Array(other.dropFirst().prefix(9)))
            case (let other?, 1): secrets.append(letters.prefix(1) + other + letters.suffix(1))
            default:
                let unit = (0..<Int.random(in: 1...12, using: &random)).map { _ in
                    letters.randomElement(using: &random) ?? 0
                }
                let count = Int.random(in: 8...24, using: &random)
                secrets.append((0..<count).map { unit[$0 % unit.count] })
            }
        }
        secrets.shuffle(using: &random)
        return secrets
    }

    /// A text of needles, parts of needles, and letters.
    static func text(of oracle: Oracle, _ random: inout Generator) -> [UInt8] {
        var text: [UInt8] = [UInt8(ascii: "a")]
        for _ in 0..<Int.random(in: 0...8, using: &random) {
            let needle = oracle.needles.randomElement(using: &random)?.bytes ?? []
            switch Int.random(in: 0..<6, using: &random) {
            case 0: text += needle
            case 1: text += needle.prefix(Int.random(in: 0...needle.count, using: &random))
            case 2: text += needle.suffix(Int.random(in: 0...needle.count, using: &random))
            case 3:
                text += (0..<Int.random(in: 0...60, using: &random)).map { _ in
                    UInt8.random(in: 97...99, using: &random)
                }
            case 4:
                text += (0..<Int.random(in: 0...90, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
            default: text += needle + needle.dropFirst(Int.random(in: 0...needle.count, using: &random))
            }
        }
        return text
    }

    /// Cuts a text into parts: single bytes, a few large ones, or anything.
    static func parts(of text: [UInt8], _ random: inout Generator) -> [[UInt8]] {
        let largest = [1, 3, 40, 400].randomElement(using: &random) ?? 1
        var parts: [[UInt8]] = []
        var rest = text[...]
        while !rest.isEmpty {
            let count = Int.random(in: 0...largest, using: &random)
            parts.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return parts
    }

    /// Compares so many random cases.
    static func run(cases: Int, seed: UInt64) {
        var random = Generator(seed: seed)
        for number in 0..<cases {
            let secrets = secrets(&random)
            var needles = Needles()
            for (number, secret) in secrets.enumerated() { needles.add(secret.span, number: number) }
            let matcher = Matcher(needles)
            let oracle = Oracle(matcher)
            let names = secrets.indices.map { "s\($0)" }
            let text = text(of: oracle, &random)
            let parts = parts(of: text, &random)
            var redactor = Redactor(matcher, names: names)
            var output: [UInt8] = []
            let append = { (span: Span<UInt8>) in span.withUnsafeBufferPointer { output += Array($0) } }
            for part in parts { redactor.process(part.span, append) }
            redactor.finish(append)
            let expected = oracle.redacted(text, names: names)
            guard output == expected else {
                func shown(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self).debugDescription }
                Issue.record(
                    """
                    seed \(seed), case \(number): secrets \(secrets.map(shown)), text \(shown(text)) gave \
                    \(shown(output)), and should have given \(shown(expected))
                    """)
                return
            }
        }
    }
}
