public import Sodium
public import VaultFile

/// Files of variables, `NAME=value` a line, as shells and the dotenv libraries read them.
///
/// Those read many values differently. What is to become a token, or its URL, is in quotation marks what a shell makes of
/// it, and without them what the libraries do, where they agree; the rest is refused. Nothing is ever put in the place of
/// a `$`.
public enum DotenvFile {
    /// The records of a file.
    ///
    /// A token is bound to a URL by the `# vault:` comment above it (see `DotenvNote`), or, when its name ends as those
    /// of tokens do, by one variable beside it: `GITHUB_TOKEN` by `GITHUB_URL`, `GITHUB_BASE_URL`, `GITHUB_API_URL` or
    /// `GITHUB_HOST`. Variables without a value are passed over, as are those below `# vault: skip`. Any other one is
    /// refused: which host it is for cannot be known.
    ///
    /// - Throws: ``ConversionError``; with ``ResourceError/Remedy/binding`` and all of their lines for variables that
    ///   are bound to nothing.
    public static func records(_ text: Span<UInt8>, now: Timestamp) throws(ConversionError) -> ConvertedRecords {
        var reader = DotenvReader(cursor: try TextCursor(text))
        try reader.read(text)
        var binder = DotenvBinder(reader.variables)
        try binder.bind(text)
        var records = ConvertedRecords()
        for found in binder.bindings {
            var token = SecretBuffer()
            try found.variable.append(text, to: &token)
            let resource = try found.resource(now: now)
            try token.withBytes { (token) throws(ConversionError) in
                try records.append(resource, token: token, line: found.variable.line)
            }
        }
        return records
    }

    // MARK: - Writing

    /// The names of the variables that a resource's token has in such a file: those that hold it and nothing else. None for
    /// a resource without any header, which such a file cannot say.
    ///
    /// - Throws: ``ResourceError/invalid(_:_:)`` when the resource has a variable whose name is refused.
    public static func variables(of resource: Resource) throws(ResourceError) -> [String] {
        // Without a header of its own it would come back with the default one.
        if resource.headers.isEmpty { return [] }
        return try resource.environment().filter(\.isTokenAlone).map(\.name)
    }

    /// Appends a resource as ``records(_:now:)`` reads it: a comment, and its variables.
    ///
    /// - Parameters:
    ///   - resource: The resource.
    ///   - names: Its variables, as ``variables(of:)`` gives them; at least one.
    ///   - token: The token, or what a terminal is shown in its place.
    ///   - output: Where the lines go.
    public static func append(
        _ resource: Resource, variables names: [String], token: Span<UInt8>, to output: inout SecretBuffer
    ) {
        let others = (resource.givenEnvironment ?? []).filter { !$0.isTokenAlone }
        for (number, name) in names.enumerated() {
            let note =
                number == 0
                ? DotenvNote.line(for: resource, environment: others) : "# vault: name=\(resource.name)"
            output.append(Array("\(note)\n\(name)=".utf8).span)
            appendQuoted(token, to: &output)
            output.append("\n")
        }
    }

    /// Whether only a shell reads a token as it is once it is quoted; libraries take a backslash in quotes for different
    /// things, and know no other way to write both kinds of quotation marks.
    public static func isForShellsAlone(_ token: Span<UInt8>) -> Bool {
        token.has("\\") || token.has("'") && (token.has("\"") || token.has("$") || token.has("`"))
    }

