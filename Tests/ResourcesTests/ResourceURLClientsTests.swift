import Foundation
import Resources
import TestSupport
import Testing

/// What is accepted, real clients must read as it was read here: otherwise a token could go where nobody meant it to.
@Suite struct ResourceURLClientsTests {
    /// URLs put together from what parsers disagree about, and accepted nevertheless; the same ones each time.
    private static let accepted: [(text: String, url: ResourceURL)] = {
        var random = Generator(seed: 1)
        let hosts = [
            "h", "api.github.com", "127.0.0.1", "127.1", "1", "0x7f.1", "0177.0.0.1", "[::1]", "[0:0::1]", "[1::]",
            "a_b",
            "LOCALHOST", "xn--bcher-kva.example", "h.", "127.0.0.1.example", "h%2e", "a@b", "[::ffff:7f00:1]", "",
        ]
        let ports = ["", "", "", ":80", ":8443", ":080", ":0000080", ":", ":0", ":65536", ":1", ":443"]
        let pieces = [
            "/", "/", "//", ".", "..", "...", "%2e", "%2E", ";", "%3b", "@", ":", "a", "v1", "%20", "%25", "%252e",
            "\\",
            "?", "#", "&", "=", "+", "~", "'", "!", "*", "|", "^", "\"", "<", "%", "%zz", "%2", "%c0%ae",
        ]
        var found: [(text: String, url: ResourceURL)] = []
        while found.count < 400 {
            let count = Int.random(in: 0...6, using: &random)
            let path = (0..<count).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            let authority = (hosts.randomElement(using: &random) ?? "") + (ports.randomElement(using: &random) ?? "")
            let text = "http://" + authority + path
            if let url = try? ResourceURL(text) { found.append((text, url)) }
        }
        return found
    }()

    @Test func `curl asks the same host for the same path`() throws {
        let server = try EchoServer()
        // Every connection is led to the server, whatever the host; each answer is the request, and a line behind it.
        let output = try Command.run(
            "curl",
            [
                "-q", "-g", "-s", "--noproxy", "*", "--connect-to", "::127.0.0.1:\(server.port)", "-w",
                "\n%{urlnum} %{exitcode}\n",
            ] + Self.accepted.map(\.text))
        var answers = 0
        for (number, answer) in Self.answers(in: output.text) {
            let (text, url) = Self.accepted[number]
            let lines = answer.components(separatedBy: "\r\n")
            let host = url.host + (url.port == 80 ? "" : ":\(url.port)")
            #expect(lines.contains { $0.lowercased() == "host: \(host)" }, "\(text)")
            let target = lines[0].dropFirst("GET ".count).dropLast(" HTTP/1.1".count)
            #expect(target.prefix { $0 != "?" } == url.path, "\(text)")
            answers += 1
        }
        #expect(answers > 300)
    }

    /// The requests, each with the number of the URL that it was made for.
    private static func answers(in text: String) -> [(number: Int, answer: String)] {
        var found: [(number: Int, answer: String)] = []
        var answer = ""
        for line in text.components(separatedBy: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 2, let number = Int(words[0]), let status = Int(words[1]) else {
                answer += line + "\n"
                continue
            }
            if status == 0 { found.append((number, answer)) }
            answer = ""
        }
        return found
    }

    @Test func `Python reads the same host, port and path`() throws {
        let program = """
            import sys, urllib.parse
            for line in sys.stdin:
                url = urllib.parse.urlsplit(line.rstrip("\\n"))
                print(url.hostname, url.port or 80, url.path or "/")
            """
        let input = Self.accepted.map { $0.text + "\n" }.joined()
        let output = try Command.run("python3", ["-c", program], input: Array(input.utf8))
        let lines = output.text.split(separator: "\n")
        try #require(lines.count == Self.accepted.count, "\(output.errorText)")
        for (line, (text, url)) in zip(lines, Self.accepted) {
            let words = line.split(separator: " ")
            let host = words[0].contains(":") ? "[\(words[0])]" : words[0]
            #expect(try ResourceURL("http://\(host)").host == url.host, "\(text)")
            #expect(words[1] == "\(url.port)", "\(text)")
            #expect(words[2] == url.path, "\(text)")
        }
    }
}
