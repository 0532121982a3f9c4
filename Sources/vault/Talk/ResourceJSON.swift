internal import Resources
internal import Sodium
internal import VaultFile

/// Resources as JSON, with every member there is and null for what is absent.
enum ResourceJSON {
    /// Appends one resource; its token only when it is given.
    static func append(_ resource: Resource, token: borrowing SecretBytes?, to output: inout SecretBuffer) throws {
        let headers = resource.headers.map { quoted($0.text) }
        let environment = resource.listedEnvironment.map { quoted($0.text) }
        output.append(
            text: "{\"name\":\"\(resource.name)\",\"urls\":\(list(resource.urls.map { quoted($0.description) }))"
                + ",\"headers\":\(list(headers)),\"env\":\(list(environment))"
                + ",\"username\":\(optional(resource.username)),\"note\":\(optional(resource.note))"
                + ",\"tags\":\(list(resource.tags.map(quoted)))"
                + ",\"created\":\(optional(resource.created)),\"updated\":\(optional(resource.updated))"
                + ",\"token\":{\"added\":\(optional(resource.token.added))"
                + ",\"expires\":\(optional(resource.token.expires))")
        switch token {
        case .some(let token):
            output.append(",\"value\":")
            token.withBytes { output.appendQuoted($0) }
        case .none: break
        }
        output.append("}}")
    }

    static func quoted(_ text: String) -> String { String(decoding: JSONText.quoted(text), as: UTF8.self) }

    static func list(_ items: [String]) -> String { "[\(items.joined(separator: ","))]" }

    static func optional(_ value: (some CustomStringConvertible)?) -> String {
        value.map { quoted($0.description) } ?? "null"
    }
}
