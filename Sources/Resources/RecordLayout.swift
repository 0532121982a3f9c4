public import Sodium
internal import VaultFile

/// Where the parts of a record's JSON stand that are secret or unknown.
struct RecordLayout {
    /// An object with a token in it.
    struct Entry {
        var value: JSONString
        var unknown: [Member] = []
    }

    /// A member that this version does not know.
    struct Member {
        var name: JSONString
        /// Where its value stands.
        var value: Range<Int>

        init(_ name: JSONString, _ value: Range<Int>) {
            self.name = name
            self.value = value
        }

        /// Where it stands, name and value.
        var range: Range<Int> { name.range.lowerBound - 1..<value.upperBound }
    }

    /// The token, and behind it the earlier ones.
    var tokens: [Entry]
    /// Members of the record that this version does not know.
    var unknown: [Member] = []

    // MARK: - Reading

    /// Reads a record that comes from outside, and takes it apart. What its fields say together, and its tokens, are
    /// not checked.
    ///
    /// - Parameters:
    ///   - line: The record.
    ///   - isStored: Whether names of variables that are refused when they are stored are let pass.
    /// - Returns: What is no secret, and where the rest is.
    /// - Throws: ``ResourceError/malformedRecord(name:_:)``.
    static func parse(
        _ line: Span<UInt8>, isStored: Bool = false
    ) throws(ResourceError) -> (resource: Resource, layout: RecordLayout) {
        var reader = RecordReader(isStored: isStored)
        do throws(RecordReader.Problem) {
            return try reader.read(line)
        } catch {
            throw .malformedRecord(name: reader.name?.description ?? "?", error.reason)
        }
    }

    /// Reads a record that stands in a vault: its writer may be hostile, or have another version, so all that a writer
    /// has to check is checked here again. Only the names of variables are not: those are refused when they are used.
    static func parseStored(_ line: Span<UInt8>) throws(ResourceError) -> (resource: Resource, layout: RecordLayout) {
        let (resource, layout) = try parse(line, isStored: true)
        do throws(ResourceError) {
            try resource.checkStored()
            try layout.withToken(0, of: line) { (token) throws(ResourceError) in
                try TokenRules.check(token, for: resource.headers)
            }
            for number in layout.tokens.indices.dropFirst() {
                try layout.withToken(number, of: line) { (token) throws(ResourceError) in
                    try TokenRules.checkCharacters(token)
                }
            }
        } catch {
            guard case .invalid(let reason, _) = error else { throw error }
            throw .malformedRecord(name: resource.name.description, reason)
        }
        return (resource, layout)
    }

    // MARK: - Writing

    /// Writes a record.
    ///
    /// - Parameters:
    ///   - resource: All that is no secret.
    ///   - text: Where it goes.
    ///   - value: Writes the member `value`, and unknown ones, of the token (0) or of an earlier one (from 1).
    ///   - others: Writes the record's unknown members, each behind a comma.
    static func write(
        _ resource: Resource, into text: inout SecretBuffer, value: (Int, inout SecretBuffer) -> Void,
        others: (inout SecretBuffer) -> Void = { _ in }
    ) {
        func put(_ string: String) { text.append(Array(string.utf8).span) }
        func quoted(_ string: String) -> String { String(decoding: JSONText.quoted(string), as: UTF8.self) }
        func list(_ strings: [String]) -> String { "[" + strings.map(quoted).joined(separator: ",") + "]" }
        func dates(_ dates: Resource.TokenDates) {
            if let added = dates.added { put(",\"added\":\"\(added)\"") }
            if let expires = dates.expires { put(",\"expires\":\"\(expires)\"") }
            if let retired = dates.retired { put(",\"retired\":\"\(retired)\"") }
        }
        put("{\"name\":\"\(resource.name)\",\"urls\":\(list(resource.urls.map(\.description)))")
        if let headers = resource.givenHeaders { put(",\"headers\":\(list(headers.map(\.text)))") }
        if let environment = resource.givenEnvironment { put(",\"env\":\(list(environment.map(\.text)))") }
        if let username = resource.username { put(",\"username\":\(quoted(username))") }
        if let note = resource.note { put(",\"note\":\(quoted(note))") }
        if !resource.tags.isEmpty { put(",\"tags\":\(list(resource.tags))") }
        if let created = resource.created { put(",\"created\":\"\(created)\"") }
        if let updated = resource.updated { put(",\"updated\":\"\(updated)\"") }
        put(",\"token\":{")
        value(0, &text)
        dates(resource.token)
        put("}")
        if !resource.history.isEmpty {
            put(",\"history\":[")
            for (index, earlier) in resource.history.enumerated() {
                put(index == 0 ? "{" : ",{")
                value(index + 1, &text)
                dates(earlier)
                put("}")
            }
            put("]")
        }
        others(&text)
        put("}")
    }
}