    /// Appends a token as a shell reads it: in single quotes, in double quotes where it has a single one and nothing that
    /// is special there, and else with each single one outside of the quotes.
    private static func appendQuoted(_ token: Span<UInt8>, to output: inout SecretBuffer) {
        guard token.has("'") else {
            output.append("'")
            output.append(token)
            return output.append("'")
        }
        guard isForShellsAlone(token) else {
            output.append("\"")
            output.append(token)
            return output.append("\"")
        }
        output.append("'")
        for index in token.indices {
            if token[index] == UInt8(ascii: "'") {
                output.append(#"'\''"#)
            } else {
                output.append(token.extracting(index..<index + 1))
            }
        }
        output.append("'")
    }
}

extension EnvironmentTemplate {
    /// Whether the variable holds the token and nothing else.
    fileprivate var isTokenAlone: Bool { value.parts == [.variable(.token)] }
}

extension Span<UInt8> {
    fileprivate func has(_ character: Unicode.Scalar) -> Bool {
        firstIndex(of: UInt8(ascii: character), from: 0, before: count) != nil
    }
}

/// A variable, as it stands in a file.
private struct DotenvVariable {
    enum Quotes {
        case none, single, double
    }

    let name: String
    let line: Int
    let note: DotenvNote?
    let quotes: Quotes
    /// The value, with its outer quotation marks if it has some.
    let range: Range<Int>
    /// Why the value is not the same to everybody.
    let problem: StaticString?

    /// Appends the value as it is meant.
    func append(_ text: Span<UInt8>, to output: inout SecretBuffer) throws(ConversionError) {
        if let problem {
            throw ConversionError(line, "\(problem), which programs read differently; put the value in single quotes")
        }
        if quotes == .none { return output.append(text.extracting(range)) }
        // In single quotes a backslash stands for itself, and between two of them for the quotation mark behind it.
        var index = range.lowerBound
        var isInside = false
        while index < range.upperBound {
            let isQuote = text[index] == UInt8(ascii: quotes == .single ? "'" : "\"")
            if isQuote {
                isInside.toggle()
            } else {
                if text[index] == UInt8(ascii: "\\"), quotes == .double || !isInside { index += 1 }
                output.append(text.extracting(index..<index + 1))
            }
            index += 1
        }
    }
}

/// Reads the variables of a file.
private struct DotenvReader {
    private(set) var variables: [DotenvVariable] = []
    private var cursor: TextCursor
    /// What was said of the next variable.
    private var note: DotenvNote?

    init(cursor: TextCursor) { self.cursor = cursor }

    mutating func read(_ text: Span<UInt8>) throws(ConversionError) {
        while cursor.byte(text) != nil {
            cursor.skipBlanks(text)
            if cursor.byte(text) == UInt8(ascii: "#") {
                try readComment(text)
            } else if !cursor.isAtLineEnd(text) {
                try readVariable(text)
            }
            cursor.skipLine(text)
        }
        if let note { throw ConversionError(note.line, "there is no variable below this comment") }
    }

    private mutating func readComment(_ text: Span<UInt8>) throws(ConversionError) {
        let comment = text.extracting(cursor.restOfLine(text))
        guard let range = DotenvNote.range(in: comment) else { return }
        // Taken out, so that what it holds is not copied for each line of it.
        var note = self.note ?? DotenvNote(line: cursor.line)
        self.note = nil
        try ConversionError.at(cursor.line) { () throws(ResourceError) in try note.read(comment.extracting(range)) }
        self.note = note
    }

    private mutating func readVariable(_ text: Span<UInt8>) throws(ConversionError) {
        let line = cursor.line
        let name = try readName(text)
        let value = try readValue(text)
        defer { note = nil }
        if value.range.isEmpty {
            if let note, !note.isSkip { throw ConversionError(line, "the variable has no value") }
            return
        }
        if note?.isSkip ?? false { return }
        variables.append(
            DotenvVariable(
                name: text.extracting(name).text, line: line, note: note, quotes: value.quotes, range: value.range,
                problem: value.problem))
    }

