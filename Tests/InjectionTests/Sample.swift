import Resources
import Sodium
import TestSupport
import VaultFile

/// Headers, tokens and user names that something could read as more than text.
let awkwardTexts = [
    "abcdefgh", "a\"quoted\"token", "\"", "\"\"", "back\\slash", "\\", "\\\\", "\\\"", "\\n\\t\\r\\v\\x", "trailing\\",
    "#hash # token", "100%25 %s %n", "  leading and trailing  ", "in  ner", "für-ünï-🙂", "a'b'c", "$HOME `id` $(id)",
    "a;b,c=d:e", "{{token}}", "@file", "-H", "<>&|*?[]~!^", "\u{a0}", "=\"", "header = \"X: y\"",
]

/// A resource with these headers.
func sampleResource(_ headers: [String]?, username: String? = nil) throws -> Resource {
    guard let name = RecordName("github") else { throw ResourceError.invalid("no name") }
    return Resource(
        name: name, urls: [try ResourceURL("https://api.github.com/v1"), try ResourceURL("https://other")],
        headers: try headers?.map { text in try HeaderTemplate(text) }, username: username, now: Timestamp(seconds: 0))
}

/// What `append` writes, as text.
func written(_ append: (inout SecretBuffer) throws -> Void) rethrows -> String {
    var output = SecretBuffer()
    try append(&output)
    return String(decoding: output.finish().bytes, as: UTF8.self)
}
