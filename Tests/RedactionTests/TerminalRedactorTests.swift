import TestSupport
import Testing

@testable import Redaction

@Suite struct TerminalRedactorTests {
    private static let token = "tok-terminal-01"
    private let matcher: Matcher = {
        var needles = Needles()
        for (number, secret) in [token, "second-secret"].enumerated() {
            needles.add(Array(secret.utf8).span, number: number)
        }
        return Matcher(needles)
    }()

    /// What is seen. With a `releasedSize` of 0 everything that may become a secret is held back, as for a pipe.
    private func redact(_ parts: [[UInt8]], releasedSize: Int = 0) -> String {
        var redactor = TerminalRedactor(matcher, names: ["t", "s"])
        redactor.releasedSize = releasedSize
        var output: [UInt8] = []
        let append = { (span: Span<UInt8>) in span.withUnsafeBufferPointer { output += Array($0) } }
        for part in parts { redactor.process(part.span, append) }
        redactor.finish(append)
        return String(decoding: output, as: UTF8.self)
    }

    /// Rows of what is written and what is seen.
    private static let rows: [(String, String)] = [
        ("plain", "plain"), ("x \(token) y\r\n", "x [vault:t] y\r\n"),
        // Colours within, as grep has them, and before and behind.
        (
            "\u{1b}[31mtok-\u{1b}[1;32mterminal\u{1b}[m-01\u{1b}[0m!",
            "\u{1b}[31m[vault:t]\u{1b}[1;32m\u{1b}[m\u{1b}[0m!"
        ),
        // Cursor movement, modes, character sets, and what sets the keypad.
        ("tok-\u{1b}[3;4H\u{1b}[?25hterm\u{1b}(B\u{1b}=inal-01.", "[vault:t]\u{1b}[3;4H\u{1b}[?25h\u{1b}(B\u{1b}=."),
        // A hyperlink within, and a title.
        (
            "tok-ter\u{1b}]8;;https://a.example\u{1b}\\minal-01\u{1b}]8;;\u{7}.",
            "[vault:t]\u{1b}]8;;https://a.example\u{1b}\\\u{1b}]8;;\u{7}."
        ),
        // A secret in a title, alone and within another one.
        ("\u{1b}]0;run \(token)\u{7}ok", "\u{1b}]0;run [vault:t]\u{7}ok"),
        ("\u{1b}Pq\(token)\u{1b}\\ok", "\u{1b}Pq[vault:t]\u{1b}\\ok"),
        (
            "second-\u{1b}]0;\(token)\u{1b}\\secret", "[vault:s]\u{1b}]0;[vault:t]\u{1b}\\"
        ),
        // Half of one in a title is one too.
        ("\u{1b}]0;tok-term\u{7}ok", "\u{1b}]0;[vault:t]\u{7}ok"),
        // Ends of lines: of a pager, of a terminal, and of readline.
        ("tok-ter\r\nminal-01.", "[vault:t]\r\n."), ("tok-ter\nminal-01.", "[vault:t]\n."),
        ("tok-ter \rminal-01.", "[vault:t] \r."), ("tok-term\u{f}inal-01.", "[vault:t]\u{f}."),
        ("to\r\nk-terminal-01.", "[vault:t]\r\n."), ("tok-\u{7f}terminal-01.", "[vault:t]\u{7f}."),
        // A space in front of a sequence, and one in front of a line feed.
        ("set \u{1b}[5;1H|", "set \u{1b}[5;1H|"), ("tok-ter \nminal-01.", "tok-ter \nminal-01."),
        // A space is no end of a line.
        ("tok-ter minal-01.", "tok-ter minal-01."), ("tok-ter ", "tok-ter "), ("tok-ter  \rx", "tok-ter  \rx"),
        ("a \r\nb ", "a \r\nb "),
        // What is no secret after all comes out as it was.
        ("tok-\u{1b}[1mterm\r\n\u{1b}[0mx", "tok-\u{1b}[1mterm\r\n\u{1b}[0mx"),
        ("\u{1b}[31mtok-\u{1b}[m", "\u{1b}[31mtok-\u{1b}[m"),
        // Not what it seemed to be: a sequence that breaks off, and one that is cancelled.
        ("\u{1b}[3\u{e9}\(token)", "\u{1b}[3\u{e9}[vault:t]"),
        ("\u{1b}]0;a\u{18}\(token)", "\u{1b}]0;a\u{18}[vault:t]"),
        ("\u{1b}\u{1b}[1m\(token)", "\u{1b}\u{1b}[1m[vault:t]"),
        ("\u{1b}]0;a\u{1b}[1m\(token)", "\u{1b}]0;a\u{1b}[1m[vault:t]"),
        // What ends in the middle.
        ("\u{1b}", "\u{1b}"), ("\u{1b}[1", "\u{1b}[1"), ("\u{1b}]0;a", "\u{1b}]0;a"),
        ("tok-term\u{1b}[1m", "[vault:t]\u{1b}[1m"),
    ]

