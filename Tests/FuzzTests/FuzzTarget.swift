import Age
import Resources
import Sodium
import VaultFile

/// Something that takes bytes from outside.
struct FuzzTarget: Sendable, CustomStringConvertible {
    let name: String
    /// The largest input that is tried, in bytes.
    var maximumSize = 4096
    /// Hands an input to the product. What it throws is a ``Violation`` of what must hold whatever the input is; to refuse
    /// it is no such thing.
    let check: @Sendable ([UInt8]) throws -> Void

    var description: String { name }

    /// All of them; their inputs are in the folders of these names in `Tests/Corpora`.
    static let all = [
        header, identities, armor, keys, tail, block, vault, json, record, template, url, curl, git, docker, bazel,
        kubectl, terraform, goauth, agent, remote, etcd, netrc, dotenv, redaction,
    ]
}

/// Something that must hold did not.
struct Violation: Error, CustomStringConvertible {
    let description: String
}

/// Throws a ``Violation`` that says `what` unless `condition` is true.
func hold(_ condition: Bool, _ what: @autoclosure () -> String) throws(Violation) {
    if !condition { throw Violation(description: what()) }
}

/// What was there, or a ``Violation``.
func held<T>(_ value: T?, _ what: @autoclosure () -> String) throws(Violation) -> T {
    guard let value else { throw Violation(description: what()) }
    return value
}

extension [UInt8] {
    /// The bytes as text where they are that, as each reader of text makes sure before it reads.
    var validText: String? { String(validating: self, as: UTF8.self) }

    /// The parts between `separator`, empty ones as well.
    func parts(by separator: UInt8) -> [[UInt8]] {
        split(separator: separator, omittingEmptySubsequences: false).map { Array($0) }
    }
}

/// What the targets know: an identity, and a resource with its token.
enum Known {
    /// The identity whose secret key is 32 bytes of 7.
    static let identity = X25519Identity(secretKey: SecretBytes(copying: [UInt8](repeating: 7, count: 32).span))

    static let token = Array("t0ken-of-a-resource".utf8)

    /// A resource below a path of `api.example`.
    static let resource: Resource = {
        do {
            guard let name = RecordName("api") else { throw Violation(description: "no name") }
            var resource = Resource(
                name: name,
                urls: [try ResourceURL("https://api.example/v1"), try ResourceURL("http://127.0.0.1:8080")],
                username: "alice", now: Timestamp(seconds: 0))
            resource.token.expires = Timestamp(seconds: 4_000_000_000)
            return resource
        } catch { fatalError("\(error)") }
    }()
}

/// What `append` writes.
func written(_ append: (inout SecretBuffer) throws -> Void) rethrows -> [UInt8] {
    var output = SecretBuffer()
    try append(&output)
    return output.withBytes { $0.publicCopy }
}