extension RecordLayout {
    /// Writes the record of this layout anew.
    ///
    /// - Parameters:
    ///   - resource: All that is no secret.
    ///   - order: Which of the tokens stands where: first the token, then the history.
    ///   - line: The record.
    ///   - text: Where it goes.
    func write(_ resource: Resource, tokens order: [Int], of line: Span<UInt8>, into text: inout SecretBuffer) {
        Self.write(resource, into: &text) { (number, text) in
            writeToken(order[number], of: line, into: &text)
        } others: { text in
            writeUnknown(of: line, into: &text)
        }
    }

    /// Lends a token: from its place when it stands there as it is, decoded when it has escapes.
    func withToken<R: ~Copyable, E: Error>(
        _ number: Int, of line: Span<UInt8>, _ body: (Span<UInt8>) throws(E) -> R
    ) throws(E) -> R {
        let value = tokens[number].value
        return value.hasEscapes
            ? try value.secret(in: line).withBytes(body) : try body(line.extracting(value.range))
    }

    /// Writes a token's value in its one spelling, and its unknown members.
    func writeToken(_ number: Int, of line: Span<UInt8>, into text: inout SecretBuffer) {
        writeValue(number, of: line, into: &text)
        Self.write(tokens[number].unknown, of: line, into: &text)
    }

    /// Writes a token's value in its one spelling.
    func writeValue(_ number: Int, of line: Span<UInt8>, into text: inout SecretBuffer) {
        text.append("\"value\":")
        withToken(number, of: line) { text.appendQuoted($0) }
    }

    /// Writes the record's unknown members, each behind a comma.
    func writeUnknown(of line: Span<UInt8>, into text: inout SecretBuffer) {
        Self.write(unknown, of: line, into: &text)
    }

    /// Writes unknown members, each behind a comma, but for those with a name that is given already.
    static func write(
        _ members: [Member], of line: Span<UInt8>, except given: Set<[UInt8]> = [], into text: inout SecretBuffer
    ) {
        for member in members where given.isEmpty || !given.contains(Array(member.name.text(in: line).utf8)) {
            text.append(",")
            text.append(line.extracting(member.range))
        }
    }

    /// The names of members, as bytes: differently composed characters are different names.
    static func names(of members: [Member], in line: Span<UInt8>) -> Set<[UInt8]> {
        var names: Set<[UInt8]> = []
        for member in members { names.insert(Array(member.name.text(in: line).utf8)) }
        return names
    }
}

/// Reads the members of a record.
private struct RecordReader {
    struct Problem: Error {
        let reason: String
    }

    private static let members: [StaticString] = [
        "name", "urls", "headers", "env", "username", "note", "tags", "created", "updated", "token", "history",
    ]
    private static let tokenMembers: [StaticString] = ["value", "added", "expires", "retired"]

    /// Whether names of variables that are refused when they are stored are let pass.
    private let isStored: Bool
    private(set) var name: RecordName?
    private var urls: [ResourceURL]?
    private var headers: [HeaderTemplate]?
    private var environment: [EnvironmentTemplate]?
    private var username: String?
    private var note: String?
    private var tags: [String] = []
    private var created: Timestamp?
    private var updated: Timestamp?
    private var token: (RecordLayout.Entry, Resource.TokenDates)?
    private var history: [(RecordLayout.Entry, Resource.TokenDates)] = []
    private var unknown: [RecordLayout.Member] = []

    init(isStored: Bool) { self.isStored = isStored }

    mutating func read(_ line: Span<UInt8>) throws(Problem) -> (resource: Resource, layout: RecordLayout) {
        do throws(JSONError) {
            var cursor = JSONCursor()
            try cursor.readObject(line) { (key, cursor) throws(JSONError) in try readMember(key, line, &cursor) }
            guard cursor.position == line.count else {
                throw JSONError("something behind the object", at: cursor.position)
            }
        } catch {
            throw Problem(reason: "it is not the JSON of a record at byte \(error.offset + 1): \(error.reason)")
        }
        guard let name else { throw Problem(reason: "it has no \"name\"") }
        guard let urls else { throw Problem(reason: "it has no \"urls\"") }
        guard let token else { throw Problem(reason: "it has no \"token\" with a \"value\"") }
        var resource = Resource(
            name: name, urls: urls, headers: headers, environment: environment, username: username, note: note,
            tags: tags, now: Timestamp(seconds: 0))
        resource.created = created
        resource.updated = updated
        resource.token = token.1
        resource.history = history.map(\.1)
        return (resource, RecordLayout(tokens: [token.0] + history.map(\.0), unknown: unknown))
    }