    /// Reads a name and the sign behind it.
    private mutating func readName(_ text: Span<UInt8>) throws(ConversionError) -> Range<Int> {
        var name = readWord(text)
        if text.extracting(name).equals("export") {
            let end = cursor.position
            cursor.skipBlanks(text)
            if cursor.position > end, cursor.byte(text) != UInt8(ascii: "=") { name = readWord(text) }
        }
        cursor.skipBlanks(text)
        guard cursor.byte(text) == UInt8(ascii: "=") else {
            throw ConversionError(cursor.line, "no variable; write NAME='value'")
        }
        guard !name.isEmpty, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[name.lowerBound]) else {
            throw ConversionError(cursor.line, "a variable has a name that no environment variable can have")
        }
        cursor.advance(text)
        return name
    }

    /// Letters, digits and underscores.
    private mutating func readWord(_ text: Span<UInt8>) -> Range<Int> {
        let start = cursor.position
        while let byte = cursor.byte(text), byte.isNameCharacter { cursor.advance(text) }
        return start..<cursor.position
    }

    private typealias Value = (quotes: DotenvVariable.Quotes, range: Range<Int>, problem: StaticString?)

    private mutating func readValue(_ text: Span<UInt8>) throws(ConversionError) -> Value {
        let sign = cursor.position
        cursor.skipBlanks(text)
        switch cursor.byte(text) {
        case UInt8(ascii: "'"): return try readSingleQuoted(text)
        case UInt8(ascii: "\""): return try readDoubleQuoted(text)
        default: return readBare(text, isBehindBlank: cursor.position > sign)
        }
    }

    /// Reads a value without quotation marks: the rest of the line, less blanks at its end and a comment.
    private mutating func readBare(_ text: Span<UInt8>, isBehindBlank: Bool) -> Value {
        let rest = cursor.restOfLine(text)
        var end = rest.lowerBound
        var problem: StaticString?
        var isBehindBlank = isBehindBlank
        for index in rest {
            let byte = text[index]
            let isBlank = byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
            if byte == UInt8(ascii: "#"), isBehindBlank { break }
            if !isBlank {
                if isBehindBlank, end > rest.lowerBound { problem = "a space in a value without quotation marks" }
                if index == rest.lowerBound, byte == UInt8(ascii: "=") { problem = "a second '='" }
                problem = Self.special(byte) ?? problem
                end = index + 1
            }
            isBehindBlank = isBlank
        }
        return (.none, rest.lowerBound..<end, problem)
    }

    private static func special(_ byte: UInt8) -> StaticString? {
        switch byte {
        case UInt8(ascii: "$"): "a '$'"
        case UInt8(ascii: "`"): "a '`'"
        case UInt8(ascii: "\\"): "a backslash"
        case UInt8(ascii: "#"): "a '#'"
        case UInt8(ascii: "'"), UInt8(ascii: "\""): "a quotation mark within a value"
        default: nil
        }
    }

