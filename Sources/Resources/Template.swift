/// Text with variables in double braces, such as `Authorization: Bearer {{token}}`.
public struct Template: Hashable, Sendable {
    /// What can stand in braces.
    public enum Variable: String, Sendable, CaseIterable {
        /// The token.
        case token
        /// The resource's name.
        case name
        /// The resource's first URL.
        case url
        /// The resource's user name.
        case username
        /// Base64 of `username:token`, for HTTP's Basic scheme.
        case basic
        /// The path of a file with the headers, one a line.
        case headers
        /// The path of a curl config with the headers.
        case curlConfig = "curl_config"

        /// Whether what it stands for is a secret.
        public var isSecret: Bool { self == .token || self == .basic }
    }

    /// A piece of a template.
    public enum Part: Hashable, Sendable {
        /// Text that stands for itself.
        case text(String)
        /// A variable.
        case variable(Variable)
    }

    /// The template as it was written.
    public let text: String
    /// Its pieces in order.
    public let parts: [Part]

    /// Reads a template in which `allowed` may stand.
    ///
    /// - Throws: ``ResourceError/invalid(_:_:)`` for a variable that is not known or not allowed here.
    public init(_ text: String, allowed: [Variable]) throws(ResourceError) {
        self.text = text
        var parts: [Part] = []
        var rest = text[...]
        // By bytes, so that no combining mark hides a brace.
        while let open = rest.firstPair(of: UInt8(ascii: "{")) {
            guard let close = rest[open.upperBound...].firstPair(of: UInt8(ascii: "}")) else {
                throw .invalid("a template has {{ without }}")
            }
            if open.lowerBound > rest.startIndex { parts.append(.text(String(rest[..<open.lowerBound]))) }
            let name = rest[open.upperBound..<close.lowerBound]
            guard let variable = Variable(rawValue: String(name)), allowed.contains(variable) else {
                let known = allowed.map { "{{\($0.rawValue)}}" }.joined(separator: ", ")
                throw .invalid("a template has a variable that cannot stand in it; there are \(known)")
            }
            parts.append(.variable(variable))
            rest = rest[close.upperBound...]
        }
        if !rest.isEmpty { parts.append(.text(String(rest))) }
        self.parts = parts
    }

    /// A template of one variable alone.
    init(_ variable: Variable) {
        text = "{{\(variable.rawValue)}}"
        parts = [.variable(variable)]
    }

    /// The variables that occur, in their order.
    public var variables: [Variable] {
        parts.compactMap { if case .variable(let variable) = $0 { variable } else { nil } }
    }

    /// How many bytes of text it begins with, in front of any variable.
    public var publicLead: Int { if case .text(let text) = parts.first { text.utf8.count } else { 0 } }

    /// Whether what it renders to is a secret.
    public var isSecret: Bool { variables.contains(where: \.isSecret) }
}

extension Substring {
    /// Where two of the same byte first stand side by side.
    fileprivate func firstPair(of byte: UInt8) -> Range<Index>? {
        var index = utf8.startIndex
        while let first = utf8[index...].firstIndex(of: byte) {
            index = utf8.index(after: first)
            if index < utf8.endIndex, utf8[index] == byte { return first..<utf8.index(after: index) }
        }
        return nil
    }
}

/// A header of a resource: a name, and a template for its value.
public struct HeaderTemplate: Hashable, Sendable {
    /// `Authorization: Bearer {{token}}` (RFC 6750).
    public static let `default`: HeaderTemplate = {
        do { return try HeaderTemplate("Authorization: Bearer {{token}}") } catch { fatalError("\(error)") }
    }()

    /// The field's name.
    public let name: String
    /// The field's value.
    public let value: Template

    /// Reads `Name: value`.
    ///
    /// - Throws: ``ResourceError/invalid(_:_:)``.
    public init(_ text: String) throws(ResourceError) {
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else {
            throw .invalid("a header has no colon; write 'Name: {{token}}'")
        }
        let name = text[..<colon]
        // RFC 9110, 5.6.2.
        let special = Array("!#$%&'*+-.^_`|~".utf8)
        guard !name.isEmpty, name.utf8.allSatisfy({ $0.isNameCharacter || special.contains($0) }) else {
            throw .invalid("a header has a name that no header can have")
        }
        // Not by Characters, of which a space with a combining mark behind it is one: it would be written with one more.
        let value = text.unicodeScalars[text.utf8.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
        guard !value.isEmpty, !value.contains(where: \.isControl) else {
            throw .invalid("a header needs a value, without control characters")
        }
        self.name = String(name)
        self.value = try Template(String(value), allowed: [.token, .name, .url, .username, .basic])
    }

    /// As it was written, with one space behind the colon.
    public var text: String { "\(name): \(value.text)" }

    /// Whether the token stands where RFC 6750 has its `b64token`.
    var isBearer: Bool { value.text.lowercased().hasPrefix("bearer {{token}}") }
}

/// A variable that a child gets: a name, and a template for its value.
public struct EnvironmentTemplate: Hashable, Sendable {
    /// The variable's name.
    public let name: String
    /// The variable's value.
    public let value: Template

    /// Reads `NAME=value`.
    ///
    /// - Throws: ``ResourceError/invalid(_:_:)``.
    public init(_ text: String) throws(ResourceError) {
        try self.init(stored: text)
        try EnvironmentName.check(name)
    }

    /// Reads a variable that is stored already. Its name may be one of those that are refused: a newer version may
    /// refuse less than this one, and the rest of the record is good for all that.
    init(stored text: String) throws(ResourceError) {
        guard let sign = text.utf8.firstIndex(of: UInt8(ascii: "=")) else {
            throw .invalid("a variable has no \"=\"; write 'NAME={{token}}'")
        }
        name = String(text[..<sign])
        try EnvironmentName.checkSpelling(name)
        guard !text.unicodeScalars.contains(where: \.isControl) else {
            throw .invalid("a variable has a control character in it")
        }
        value = try Template(String(text[text.utf8.index(after: sign)...]), allowed: Template.Variable.allCases)
    }

    /// As it was written.
    public var text: String { "\(name)=\(value.text)" }

    private init(_ name: String, _ variable: Template.Variable) {
        self.name = name
        value = Template(variable)
    }

    /// The variables of a resource that names none.
    static func defaults(for resource: String) -> [EnvironmentTemplate] {
        let prefix = EnvironmentName.prefix(for: resource)
        return [
            EnvironmentTemplate("\(prefix)_TOKEN", .token),
            EnvironmentTemplate("\(prefix)_HEADERS", .headers),
            EnvironmentTemplate("\(prefix)_CURL_CONFIG", .curlConfig),
        ]
    }
}