    private mutating func readMember(
        _ key: JSONString, _ line: Span<UInt8>, _ cursor: inout JSONCursor
    ) throws(JSONError) {
        let start = cursor.position
        // Absent and null are the same, to the members of this version.
        if try cursor.readNull(line) {
            if !Self.members.contains(where: { key.equals($0, in: line) }) {
                unknown.append(.init(key, start..<cursor.position))
            }
            return
        }
        if key.equals("name", in: line) {
            name = try value("name", line, &cursor) { RecordName($0) }
        } else if key.equals("urls", in: line) {
            urls = try list("urls", line, &cursor) { (text) throws(ResourceError) in try ResourceURL(text) }
        } else if key.equals("headers", in: line) {
            headers = try list("headers", line, &cursor) { (text) throws(ResourceError) in try HeaderTemplate(text) }
        } else if key.equals("env", in: line) {
            let isStored = self.isStored
            environment = try list("env", line, &cursor) { (text) throws(ResourceError) in
                isStored ? try EnvironmentTemplate(stored: text) : try EnvironmentTemplate(text)
            }
        } else if key.equals("username", in: line) {
            username = try value("username", line, &cursor) { $0 }
        } else if key.equals("note", in: line) {
            note = try value("note", line, &cursor) { $0 }
        } else if key.equals("tags", in: line) {
            tags = try list("tags", line, &cursor) { (text) throws(ResourceError) in text }
        } else if key.equals("created", in: line) {
            created = try value("created", line, &cursor) { Timestamp($0) }
        } else if key.equals("updated", in: line) {
            updated = try value("updated", line, &cursor) { Timestamp($0) }
        } else if key.equals("token", in: line) {
            token = try readToken(line, &cursor)
        } else if key.equals("history", in: line) {
            var entries: [(RecordLayout.Entry, Resource.TokenDates)] = []
            try cursor.readArray(line) { (cursor) throws(JSONError) in entries.append(try readToken(line, &cursor)) }
            history = entries
        } else {
            unknown.append(.init(key, try cursor.readValue(line)))
        }
    }

    private func readToken(
        _ line: Span<UInt8>, _ cursor: inout JSONCursor
    ) throws(JSONError) -> (RecordLayout.Entry, Resource.TokenDates) {
        var value: JSONString?
        var unknown: [RecordLayout.Member] = []
        var dates = Resource.TokenDates(added: nil, expires: nil)
        let start = cursor.position
        if start < line.count, line[start] == UInt8(ascii: "\"") {
            throw JSONError("\"token\" is no object; write \"token\":{\"value\":…}", at: start)
        }
        try cursor.readObject(line) { (key, cursor) throws(JSONError) in
            let start = cursor.position
            if try cursor.readNull(line) {
                if !Self.tokenMembers.contains(where: { key.equals($0, in: line) }) {
                    unknown.append(.init(key, start..<cursor.position))
                }
                return
            }
            if key.equals("value", in: line) {
                value = try cursor.readString(line)
            } else if key.equals("added", in: line) {
                dates.added = try self.value("added", line, &cursor) { Timestamp($0) }
            } else if key.equals("expires", in: line) {
                dates.expires = try self.value("expires", line, &cursor) { Timestamp($0) }
            } else if key.equals("retired", in: line) {
                dates.retired = try self.value("retired", line, &cursor) { Timestamp($0) }
            } else {
                unknown.append(.init(key, try cursor.readValue(line)))
            }
        }
        guard let value else { throw JSONError("a token without a \"value\"", at: start) }
        return (RecordLayout.Entry(value: value, unknown: unknown), dates)
    }

    private func value<T>(
        _ name: StaticString, _ line: Span<UInt8>, _ cursor: inout JSONCursor, _ make: (String) -> T?
    ) throws(JSONError) -> T {
        let start = cursor.position
        guard start < line.count, line[start] == UInt8(ascii: "\"") else {
            throw JSONError("\"\(name)\" is no string", at: start)
        }
        guard let value = make(try cursor.readString(line).text(in: line)) else {
            throw JSONError("\"\(name)\" \(T.self == Timestamp.self ? Self.noTime : Self.noName)", at: start)
        }
        return value
    }

    private static let noTime = "is no time; write 2027-01-31T12:00:00Z (RFC 3339)"
    private static let noName = "has to be 1 to 128 letters, digits and . _ - /"

    private func list<T>(
        _ name: StaticString, _ line: Span<UInt8>, _ cursor: inout JSONCursor,
        _ make: (String) throws(ResourceError) -> T
    ) throws(JSONError) -> [T] {
        var values: [T] = []
        guard cursor.position < line.count, line[cursor.position] == UInt8(ascii: "[") else {
            throw JSONError("\"\(name)\" is no list", at: cursor.position)
        }
        try cursor.readArray(line) { (cursor) throws(JSONError) in
            let start = cursor.position
            let text = try cursor.readString(line).text(in: line)
            do throws(ResourceError) {
                values.append(try make(text))
            } catch {
                guard case .invalid(let reason, _) = error else {
                    throw JSONError("\"\(name)\" is malformed", at: start)
                }
                throw JSONError(reason, at: start)
            }
        }
        return values
    }
}

extension SecretBuffer {
    /// Appends a secret, which is UTF-8 without control characters, as a JSON string.
    public mutating func appendQuoted(_ bytes: Span<UInt8>) {
        append("\"")
        // Checked before: UTF-8 without control characters, so only two characters need an escape.
        precondition(!bytes.hasControlByte, "a control character in a secret")
        var start = 0
        for index in bytes.indices where bytes[index] == UInt8(ascii: "\"") || bytes[index] == UInt8(ascii: "\\") {
            append(bytes.extracting(start..<index))
            append("\\")
            start = index
        }
        append(bytes.extracting(droppingFirst: start))
        append("\"")
    }
}