    /// Reads a value in single quotes, in which a shell may have a quotation mark as `'\''`.
    private mutating func readSingleQuoted(_ text: Span<UInt8>) throws(ConversionError) -> Value {
        let start = cursor.position
        while true {
            try skipQuoted(text, end: UInt8(ascii: "'"), takesEscapes: false)
            guard text.extracting(droppingFirst: cursor.position).hasPrefix(#"\''"#) else { break }
            cursor.advance(text)
            cursor.advance(text)
        }
        let range = start..<cursor.position
        return (.single, range.count == 2 ? start..<start : range, problemBehind(text))
    }

    private mutating func readDoubleQuoted(_ text: Span<UInt8>) throws(ConversionError) -> Value {
        let start = cursor.position
        try skipQuoted(text, end: UInt8(ascii: "\""), takesEscapes: true)
        let range = start..<cursor.position
        var problem = problemBehind(text)
        var index = start + 1
        while index < range.upperBound - 1 {
            let byte = text[index]
            if byte == UInt8(ascii: "\\") {
                index += 1
                if !"\"\\$`".utf8.contains(text[index]) { problem = "a backslash in double quotes" }
            } else if byte == UInt8(ascii: "$") || byte == UInt8(ascii: "`") {
                problem = Self.special(byte)
            }
            index += 1
        }
        return (.double, range.count == 2 ? start..<start : range, problem)
    }

    /// Goes on behind the closing quotation mark, which may stand on a later line.
    private mutating func skipQuoted(_ text: Span<UInt8>, end: UInt8, takesEscapes: Bool) throws(ConversionError) {
        let line = cursor.line
        cursor.advance(text)
        while let byte = cursor.byte(text) {
            cursor.advance(text)
            if byte == end { return }
            if byte == UInt8(ascii: "\\"), takesEscapes, cursor.byte(text) != nil { cursor.advance(text) }
        }
        throw ConversionError(line, "a quotation mark that does not end")
    }

    /// What is wrong with the rest of the line behind a closing quotation mark, where only a comment may stand.
    private func problemBehind(_ text: Span<UInt8>) -> StaticString? {
        let rest = cursor.restOfLine(text)
        var behind = cursor
        behind.skipBlanks(text)
        if behind.position >= rest.upperBound { return nil }
        let isComment = text[behind.position] == UInt8(ascii: "#") && behind.position > cursor.position
        return isComment ? nil : "something behind the closing quotation mark"
    }
}

/// Finds out which hosts the variables of a file are for.
private struct DotenvBinder {
    /// A variable that is a token, and what is known of it.
    struct Binding {
        let variable: DotenvVariable
        let name: RecordName
        let urls: [ResourceURL]
        /// The variables that hold the token.
        var names: [String]

        func resource(now: Timestamp) throws(ConversionError) -> Resource {
            let note = variable.note
            return try ConversionError.at(variable.line) { () throws(ResourceError) in
                var environment: [EnvironmentTemplate] = []
                // Where the comment has another variable for the token, one that no command may get is no loss.
                let hasOther = note?.environment.contains(where: \.isTokenAlone) ?? false
                for name in names where !hasOther || (try? EnvironmentName.check(name)) != nil {
                    environment.append(try EnvironmentTemplate("\(name)={{token}}"))
                }
                environment += note?.environment ?? []
                let isDefault = environment.map(\.name) == ["\(EnvironmentName.prefix(for: name.description))_TOKEN"]
                let headers = note?.headers ?? []
                return Resource(
                    name: name, urls: urls, headers: headers.isEmpty ? nil : headers,
                    environment: isDefault ? nil : environment, username: note?.username, now: now,
                    expires: note?.expires)
            }
        }
    }

    /// What the names of tokens end in, the longest first.
    private static let tokenSuffixes = ["_ACCESS_TOKEN", "_AUTH_TOKEN", "_API_TOKEN", "_API_KEY", "_TOKEN"]
    private static let urlSuffixes = ["_URL", "_BASE_URL", "_API_URL", "_HOST"]

    private(set) var bindings: [Binding] = []
    private let variables: [DotenvVariable]
    private var numbers: [String: Int] = [:]
    private var numbersByRecord: [RecordName: Int] = [:]

    init(_ variables: [DotenvVariable]) { self.variables = variables }

    mutating func bind(_ text: Span<UInt8>) throws(ConversionError) {
        for (number, variable) in variables.enumerated() {
            if let before = numbers.updateValue(number, forKey: variable.name) {
                throw ConversionError(variable.line, "this variable stands on line \(variables[before].line) already")
            }
        }
        var unbound: [Int] = []
        var places: Set<Int> = []
        for (number, variable) in variables.enumerated() {
            if let note = variable.note {
                try bind(variable, note, text)
            } else if let prefix = Self.prefix(ofToken: variable.name), let found = try url(prefix, variable, text) {
                places.formUnion(found.numbers)
                let name = try Self.name(nil, prefix, variable)
                try add(Binding(variable: variable, name: name, urls: [found.url], names: [variable.name]))
            } else {
                unbound.append(number)
            }
        }
        let lines = unbound.filter { !places.contains($0) }.map { variables[$0].line }
        guard lines.isEmpty else {
            throw ConversionError(
                lines: lines,
                reason: .invalid(
                    lines.count == 1
                        ? "nothing says which URL this variable is for"
                        : "nothing says which URLs these variables are for", .binding))
        }
    }

