internal import Sodium
internal import VaultFile

/// What a dotenv file says of the variable below, in a comment of its own: a file of variables has no other place for
/// the host that a token belongs to.
///
///     # vault: name=github url=https://api.github.com header="X-Api-Key: {{token}}"
///     GITHUB_TOKEN=…
///
/// There are `name`, `url`, `header`, `env`, `username` and `expires`, of which `url`, `header` and `env` may stand more
/// than once. A value with spaces is quoted as JSON has it. `skip` alone says that the variable is no token.
struct DotenvNote {
    /// The line of the first such comment above a variable.
    let line: Int
    private(set) var isSkip = false
    private(set) var name: RecordName?
    private(set) var urls: [ResourceURL] = []
    private(set) var headers: [HeaderTemplate] = []
    /// Variables besides those of the file.
    private(set) var environment: [EnvironmentTemplate] = []
    private(set) var username: String?
    private(set) var expires: Timestamp?

    init(line: Int) { self.line = line }

    /// Whether it says nothing but a name: then the variable is one more of a resource above.
    var isNameAlone: Bool {
        name != nil && urls.isEmpty && headers.isEmpty && environment.isEmpty && username == nil && expires == nil
    }

    /// What follows `# vault:` when a comment is such a note; nil for any other comment.
    static func range(in comment: Span<UInt8>) -> Range<Int>? {
        var start = 1
        while start < comment.count, isBlank(comment[start]) { start += 1 }
        guard comment.extracting(droppingFirst: start).hasPrefix("vault:") else { return nil }
        return start + 6..<comment.count
    }

    // MARK: - Reading

    /// Reads what follows `# vault:`.
    ///
    /// - Throws: ``ResourceError/invalid(_:_:)``.
    mutating func read(_ text: Span<UInt8>) throws(ResourceError) {
        var rest = 0
        while true {
            while rest < text.count, Self.isBlank(text[rest]) { rest += 1 }
            if rest == text.count { break }
            let start = rest
            while rest < text.count, !Self.isBlank(text[rest]), text[rest] != UInt8(ascii: "=") { rest += 1 }
            let key = text.extracting(start..<rest)
            guard rest < text.count, text[rest] == UInt8(ascii: "=") else {
                guard key.equals("skip") else { throw Self.unknownWord }
                isSkip = true
                continue
            }
            let value = rest + 1
            rest = value + (try Self.size(ofValue: text.extracting(droppingFirst: value)))
            try set(key, text.extracting(value..<rest))
        }
        if isSkip, name != nil || !urls.isEmpty { throw .invalid("'skip' says that it is no token; nothing else fits") }
    }

    private static let unknownWord = ResourceError.invalid(
        "behind '# vault:' there can be name=, url=, header=, env=, username= and expires=, or skip")

    private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

    /// How long a value is: a JSON string, or what has no blank in it.
    private static func size(ofValue text: Span<UInt8>) throws(ResourceError) -> Int {
        if !text.isEmpty, text[0] == UInt8(ascii: "\"") {
            var cursor = JSONCursor()
            do throws(JSONError) { _ = try cursor.readString(text) } catch {
                throw .invalid("a value that begins with a quotation mark is no string as JSON has it")
            }
            guard cursor.position == text.count || isBlank(text[cursor.position]) else {
                throw .invalid("something stands right behind a quotation mark")
            }
            return cursor.position
        }
        var size = 0
        while size < text.count, !isBlank(text[size]) { size += 1 }
        return size
    }

    private mutating func set(_ key: Span<UInt8>, _ value: Span<UInt8>) throws(ResourceError) {
        func text() throws(ResourceError) -> String {
            guard value.isUTF8 else { throw .invalid("a value is not text in UTF-8") }
            guard !value.isEmpty, value[0] == UInt8(ascii: "\"") else { return value.text }
            var cursor = JSONCursor()
            do throws(JSONError) { return try cursor.readString(value).text(in: value) } catch {
                throw .invalid("a value that begins with a quotation mark is no string as JSON has it")
            }
        }
        func once<T>(_ old: T?, _ new: T?) throws(ResourceError) -> T? {
            guard old == nil else { throw .invalid("a name, user name or end stands twice for one variable") }
            return new
        }
        if key.equals("name") {
            guard let given = RecordName(try text()) else {
                throw .invalid("a name has 1 to 128 letters, digits and . _ - /, and begins with a letter or digit")
            }
            name = try once(name, given)
        } else if key.equals("url") {
            urls.append(try ResourceURL(try text()))
        } else if key.equals("header") {
            headers.append(try HeaderTemplate(try text()))
        } else if key.equals("env") {
            environment.append(try EnvironmentTemplate(try text()))
        } else if key.equals("username") {
            username = try once(username, try text())
        } else if key.equals("expires") {
            guard let given = Timestamp(try text()) else {
                throw .invalid("'expires' is no time; write 2027-01-31 or 2027-01-31T12:00:00Z")
            }
            expires = try once(expires, given)
        } else {
            throw Self.unknownWord
        }
    }

    // MARK: - Writing

    /// The comment from which a resource is read again, but for its note, tags, dates and earlier tokens.
    ///
    /// - Parameters:
    ///   - resource: The resource.
    ///   - environment: Variables besides those of the file.
    /// - Returns: One line, without its end.
    static func line(for resource: Resource, environment: [EnvironmentTemplate]) -> String {
        func quoted(_ text: String) -> String { String(decoding: JSONText.quoted(text), as: UTF8.self) }
        var line = "# vault: name=\(resource.name)"
        for url in resource.urls { line += " url=\(url)" }
        for header in resource.givenHeaders ?? [] { line += " header=\(quoted(header.text))" }
        for variable in environment { line += " env=\(quoted(variable.text))" }
        if let username = resource.username { line += " username=\(quoted(username))" }
        if let expires = resource.token.expires { line += " expires=\(expires)" }
        return line
    }
}

extension Span<UInt8> {
    /// Whether the bytes are `text`.
    package func equals(_ text: StaticString) -> Bool { count == text.utf8CodeUnitCount && hasPrefix(text) }
}
