import Foundation
import Redaction
import TestSupport
import Testing

/// Needles for these secrets, numbered from 0.
private func needles(_ secrets: [[UInt8]]) -> Needles {
    var needles = Needles()
    for (number, secret) in secrets.enumerated() { needles.add(secret.span, number: number) }
    return needles
}

private func first(_ needles: borrowing Needles, _ text: [UInt8]) -> (number: Int, form: Needles.Form)? {
    needles.first(in: text.span)
}

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

@Suite struct NeedlesTests {
    private static let secret = "s3cr3t/\"tök'n\\ +=?"

    private func find(_ secrets: [String], in text: String) -> (number: Int, form: Needles.Form)? {
        first(needles(secrets.map(bytes)), bytes(text))
    }

    @Test(
        arguments: [
            (secret, .raw), ("Authorization: Bearer \(secret)\r\n", .raw),
            ("czNjcjN0LyJ0w7ZrJ25cICs9Pw==", .base64), ("7333637233742f2274c3b66b276e5c202b3d3f", .hex),
            ("7333637233742F2274C3B66B276E5C202B3D3F", .hex), ("s3cr3t%2f%22t%c3%b6k%27n%5c%20%2b%3d%3f", .percent),
            ("s3cr3t%2F%22t%C3%B6k%27n%5C%20%2B%3D%3F", .percent), (#"{"a":"s3cr3t/\"tök'n\\ +=?"}"#, .json),
            (#"curl -H 's3cr3t/"tök'\''n\ +=?'"#, .shell),
        ] as [(String, Needles.Form)])
    func `A secret is found in the form that it stands in`(text: String, form: Needles.Form) throws {
        let found = try #require(find([Self.secret], in: text))
        #expect(found.number == 0)
        #expect(found.form == form)
    }

    @Test func `Both alphabets of base64 are found`() throws {
        // All bits set, which are the last characters of the alphabets.
        let secret = [UInt8](repeating: 0xff, count: 9)
        let needles = needles([secret])
        #expect(first(needles, bytes("x////////////x"))?.form == .base64)
        #expect(first(needles, bytes("x____________x"))?.form == .base64url)
        #expect(first(needles, bytes("x------------x")) == nil)
    }

    @Test(arguments: 0..<40)
    func `Base64 is found whatever stands around the secret`(prefixSize: Int) throws {
        for suffixSize in 0..<4 {
            for size in [8, 9, 10, 11, 40] {
                let secret = random(size)
                let needles = needles([random(20), secret])
                let encoded = Data(random(prefixSize) + secret + random(suffixSize)).base64EncodedString()
                let url = encoded.replacing("+", with: "-").replacing("/", with: "_")
                for text in [encoded, url, url.replacing("=", with: "")] {
                    let result = first(needles, bytes(text))
                    let found = try #require(result, "\(size) bytes")
                    #expect(found.number == 1)
                    #expect([.base64, .base64url].contains(found.form))
                }
            }
        }
    }

    @Test func `User name and token in Basic are found`() throws {
        for name in ["", "a", "al", "ali", "alice", "x-access-token"] {
            let header = "Authorization: Basic " + Data("\(name):token-zero".utf8).base64EncodedString()
            #expect(find(["token-zero"], in: header)?.form == .base64)
        }
    }

    @Test func `Every form of random secrets is found between random bytes`() throws {
        for size in [8, 9, 16, 33, 100] {
            let secrets = (0..<8).map { _ in random(size) }
            let needles = needles(secrets)
            for (number, secret) in secrets.enumerated() {
                let percent = secret.map { byte in
                    let isPlain =
                        byte < 0x80
                        && (Character(Unicode.Scalar(byte)).isLetter || (48...57).contains(byte)
                            || bytes("-._~").contains(byte))
                    return isPlain ? [byte] : bytes(String(format: "%%%02X", byte))
                }
                let forms: [([UInt8], Needles.Form)] = [
                    (secret, .raw), (bytes(secret.hex), .hex), (bytes(secret.hex.uppercased()), .hex),
                    (percent.joined().map { $0 }, .percent),
                ]
                for (text, form) in forms {
                    let result = first(needles, (random(50) + text + random(50)))
                    let found = try #require(result)
                    #expect(found.number == number)
                    #expect(found.form == form)
                }
            }
        }
    }

    @Test func `Real encoders write what is looked for`() throws {
        let program = """
            import base64, json, shlex, sys, urllib.parse
            secret = sys.stdin.buffer.read().decode()
            print(json.dumps(secret, ensure_ascii=False))
            print(shlex.quote(secret).replace("'\\"'\\"'", "'\\\\''"))
            print(urllib.parse.quote(secret, safe=""))
            print(urllib.parse.quote("user:" + secret + "@host", safe=""))
            print(secret.encode().hex())
            print(base64.b64encode(b"x" + secret.encode() + b"y").decode())
            print(base64.urlsafe_b64encode(b"xy" + secret.encode()).decode())
            """
        let output = try Command.run("python3", ["-c", program], input: bytes(Self.secret))
        let lines = output.text.split(separator: "\n")
        try #require(lines.count == 7, "\(output.errorText)")
        let forms: [Needles.Form] = [.json, .shell, .percent, .percent, .hex, .base64, .base64]
        for (line, form) in zip(lines, forms) {
            let found = try #require(find([Self.secret], in: String(line)), "\(line)")
            #expect(found.form == form || (form == .base64 && found.form == .base64url), "\(line)")
        }
    }

    // MARK: - What is not found

    @Test func `Nothing is found where nothing is`() {
        let needles = needles((0..<50).map { _ in random(8) })
        #expect(first(needles, random(1 << 18)) == nil)
        #expect(first(needles, bytes(random(1 << 16).hex)) == nil)
        #expect(first(needles, bytes(Data(random(1 << 16)).base64EncodedString())) == nil)
        #expect(first(needles, [UInt8]()) == nil)
        #expect(first(Needles(), random(1000)) == nil)
    }

    @Test(arguments: [
        "token-zer", "oken-zero", "TOKEN-ZERO", "token zero", "token-\nzero", "746f6b656e2d7a6572",
        "746f6b656e2d7A65726F",
        "dG9rZW4tem", "oken%2Dzero",
    ])
    func `A part of a secret, or another spelling, is not the secret`(text: String) {
        #expect(find(["token-zero"], in: text) == nil)
    }

    @Test(arguments: 0...7)
    func `A secret that is too short is not looked for, in any form`(size: Int) {
        let secret = [UInt8](repeating: 0xff, count: size)
        let needles = needles([secret])
        #expect(first(needles, (secret + secret)) == nil)
        #expect(first(needles, bytes(String(repeating: "ff", count: 20))) == nil)
        #expect(first(needles, bytes(String(repeating: "////%ff%FF", count: 20))) == nil)
        #expect(Needles.minimumSize == 8)
    }

    @Test(arguments: [8, 9, 10])
    func `No form is so short that it would be found everywhere`(size: Int) {
        // Each stretch of seven characters of each form; none may be enough.
        let secret = random(size)
        let needles = needles([secret])
        let texts =
            [secret, bytes(secret.hex)]
            + (0..<3).map { bytes(Data(random($0) + secret + random(2)).base64EncodedString()) }
        for text in texts {
            for start in 0...text.count - 7 {
                #expect(first(needles, Array(text[start..<start + 7])) == nil)
            }
        }
    }

    // MARK: - Several secrets

    @Test func `The number is that of the secret that was found`() {
        let secrets = ["token-zero", "token-one", "token-two", "short"]
        for (number, secret) in secrets.dropLast().enumerated() {
            #expect(find(secrets, in: "x \(secret) y")?.number == number)
        }
        #expect(find(secrets, in: "short") == nil)
        // Numbers are the caller's.
        var needles = Needles()
        needles.add(bytes("token-zero").span, number: 42)
        needles.add(bytes("token-one-").span, number: 7)
        #expect(first(needles, bytes("token-one-"))?.number == 7)
        #expect(first(needles, bytes("token-zero"))?.number == 42)
    }

    @Test func `A form that two secrets share is found for the first`() {
        #expect(find(["token-zero", "token-zero"], in: "token-zero")?.number == 0)
        #expect(find(["token-zero", "token-zero-long"], in: "token-zero-long")?.number == 0)
        #expect(find(["token-zero-long", "token-zero"], in: "token-zero-long")?.number == 0)
        #expect(find(["token-zero-long", "token-zero"], in: "token-zero")?.number == 1)
    }

    @Test func `Many long secrets are held`() {
        let secrets = (0..<40).map { _ in random(1000) }
        let needles = needles(secrets)
        for (number, secret) in secrets.enumerated() {
            #expect(first(needles, secret)?.number == number)
            #expect(first(needles, bytes(secret.hex))?.number == number)
        }
    }
}

private func random(_ count: Int) -> [UInt8] { (0..<count).map { _ in .random(in: 0...255) } }
