import Age
import TestSupport
import Testing

@Suite struct X25519RecipientTests {
    @Test func `A recipient is read as it is written`() throws {
        let recipient = X25519Identity().recipient
        #expect(recipient.description.hasPrefix("age1"))
        #expect(recipient.description.count == 62)
        #expect(X25519Recipient(parsing: recipient.description) == recipient)
    }

    @Test func `What is no recipient is refused`() {
        let text = X25519Identity().recipient.description
        let wrong = [
            "", "age1", String(text.dropLast()), text + "q", " " + text, text + "\n", text.uppercased(),
            "age2" + text.dropFirst(4), Bech32.encode(pattern(31).span, prefix: "age"),
            Bech32.encode(pattern(33).span, prefix: "age"), Bech32.encode(pattern(32).span, prefix: "vault"),
            "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX",
        ]
        for text in wrong { #expect(X25519Recipient(parsing: text) == nil, "\(text)") }
    }

    @Test(arguments: lowOrderPoints) func `A point of low order, which everybody could open, is refused`(point: String)
    {
        #expect(X25519Recipient(parsing: Bech32.encode([UInt8](hex: point).span, prefix: "age")) == nil)
    }
}
