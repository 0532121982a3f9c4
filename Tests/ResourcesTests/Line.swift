import Resources
import Sodium
import TestSupport
import VaultFile

/// A record that is known to a test.
func readRecord(_ text: String) throws(ResourceError) -> Record { try Record(readView(text), Array(text.utf8).span) }

/// The view of a record that is known to a test.
func readView(_ text: String) throws(ResourceError) -> RecordView { try RecordView(incoming: Array(text.utf8).span) }

extension Record {
    /// What would be stored.
    var text: String { withBytes { bytes in bytes.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) } } }

    /// The token, and behind it the earlier ones.
    var tokens: [String] {
        let current = String(decoding: token().bytes, as: UTF8.self)
        return [current]
            + resource.history.indices.map { index in String(decoding: earlierToken(index).bytes, as: UTF8.self) }
    }

    func rotated(
        to token: String, at seconds: Int, expires: Int? = nil, limit: Int = Resource.historyLimit
    ) throws(ResourceError) -> Record {
        try rotated(
            to: SecretBytes(Array(token.utf8)), now: Timestamp(seconds: seconds),
            expires: expires.map { Timestamp(seconds: $0) }, limit: limit)
    }
}

extension RecordView {
    /// The record in its one spelling.
    func text(of line: String) -> String {
        var output = SecretBuffer()
        write(resource, line: Array(line.utf8).span, into: &output)
        return String(decoding: output.finish().bytes, as: UTF8.self)
    }
}
