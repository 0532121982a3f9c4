internal import Sodium
public import VaultFile

/// Files of logins, one for each host, as curl, git and ftp(1) read them from `~/.netrc`.
///
/// The words are read as curl (from 7.84 on) does: in quotation marks `\"`, `\\`, `\n`, `\r` and `\t` are escapes, and a
/// `#` where a word could begin starts a comment. What other programs read differently is refused.
public enum NetrcFile {
    /// The records of a file. Each machine becomes a resource by the name of its host, or of host and login where a
    /// host has several, with the URL `https://HOST`.
    ///
    /// One with a login, even an empty one, has the header that curl and git make of it, `Authorization: Basic`. One
    /// without has the default header, with a note: some programs send a bearer token then, and others Basic. Left out with
    /// a note are machines without a password, `default`, which is bound to no host, `account`, and macros.
    ///
    /// - Throws: ``ConversionError``.
    public static func records(_ text: Span<UInt8>, now: Timestamp) throws(ConversionError) -> ConvertedRecords {
        var reader = NetrcReader(cursor: try TextCursor(text))
        try reader.read(text)
        var records = ConvertedRecords()
        records.notes = reader.notes
        var machines: [(machine: NetrcReader.Machine, password: NetrcReader.Word, url: ResourceURL)] = []
        var logins: [String: Int] = [:]
        for machine in reader.machines {
            guard let password = machine.password else {
                records.notes.append(.init(line: machine.line, text: "a machine without a password, which is left out"))
                continue
            }
            let url = try machine.url(text)
            logins[url.host, default: 0] += 1
            machines.append((machine, password, url))
        }
        for (machine, password, url) in machines {
            var token = SecretBuffer()
            password.append(text, to: &token)
            let login = try machine.login(text, password: token)
            if login == nil {
                records.notes.append(
                    .init(line: machine.line, text: "no login, so it is sent as a bearer token, and not as Basic"))
            }
            let name = try machine.name(url.host, login: (logins[url.host] ?? 0) > 1 ? login : nil)
            let headers = try ConversionError.at(machine.line) { () throws(ResourceError) in
                login == nil ? nil : [try HeaderTemplate("Authorization: Basic {{basic}}")]
            }
            var resource = Resource(name: name, urls: [url], headers: headers, username: login, now: now)
            if (try? resource.environment()) == nil {
                // A host like git.example, whose variables would be git's.
                resource.givenEnvironment = EnvironmentTemplate.defaults(for: "_\(name)")
                records.notes.append(
                    .init(
                        line: machine.line,
                        text:
                            "the variables of \(name) begin with an underscore: without it they would change what programs run"
                    ))
            }
            try token.withBytes { (token) throws(ConversionError) in
                try records.append(resource, token: token, line: password.line)
            }
        }
        records.notes.sort { $0.line < $1.line }
        return records
    }
}

/// Reads the words of a file.
private struct NetrcReader {
    /// A word, as it stands in the file.
    struct Word {
        let line: Int
        /// Without quotation marks.
        let range: Range<Int>
        let isQuoted: Bool

        /// Appends the word, with its escapes decoded.
        func append(_ text: Span<UInt8>, to output: inout SecretBuffer) {
            guard isQuoted else { return output.append(text.extracting(range)) }
            var index = range.lowerBound
            while index < range.upperBound {
                if text[index] == UInt8(ascii: "\\") {
                    index += 1
                    switch text[index] {
                    case UInt8(ascii: "n"): output.append("\n")
                    case UInt8(ascii: "r"): output.append("\r")
                    case UInt8(ascii: "t"): output.append("\t")
                    default: output.append(text.extracting(index..<index + 1))
                    }
                } else {
                    output.append(text.extracting(index..<index + 1))
                }
                index += 1
            }
        }

        /// Whether the word is `keyword`, in small letters or capitals.
        func equals(_ keyword: StaticString, _ text: Span<UInt8>) -> Bool {
            guard !isQuoted, range.count == keyword.utf8CodeUnitCount else { return false }
            return (0..<range.count).allSatisfy { unsafe text[range.lowerBound + $0] | 0x20 == keyword.utf8Start[$0] }
        }
    }

    struct Machine {
        let line: Int
        let host: Word
        var login: Word?
        var password: Word?

        func url(_ text: Span<UInt8>) throws(ConversionError) -> ResourceURL {
            var bytes = SecretBuffer()
            host.append(text, to: &bytes)
            return try bytes.withBytes { (bytes) throws(ConversionError) in
                for index in bytes.indices where ":/?#@".utf8.contains(bytes[index]) {
                    throw ConversionError(
                        line, "a machine is the name of a host alone, without a port or anything else of a URL")
                }
                let host = bytes.text
                return try ConversionError.at(line) { () throws(ResourceError) in try ResourceURL("https://\(host)") }
            }
        }

        /// The login, which becomes a user name, and so is no secret from here on.
        func login(_ text: Span<UInt8>, password: borrowing SecretBuffer) throws(ConversionError) -> String? {
            guard let login else { return nil }
            let isMarker = password.withBytes { password in
                ["x-oauth-basic", "x-oauth-token"].contains { (marker: StaticString) in
                    password.count == marker.utf8CodeUnitCount
                        && password.indices.allSatisfy { unsafe password[$0] | 0x20 == marker.utf8Start[$0] | 0x20 }
                }
            }
            if isMarker {
                throw ConversionError(
                    login.line,
                    "the token is in the place of the login, which is no secret in a vault; "
                        + "write 'login x-access-token', and the token as the password")
            }
            var bytes = SecretBuffer()
            login.append(text, to: &bytes)
            return try bytes.withBytes { (bytes) throws(ConversionError) in
                guard bytes.isUTF8 else { throw ConversionError(login.line, "the login is not text in UTF-8") }
                return bytes.text
            }
        }