    @Test(arguments: rows) func `What is seen does not depend on the parts`(written: String, seen: String) {
        let bytes = Array(written.utf8)
        #expect(redact([bytes]) == seen)
        #expect(redact(bytes.map { [$0] }) == seen)
        for cut in bytes.indices {
            #expect(redact([Array(bytes[..<cut]), Array(bytes[cut...])]) == seen, "cut at \(cut)")
        }
    }

    @Test func `A prompt with colours is not held back`() {
        var redactor = TerminalRedactor(matcher, names: ["t", "s"])
        var output: [UInt8] = []
        let prompt = Array("\u{1b}[1mPassword:\u{1b}[0m ".utf8)
        redactor.process(prompt.span) { span in span.withUnsafeBufferPointer { output += Array($0) } }
        #expect(output == prompt)
    }

    /// What is seen so far, part by part.
    private func steps(_ parts: [String]) -> [String] {
        var redactor = TerminalRedactor(matcher, names: ["t", "s"])
        return parts.map { part in
            var output: [UInt8] = []
            let bytes = Array(part.utf8)
            redactor.process(bytes.span) { span in span.withUnsafeBufferPointer { output += Array($0) } }
            return String(decoding: output, as: UTF8.self)
        }
    }

    @Test func `What is typed is seen at once, and lines to their ends`() {
        #expect(steps(["t", "o", "p", "\r\n"]) == ["t", "o", "p", "\r\n"])
        #expect(steps(["lis", "t ", "> "]) == ["lis", "t ", "> "])
        #expect(steps(["all is", " se\r\n", "$ "]) == ["all is", " se\r\n", "$ "])
        #expect(steps(["draw tok\u{1b}[5;1H\u{1b}[?25h"]) == ["draw tok\u{1b}[5;1H\u{1b}[?25h"])
    }

    @Test func `What was let go is not masked, and the rest of it is`() {
        #expect(steps(["tok", "-terminal-01", "!"]) == ["tok", "[vault:t]", "!"])
        #expect(steps(["tok-", "terminal-01"]) == ["", "[vault:t]"])
        #expect(steps(["x t", "o", "k", "-", "terminal-01."]) == ["x t", "o", "k", "", "[vault:t]."])
        #expect(steps(["x t", "o", "k", "-", "ter."]) == ["x t", "o", "k", "", "-ter."])
    }

    @Test func `So much that no secret has it within is handed on`() {
        let controls = String(repeating: "\u{0}", count: 200_000)
        #expect(redact([Array("tok-ter\(controls)minal-01.".utf8)]) == "tok-ter\(controls)minal-01.")
        #expect(redact([Array("tok-termi\(controls)nal-01.".utf8)]).hasPrefix("[vault:t]"))
        // What was too much once does not count for what comes later.
        let title = "\u{1b}]0;\(String(repeating: "x", count: 70_000))\u{7}"
        #expect(redact([Array("tok-termi\(title) tok-\u{1b}[1mterminal-01.".utf8)]).hasSuffix(" [vault:t]\u{1b}[1m."))
    }

    @Test(arguments: 0..<20) func `Without the control sequences it is what a pipe gives`(seed: UInt64) {
        var random = Generator(seed: seed)
        let controls = ["\u{1b}[1;31m", "\u{1b}[K", "\u{1b}]0;title\u{7}", "\u{1b}(B", "\u{1b}M"].map { Array($0.utf8) }
        for _ in 0..<50 {
            let secrets = Fuzz.secrets(&random)
            var needles = Needles()
            for (number, secret) in secrets.enumerated() { needles.add(secret.span, number: number) }
            let matcher = Matcher(needles)
            let oracle = Oracle(matcher)
            let names = secrets.indices.map { "s\($0)" }
            let text = Fuzz.text(of: oracle, &random).map { $0 < 0x21 || $0 == 0x7f ? UInt8(ascii: ".") : $0 }
            var written: [UInt8] = []
            for byte in text {
                if Int.random(in: 0..<5, using: &random) == 0 {
                    written += controls.randomElement(using: &random) ?? []
                }
                written.append(byte)
            }
            var redactor = TerminalRedactor(matcher, names: names)
            redactor.releasedSize = 0
            var output: [UInt8] = []
            let append = { (span: Span<UInt8>) in span.withUnsafeBufferPointer { output += Array($0) } }
            for part in Fuzz.parts(of: written, &random) { redactor.process(part.span, append) }
            redactor.finish(append)
            var seen = output
            for control in controls {
                seen = seen.split(separator: control, omittingEmptySubsequences: false).flatMap { $0 }
            }
            #expect(seen == oracle.redacted(text, names: names))
        }
    }
}
