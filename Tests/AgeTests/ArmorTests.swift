@testable import Age
import TestSupport
import Testing

@Suite struct ArmorTests {
    static let begin = "-----BEGIN AGE ENCRYPTED FILE-----"
    static let end = "-----END AGE ENCRYPTED FILE-----"
    /// 48 bytes, which fill a line.
    static let line = String(repeating: "YWdl", count: 16)

    @Test func `Files of every size up to some lines are read`() throws {
        for size in 1...200 {
            #expect(try Armor.decode(armored(pattern(size))) == pattern(size))
            #expect(try Armor.decode(armored(pattern(size), lineEnd: "\r\n")) == pattern(size))
        }
    }

    @Test func `White space around is passed over, and the last line needs no end`() throws {
        let text = armored(pattern(100))
        let space = Array(" \t\r\n\n".utf8)
        #expect(try Armor.decode(space + text + space) == pattern(100))
        #expect(try Armor.decode(text.dropLast()) == pattern(100))
    }

    @Test func `Nothing between the lines is an empty file, which the header then refuses`() throws {
        #expect(try Armor.decode(Array("\(Self.begin)\n\(Self.end)\n".utf8)) == [])
        #expect(outcome { () throws(AgeError) in _ = try Header(readingFrom: [UInt8]()) } == .header)
    }

    @Test(arguments: [
        "", " \n", "\(begin)", "\(begin)\n", "\(end)\n", "\(begin)\nYWdl\n", "YWdl\n\(end)\n", "\(begin)\(end)",
        // Something before, between and behind.
        "garbage\n\(begin)\nYWdl\n\(end)\n", "\(begin)\nYWdl\n\(end)\ngarbage\n", "\(begin) \nYWdl\n\(end)\n",
        "\(begin)\nYWdl\n\(end)\n\(begin)\nYWdl\n\(end)\n", "\(begin)\nVersion: 1\n\nYWdl\n\(end)\n",
        "\(begin)\nYWdl\n=abcd\n\(end)\n",
        // Other first and last lines.
        "-----begin age encrypted file-----\nYWdl\n-----end age encrypted file-----\n",
        "-----BEGIN AGE MESSAGE-----\nYWdl\n-----END AGE MESSAGE-----\n", "\(begin)-\nYWdl\n\(end)\n",
        "\(begin)\nYWdl\n-----END SOMETHING-----\n", "\(begin)\nYWdl\n \(end)\n",
        // Lines that are too short, too long, empty, or not alone.
        "\(begin)\nYWdl\nYWdl\n\(end)\n", "\(begin)\n\(line)YWdl\n\(end)\n", "\(begin)\n\n\(end)\n",
        "\(begin)\n\nYWdl\n\(end)\n", "\(begin)\n\(line)\n\n\(end)\n", "\(begin)\n\(line)\n\nYWdl\n\(end)\n",
        "\(begin)\nYWdl \n\(end)\n", "\(begin)\n YWdl\n\(end)\n", "\(begin)\nYW dl\n\(end)\n",
        "\(begin)\nYWdl\r\r\n\(end)\n", "\(begin)\rYWdl\r\(end)\r", "\(begin)\n\(line) \nYWdl\n\(end)\n",
        // What is not canonical base64.
        "\(begin)\nYWd\n\(end)\n", "\(begin)\nYQ==\nYWdl\n\(end)\n", "\(begin)\nYW\n\(end)\n",
        "\(begin)\nYX==\n\(end)\n",
        "\(begin)\nYW=\n=\n\(end)\n", "\(begin)\nYWd-\n\(end)\n", "\(begin)\n\(line.dropLast(4))YQ==\nYWdl\n\(end)\n",
    ])
    func `What is not strictly armor is refused`(text: String) {
        #expect(outcome { () throws(AgeError) in _ = try Armor.decode(Array(text.utf8)) } == .armor)
    }

    @Test func `Armor is told from the binary form`() {
        #expect(isArmored(armored(pattern(10))))
        #expect(isArmored(Array("\r\n\t -----BEGIN AGE ANYTHING".utf8)))
        for other in [
            "", " ", "\n", "----", "-----begin", "-----BEGIN OPENSSH PRIVATE KEY-----", "age-encryption.org/v1",
            "x-----BEGIN",
        ] {
            #expect(!isArmored(Array(other.utf8)), "\(other)")
        }
    }

    private func isArmored(_ bytes: [UInt8]) -> Bool { Armor.isArmored(bytes.span) }
}
