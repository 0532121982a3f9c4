import Injection
import Resources
import Testing
import VaultFile

/// Texts that are no JSON object, or not only one.
let malformedObjects = [
    "", " ", "null", "[]", "\"uri\"", "{", "{\"uri\":\"https://a\"", "{\"uri\":\"https://a\"}x", "{'uri':'https://a'}",
    "{\"uri\":\"https://a\",}", "{\"uri\":\"https://a\",\"uri\":\"https://b\"}", "{\"uri\":\"https://a\nx\"}",
    "{\"uri\":\"\\ud800\"}", "{\"uri\":\"https://a\"}{\"uri\":\"https://b\"}", String(repeating: "[", count: 40),
    "{\"uri\":\"https://a\"}\0",
]

/// A request of more bytes than are read.
func oversized(_ start: String, _ filler: String, _ end: String) -> [UInt8] {
    Array((start + String(repeating: filler, count: ClientRequest.maximumSize) + end).utf8)
}

/// The same resource with a token that ends.
func expiring(_ resource: Resource, _ moment: Int = 1_800_000_000) -> Resource {
    var resource = resource
    resource.token.expires = Timestamp(seconds: moment)
    return resource
}
