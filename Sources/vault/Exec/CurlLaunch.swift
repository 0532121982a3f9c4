internal import ChildProcess
internal import Glibc
internal import Injection
internal import Resources
internal import Sodium

/// What `exec` does when the command is curl.
enum CurlLaunch {
    /// What becomes of a command.
    enum Treatment {
        /// It is like any other: no curl, or one with headers of its own.
        case other
        /// It gets headers, and no variables.
        case headers(CurlCommandLine.Injection)
        /// It is curl, and asked about itself: it gets nothing.
        case information
    }

    /// What becomes of a command.
    ///
    /// - Throws: ``Failure`` when headers could reach somebody else than the resource's hosts.
    static func treatment(
        _ arguments: CommandArguments, hasTemplates: Bool, for resources: [Resource], quiet: Bool
    ) throws -> Treatment {
        guard arguments.isNamed("curl", at: 0) else {
            if !hasTemplates { noteWrapper(arguments, quiet) }
            return .other
        }
        if hasTemplates {
            noteOwn("a file with them among its arguments", quiet)
            return .other
        }
        do {
            let words = arguments.indices.dropFirst().map { index in arguments.withArgument(index) { $0.publicCopy } }
            switch try CurlCommandLine(words).use(for: resources) {
            case .information: return .information
            case .own(let what):
                noteOwn(what, quiet)
                return .other
            case .headers(let injection):
                noteConfig(arguments, quiet)
                return .headers(injection)
            }
        } catch {
            let urls = error.outside.map { name in
                "'\(Process.name) show \(name)' lists its URLs, '\(Process.name) edit \(name) --url …' sets them"
            }
            throw refusal(error.reason, hint: error.hint ?? urls)
        }
    }

    /// Refuses a curl that would show a part of a token, which is so many bytes large, where no masking finds it.
    static func check(_ injection: CurlCommandLine.Injection, size: Int) throws {
        guard injection.maySplitHeaders, size > longestShownToken else { return }
        throw refusal(
            "-v shows 2 KB of each header where HTTP/2 is spoken, and this token may be larger than that",
            hint: "leave -v out, or add --http1.1")
    }

    /// curl cuts what it tells of HTTP/2 at 2,048 bytes; the name of the header and what else is in it go before.
    private static let longestShownToken = 1024

    /// Refuses arguments that name one of these files: curl could read it as something to send before it is its turn.
    static func refuse(_ configs: ArraySlice<String>, in arguments: CommandArguments) throws {
        for number in arguments.indices.dropFirst() {
            let argument = withoutDetours(arguments.withArgument(number) { $0.publicCopy })
            for path in configs where argument.firstRange(of: Array(path.dropFirst("/dev".count).utf8)) != nil {
                throw refusal("argument \(number) of curl names a descriptor that is to have headers", hint: nil)
            }
        }
    }

    /// The bytes without what a path can have in it and lead to the same: slashes behind slashes, and `.` between them.
    private static func withoutDetours(_ bytes: [UInt8]) -> [UInt8] {
        let (slash, dot) = (UInt8(ascii: "/"), UInt8(ascii: "."))
        var result: [UInt8] = []
        for byte in bytes {
            if byte == slash, result.suffix(2).elementsEqual([slash, dot]) { result.removeLast() }
            if byte != slash || result.last != slash { result.append(byte) }
        }
        return result
    }

    private static func refusal(_ reason: String, hint: String?) -> Failure {
        Failure(
            .notAllowed, reason,
            hints: [
                hint,
                "to run it as it is: '\(Process.name) exec NAME --no-inject -- curl …', with --config {{curl_config}} where "
                    + "the headers belong",
            ].compactMap { $0 })
    }

    /// Refuses a curl that gives `Authorization` away when it is redirected.
    static func checkVersion(of program: [CChar]) throws {
        let versions = versions(of: program)
        let old = versions.first { $0 < (7, 83) }
        if !versions.isEmpty, old == nil { return }
        let name = old.map { "curl \($0.major).\($0.minor)" } ?? "a curl that does not tell its version"
        throw Failure(
            .notAllowed, "\(name) may send the token along to another port when it is redirected",
            hint: "leave -L out, or use curl 7.83 or later")
    }

    /// What starts another program, as the first word of a command.
    private static let wrappers: [StaticString] = [
        "chronic", "env", "ionice", "nice", "nohup", "setsid", "stdbuf", "sudo", "time", "timeout", "xargs",
    ]

    /// Says that a curl behind such a word is not seen.
    private static func noteWrapper(_ arguments: CommandArguments, _ quiet: Bool) {
        guard let wrapper = wrappers.first(where: { arguments.isNamed($0, at: 0) }),
            arguments.indices.dropFirst().contains(where: { arguments.isNamed("curl", at: $0) })
        else { return }
        Messages.note(
            "curl gets no headers by itself behind \(wrapper): put \(wrapper) in front of \(Process.name)",
            unless: quiet)
    }

    private static func noteOwn(_ what: String, _ quiet: Bool) {
        Messages.note("curl gets no headers from here, since it brings its own: \(what)", unless: quiet)
    }

    /// Says that curl's own config is not read, where there is one and the user has not asked for that.
    private static func noteConfig(_ arguments: CommandArguments, _ quiet: Bool) {
        let first = arguments.indices.count > 1 ? arguments.withArgument(1) { $0.publicCopy } : []
        let isDisabled = first.starts(with: "-q".utf8) || first == Array("--disable".utf8)
        guard !isDisabled, let path = configPath() else { return }
        Messages.note("\(path) is not read, since it could lead the token elsewhere", unless: quiet)
    }

    /// The first of the files that curl would read by itself.
    private static func configPath() -> String? {
        let places = [("CURL_HOME", ""), ("XDG_CONFIG_HOME", ""), ("HOME", ""), ("HOME", "/.config")]
        let paths = places.flatMap { variable, folder in
            Variables.text(variable).map { base in [".curlrc", "curlrc"].map { "\(base)\(folder)/\($0)" } } ?? []
        }
        return paths.first { unsafe access($0, F_OK) == 0 }
    }

    /// The versions of curl, and of the library that does its work. Empty where they are not told.
    private static func versions(of program: [CChar]) -> [(major: Int, minor: Int)] {
        let path = String(decoding: program.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        var environment = Environment()
        environment.remove { Variables.secrets.contains($0) }
        guard
            let process = try? ReadableProcess.start(
                path, arguments: ["curl", "-q", "--version"], environment: environment)
        else { return [] }
        var text: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = unsafe read(process.output, &part, part.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            // Its first line has all that is wanted.
            if text.count < part.count { text += part[..<count] }
        }
        guard process.wait() == 0 else { return [] }
        let line = text.prefix { $0 != UInt8(ascii: "\n") }
        let words = String(decoding: line, as: UTF8.self).split(separator: " ")
        guard words.count > 1, words[0] == "curl" else { return [] }
        let library = words.first { $0.utf8.starts(with: "libcurl/".utf8) }?.dropFirst("libcurl/".count)
        let versions = [words[1], library].compactMap { $0 }.map { version in
            version.split(separator: ".").prefix(2).map { Int($0) }
        }
        return versions.compactMap { numbers in
            guard numbers.count == 2, let major = numbers[0], let minor = numbers[1] else { return nil }
            return (major, minor)
        }
    }
}
