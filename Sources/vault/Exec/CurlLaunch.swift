internal import ChildProcess
internal import Glibc
internal import Injection
internal import Resources
internal import Sodium

/// What `exec` does when the command is curl.
enum CurlLaunch {
    /// How the command is given headers: nil when it is not curl, or has its own.
    ///
    /// - Throws: ``Failure`` when headers could reach somebody else than the resource's hosts.
    static func injection(
        _ arguments: CommandArguments, hasTemplates: Bool, for resources: [Resource], quiet: Bool
    ) throws -> CurlCommandLine.Injection? {
        guard arguments.isNamed("curl") else { return nil }
        if hasTemplates {
            noteOwn("the file with the headers on its command line", quiet)
            return nil
        }
        do {
            let words = arguments.indices.dropFirst().map { index in arguments.withArgument(index) { $0.publicCopy } }
            switch try CurlCommandLine(words).use(for: resources) {
            case .none: return nil
            case .own(let what):
                noteOwn(what, quiet)
                return nil
            case .headers(let injection):
                noteConfig(arguments, quiet)
                return injection
            }
        } catch let refusal {
            throw Failure(
                .notAllowed, refusal.reason,
                hints: [
                    refusal.hint,
                    "to run it as it is, use --no-inject, with --config {{curl_config}} where the headers belong",
                ].compactMap { $0 })
        }
    }

    /// Refuses a curl that gives `Authorization` away when it is redirected.
    static func checkVersion(of program: [CChar]) throws {
        let version = version(of: program)
        if let version, version >= (7, 83) { return }
        let name = version.map { "curl \($0.major).\($0.minor)" } ?? "a curl that does not tell its version"
        throw Failure(
            .notAllowed, "\(name) may send the token along to another port when it is redirected",
            hint: "leave -L out, or use curl 7.83 or later")
    }

    private static func noteOwn(_ what: String, _ quiet: Bool) {
        Messages.note("curl is left alone: it has \(what)", unless: quiet)
    }

    /// Says that curl's own config is not read, where there is one and the user has not asked for that.
    private static func noteConfig(_ arguments: CommandArguments, _ quiet: Bool) {
        let isDisabled =
            arguments.indices.count > 1
            && arguments.withArgument(1) { $0.publicCopy }.starts(with: "-q".utf8)
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

    private static func version(of program: [CChar]) -> (major: Int, minor: Int)? {
        let path = String(decoding: program.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        var environment = Environment()
        environment.remove { Variables.unlocking.contains($0) }
        guard
            let process = try? ReadableProcess.start(
                path, arguments: ["curl", "-q", "--version"], environment: environment)
        else { return nil }
        var text: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = unsafe read(process.output, &part, part.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            // Its first line has all that is wanted.
            if text.count < part.count { text += part[..<count] }
        }
        guard process.wait() == 0 else { return nil }
        let words = String(decoding: text, as: UTF8.self).split(separator: " ", maxSplits: 2)
        guard words.count > 1, words[0] == "curl" else { return nil }
        let numbers = words[1].split(separator: ".").prefix(2).map { Int($0) }
        guard numbers.count == 2, let major = numbers[0], let minor = numbers[1] else { return nil }
        return (major, minor)
    }
}