    /// Adds a variable that has a comment of its own.
    private mutating func bind(
        _ variable: DotenvVariable, _ note: DotenvNote, _ text: Span<UInt8>
    ) throws(ConversionError) {
        if note.isNameAlone, let name = note.name, let number = numbersByRecord[name] {
            var before = SecretBuffer()
            try bindings[number].variable.append(text, to: &before)
            var value = SecretBuffer()
            try variable.append(text, to: &value)
            guard before.finish().isEqual(to: value.finish()) else {
                throw ConversionError(
                    variable.line,
                    "this is another token than the one on line \(bindings[number].variable.line), for one resource")
            }
            bindings[number].names.append(variable.name)
            return
        }
        guard !note.urls.isEmpty else {
            throw ConversionError(lines: [note.line], reason: .invalid("the comment has no url=", .binding))
        }
        let name = try Self.name(note.name, Self.prefix(ofToken: variable.name) ?? variable.name, variable)
        try add(Binding(variable: variable, name: name, urls: note.urls, names: [variable.name]))
    }

    private mutating func add(_ binding: Binding) throws(ConversionError) {
        if let before = numbersByRecord.updateValue(bindings.count, forKey: binding.name) {
            throw ConversionError(
                binding.variable.line, "\(binding.name) stands on line \(bindings[before].variable.line) already")
        }
        bindings.append(binding)
    }

    /// What stands in front of the ending in a token's name; nil when it has none.
    private static func prefix(ofToken name: String) -> String? {
        let suffix = tokenSuffixes.first { name.hasSuffix($0) && name.utf8.count > $0.utf8.count }
        return suffix.map { String(name.dropLast($0.utf8.count)) }
    }

    /// The name that was given, or that of a resource whose variables begin like this.
    private static func name(
        _ given: RecordName?, _ prefix: String, _ variable: DotenvVariable
    ) throws(ConversionError) -> RecordName {
        if let given { return given }
        let text = prefix.drop { $0 == "_" }.lowercased().replacing("_", with: "-")
        guard let name = RecordName(text) else {
            throw ConversionError(variable.line, "no name can be made of this variable's; give one with name=")
        }
        return name
    }

    /// The URL that stands beside a token, and in which variables; nil when there is none.
    private func url(
        _ prefix: String, _ token: DotenvVariable, _ text: Span<UInt8>
    ) throws(ConversionError) -> (url: ResourceURL, numbers: [Int])? {
        let found = Self.urlSuffixes.compactMap { numbers[prefix + $0] }.filter { variables[$0].note == nil }
        var urls: Set<ResourceURL> = []
        for number in found { urls.insert(try Self.url(in: variables[number], text)) }
        guard urls.count <= 1 else {
            throw ConversionError(
                lines: [token.line], reason: .invalid("more than one variable could be its URL", .binding))
        }
        return urls.first.map { ($0, found) }
    }

    private static func url(in variable: DotenvVariable, _ text: Span<UInt8>) throws(ConversionError) -> ResourceURL {
        var value = SecretBuffer()
        try variable.append(text, to: &value)
        return try value.withBytes { (value) throws(ConversionError) in
            // Whoever has a password in a URL does not mean one of these.
            guard !value.has("@"), value.isUTF8 else {
                throw ConversionError(variable.line, "this is to be the URL of a token, and has a user name in it")
            }
            let text = value.text
            let isHost = variable.name.hasSuffix("_HOST") && !text.contains(":/")
            return try ConversionError.at(variable.line) { () throws(ResourceError) in
                let url = try ResourceURL(isHost ? "https://\(text)" : text)
                if url.hasQuery { throw .invalid("the URL of a resource must not have a query or a fragment") }
                return url
            }
        }
    }
}