        func name(_ host: String, login: String?) throws(ConversionError) -> RecordName {
            var text = host
            if let login {
                let mapped = login.utf8.map { byte in
                    byte.isNameCharacter || [0x2d, 0x2e].contains(byte) ? byte : UInt8(ascii: "-")
                }
                text += "-" + String(decoding: mapped, as: UTF8.self)
            }
            guard let name = RecordName(text) else {
                throw ConversionError(
                    line,
                    "no name for a resource can be made of this host; a name has 1 to 128 letters, digits and . _ - /, "
                        + "and begins with a letter or digit")
            }
            return name
        }
    }

    private(set) var machines: [Machine] = []
    private(set) var notes: [ConvertedRecords.Note] = []
    private var cursor: TextCursor

    /// What a login or password belongs to.
    private enum Owner {
        case nobody
        case machine
        /// Whoever asks: left out.
        case anyone
    }

    init(cursor: TextCursor) { self.cursor = cursor }

    mutating func read(_ text: Span<UInt8>) throws(ConversionError) {
        var owner = Owner.nobody
        while let word = try nextWord(text) {
            if word.equals("machine", text) {
                machines.append(Machine(line: word.line, host: try value(text)))
                owner = .machine
            } else if word.equals("default", text) {
                note(word.line, "'default' is bound to no host, and is left out")
                owner = .anyone
            } else if word.equals("macdef", text) {
                note(word.line, "a macro, which is left out")
                skipMacro(text)
            } else if word.equals("account", text) {
                try check(owner, at: word.line)
                _ = try value(text)
                note(word.line, "an account is for FTP alone, and is left out")
            } else if word.equals("login", text) {
                try check(owner, at: word.line)
                let login = try value(text)
                if owner == .machine { try set(\.login, login, at: word.line) }
            } else if word.equals("password", text) {
                try check(owner, at: word.line)
                let password = try value(text)
                if owner == .machine { try set(\.password, password, at: word.line) }
            } else {
                throw ConversionError(
                    word.line,
                    "a word that is none of a netrc file's; what has spaces in it belongs in quotation marks")
            }
        }
    }

    private func check(_ owner: Owner, at line: Int) throws(ConversionError) {
        if owner == .nobody { throw ConversionError(line, "there is no machine before this") }
    }

    private mutating func set(
        _ field: WritableKeyPath<Machine, Word?>, _ word: Word, at line: Int
    ) throws(ConversionError) {
        guard machines[machines.count - 1][keyPath: field] == nil else {
            throw ConversionError(line, "this stands twice for one machine")
        }
        machines[machines.count - 1][keyPath: field] = word
    }

    private mutating func note(_ line: Int, _ text: String) {
        notes.append(ConvertedRecords.Note(line: line, text: text))
    }

    /// The word behind a keyword.
    private mutating func value(_ text: Span<UInt8>) throws(ConversionError) -> Word {
        let line = cursor.line
        skipSpace(text)
        if cursor.byte(text) == UInt8(ascii: "#") {
            throw ConversionError(
                cursor.line, "a value that begins with '#' is a comment to curl; put it in quotation marks")
        }
        guard let word = try nextWord(text) else { throw ConversionError(line, "a value is missing at the end") }
        return word
    }

    /// The next word that stands in no comment; nil at the end.
    private mutating func nextWord(_ text: Span<UInt8>) throws(ConversionError) -> Word? {
        skipSpace(text)
        while cursor.byte(text) == UInt8(ascii: "#") {
            cursor.skipLine(text)
            skipSpace(text)
        }
        guard let first = cursor.byte(text) else { return nil }
        if first == UInt8(ascii: "\"") { return try quotedWord(text) }
        let start = cursor.position
        while let byte = cursor.byte(text), !Self.isSpace(byte) { cursor.advance(text) }
        return Word(line: cursor.line, range: start..<cursor.position, isQuoted: false)
    }

    private mutating func quotedWord(_ text: Span<UInt8>) throws(ConversionError) -> Word {
        let line = cursor.line
        cursor.advance(text)
        let start = cursor.position
        while !cursor.isAtLineEnd(text), let byte = cursor.byte(text) {
            if byte == UInt8(ascii: "\"") {
                let range = start..<cursor.position
                cursor.advance(text)
                guard cursor.byte(text).map(Self.isSpace) ?? true else {
                    throw ConversionError(line, "something stands right behind a quotation mark")
                }
                return Word(line: line, range: range, isQuoted: true)
            }
            cursor.advance(text)
            if byte == UInt8(ascii: "\\") {
                if cursor.isAtLineEnd(text) { break }
                cursor.advance(text)
            }
        }
        throw ConversionError(line, "a quotation mark that does not end on its line")
    }

    /// Skips to behind the next empty line.
    private mutating func skipMacro(_ text: Span<UInt8>) {
        repeat { cursor.skipLine(text) } while !cursor.isAtLineEnd(text)
    }

    private mutating func skipSpace(_ text: Span<UInt8>) {
        while let byte = cursor.byte(text), Self.isSpace(byte) { cursor.advance(text) }
    }

    /// As `isspace(3)` has it.
    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }
}
