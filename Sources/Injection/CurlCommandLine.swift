public import Resources
public import VaultFile

/// A command line of curl's, read as curl reads it, to tell whether it can be given the headers of a resource.
///
/// Only what is understood in full passes. curl from 7.55 on reads what passes here in the same way; what any of these
/// versions could read differently is refused. The facts are from curl's manual and its `src/tool_getparam.c`.
public struct CurlCommandLine: Sendable {
    /// Why a command line gets no headers, and is not to be run either.
    public struct Refusal: Error, Equatable {
        /// Which part of it, and what about that. Nothing that the user wrote is repeated but names of options and hosts.
        public let reason: String
        /// How to go on, where that is more than to write the headers oneself.
        public let hint: String?
        /// The resource that the URL was expected inside, where it lies outside of all.
        public let outside: RecordName?

        init(_ reason: String, hint: String? = nil, outside: RecordName? = nil) {
            self.reason = reason
            self.hint = hint
            self.outside = outside
        }
    }

    /// What can be done with a command line.
    public enum Use: Equatable, Sendable {
        /// It asks curl about itself, and for no URL: `--version`, `--help`.
        case information
        /// It has an authorization of its own, which these words name.
        case own(String)
        /// It is to be given the headers of a resource.
        case headers(Injection)
    }

    /// How the headers are given.
    public struct Injection: Equatable, Sendable {
        /// The number of the resource, among those that were offered.
        public let resource: Int
        /// Options that go into the config with the headers, one a line: what keeps the request where its URL says.
        public let options: String
        /// The numbers of the arguments behind which `--config` has to be given again, because they reset it.
        public let resets: [Int]
        /// Whether curl must be 7.83 or later: the ones before send `Authorization` along to another port of the host.
        public let followsRedirects: Bool
        /// Whether curl may show headers in part: of one that is larger than 2 KB it tells the beginning in lines of its
        /// own, by -v and where HTTP/2 is spoken.
        public let maySplitHeaders: Bool
    }

    private struct Target {
        let argument: Int
        let text: [UInt8]
    }

    /// A part of a command line that curl resets with `--next`.
    private struct Operation {
        var targets: [Target] = []
        var uploads: [Int] = []
        var globs = true
    }

    private var operations = [Operation()]
    private var resets: [Int] = []
    private var asksForInformation = false
    /// The first option that is an authorization.
    private var authorization: String?
    private var headers: [(argument: Int, text: [UInt8])] = []
    /// Options that would send an unprotected request elsewhere.
    private var diversions: [String] = []
    private var isInsecure = false
    private var followsRedirects = false
    private var verbosity = 0
    private var speaksHTTP1 = false
    private var speaksOther = false
    /// Whether a request may have a body.
    private var hasBody = false
    private var hasUpload = false
    /// An option that changes the ends of lines.
    private var convertsLines: String?
    /// What is refused unless the user has an authorization of their own.
    private var refusals: [Refusal] = []

    /// Reads a command line.
    ///
    /// - Parameter arguments: What follows curl's own name. Argument 1 is the first of them.
    /// - Throws: ``Refusal`` where it cannot be told what curl would take for an option and what for a value.
    public init(_ arguments: [[UInt8]]) throws(Refusal) {
        var rest = arguments.enumerated().map { (number: $0.offset + 1, bytes: $0.element) }[...]
        var hasOptions = true
        while let (number, bytes) = rest.popFirst(), !asksForInformation {
            guard hasOptions, bytes.first == UInt8(ascii: "-") else {
                addTarget(Target(argument: number, text: bytes))
                continue
            }
            if bytes == Array("--".utf8) {
                hasOptions = false
            } else if bytes.starts(with: "--".utf8) {
                let name = String(decoding: bytes.dropFirst(2), as: UTF8.self)
                if Self.isNegation(name) {
                    negate(name)
                } else if Self.valued.contains(name) {
                    guard let (_, value) = rest.popFirst() else { throw Self.missingValue(name) }
                    take(name, value, number)
                } else if Self.flags.contains(name) {
                    try take(name, number)
                } else {
                    throw Self.unknown(bytes, number)
                }
            } else {
                var letters = bytes.dropFirst()
                guard !letters.isEmpty else { throw Self.unknown(bytes, number) }
                while let letter = letters.popFirst(), !asksForInformation {
                    guard let name = Self.letters[Unicode.Scalar(letter)] else {
                        throw Self.unknown([bytes[0], letter], number)
                    }
                    if Self.flags.contains(name) {
                        // curl drops what stands behind the one, and some versions read on behind the other.
                        guard !["next", "help"].contains(name) || letters.isEmpty else {
                            let letter = Character(Unicode.Scalar(letter))
                            throw Refusal("argument \(number) of curl goes on behind -\(letter)")
                        }
                        try take(name, number)
                    } else if !letters.isEmpty {
                        take(name, Array(letters), number)
                        letters = []
                    } else {
                        guard let (_, value) = rest.popFirst() else { throw Self.missingValue(name) }
                        take(name, value, number)
                    }
                }
            }
        }
    }

    /// What can be done with it.
    ///
    /// - Parameter resources: Those whose headers may be given; at least one.
    /// - Returns: Whether it is to be left alone, or how it is given which headers.
    /// - Throws: ``Refusal``.
    public func use(for resources: [Resource]) throws(Refusal) -> Use {
        if let own = own(resources) { return .own(own) }
        if asksForInformation { return .information }
        if let refusal = refusals.first { throw refusal }
        if operations.allSatisfy(\.targets.isEmpty) { throw Refusal("there is no URL for curl") }
        var urls: [(argument: Int, url: ResourceURL)] = []
        for operation in operations {
            for target in operation.targets {
                urls.append((target.argument, try Self.url(target, globs: operation.globs)))
            }
            if operation.globs, let argument = operation.uploads.first {
                throw Refusal(
                    "argument \(argument) of curl is a pattern for several files",
                    hint: "use -g if the braces or brackets are part of the name")
            }
        }
        let number = try Self.resource(of: urls, among: resources)
        let areProtected = urls.allSatisfy { $0.url.scheme == "https" } && !isInsecure
        try check(urls.map(\.url), areProtected: areProtected, with: resources[number])
        return .headers(
            Injection(
                resource: number, options: areProtected ? "proto-redir = \"=https\"\n" : "noproxy = \"*\"\n",
                resets: resets, followsRedirects: followsRedirects,
                maySplitHeaders: verbosity > 0 && (!speaksHTTP1 || speaksOther || operations.count > 1)))
    }

    // MARK: - Reading

    private mutating func addTarget(_ target: Target) { operations[operations.count - 1].targets.append(target) }

    private mutating func refuse(_ reason: String, hint: String? = nil) { refusals.append(Refusal(reason, hint: hint)) }

    /// Takes an option without a value.
    private mutating func take(_ name: String, _ number: Int) throws(Refusal) {
        switch name {
        case "next":
            // What older versions do without one is not worth knowing.
            guard !operations[operations.count - 1].targets.isEmpty else {
                throw Refusal("argument \(number) of curl is --next, and there is no URL before it")
            }
            operations.append(Operation())
            resets.append(number)
        case "help", "manual", "version": asksForInformation = true
        case "digest", "negotiate", "netrc", "netrc-optional", "ntlm", "ntlm-wb": authorization = authorization ?? name
        case "crlf", "use-ascii": convertsLines = name
        case "http1.0", "http1.1": speaksHTTP1 = true
        case "http2", "http2-prior-knowledge", "http3", "http3-only": speaksOther = true
        case "globoff": operations[operations.count - 1].globs = false
        case "insecure": isInsecure = true
        case "location", "follow": followsRedirects = true
        case "location-trusted":
            refuse("--location-trusted sends the token to wherever a server redirects to", hint: "use -L")
        case "metalink": refuse("--metalink asks for URLs that only the server knows")
        case "trace-ids", "trace-time": refuseTrace(name)
        case "verbose":
            // From the third on newer versions trace what they send.
            verbosity += 1
            if verbosity == 3 { refuseTrace("verbose, three times,") }
        default: if Self.diverts(name) { diversions.append(name) }
        }
    }

    /// Takes an option with its value.
    private mutating func take(_ name: String, _ value: [UInt8], _ number: Int) {
        switch name {
        case "url":
            // Newer versions read URLs from a file by it.
            if value.first == UInt8(ascii: "@") {
                refuse("--url takes its URLs from a file", hint: "write them on the command line")
            }
            addTarget(Target(argument: number, text: value))
        case "aws-sigv4", "netrc-file", "oauth2-bearer", "user": authorization = authorization ?? name
        case "config":
            // So it is where a variable of the command's was meant, and filled in before there was a command.
            let hint = value.isEmpty ? "leave it out: the headers come by themselves" : "write them on the command line"
            refuse("--config brings options that cannot be seen", hint: hint)
        case "header": headers.append((number, value))
        case "libcurl", "trace", "trace-ascii", "trace-config": refuseTrace(name)
        case "stderr": refuse("--stderr would write headers past the masking of the output", hint: "use 2>FILE")
        case "proto", "proto-redir":
            refuse("--\(name) has a say in where a redirect may lead, which is settled here", hint: "leave it out")
        case "request":
            if value.isEmpty || !value.allSatisfy({ (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }) {
                refuse(
                    "--request has something else than capital letters, and could be more than a method",
                    hint: "write it in capitals, as in -X POST")
            }
        case "request-target": refuse("--request-target asks for something else than the URL says")
        case "upload-file":
            hasBody = true
            hasUpload = true
            // What follows the last slash, or backslash, goes behind a URL that ends in a slash.
            let name = value.lastIndex(of: UInt8(ascii: "/")).map { value[($0 + 1)...] } ?? value[...]
            if name.contains(UInt8(ascii: "\\")) || name.starts(with: "..".utf8) {
                refuse("--upload-file has a name that could lead out of the URL's folder")
            }
            if value.contains(where: Self.isGlob) { operations[operations.count - 1].uploads.append(number) }
        case "cookie", "haproxy-clientip", "range", "referer", "user-agent": refuseControl(name, value)
        case "data", "data-ascii", "data-binary", "data-raw", "data-urlencode", "form", "form-string", "json":
            hasBody = true
        case "noproxy" where value.elementsEqual("*".utf8), "proxy" where value.isEmpty:
            // None at all, which is what is wanted where it matters.
            break
        case "proxy-header":
            if value.first == UInt8(ascii: "@") { refuse("--proxy-header takes what it sends from a file") }
            diversions.append(name)
        default: if Self.diverts(name) { diversions.append(name) }
        }
    }

    /// Takes `--no-…`. Once on, what could be unsafe stays on.
    private mutating func negate(_ name: String) {
        if name == "no-globoff" { operations[operations.count - 1].globs = true }
    }

    private mutating func refuseTrace(_ name: String) {
        refuse("--\(name) writes headers in pieces that no masking can find", hint: "use -v, whose output is masked")
    }

    /// A line break there would be a header more.
    private mutating func refuseControl(_ name: String, _ value: [UInt8]) {
        if value.contains(where: { $0 < 0x20 }) { refuse("--\(name) has a control character in its value") }
    }

    private static func missingValue(_ name: String) -> Refusal { Refusal("curl's --\(name) needs a value") }

    /// An option is repeated only when it looks like one: it may be a token in a wrong place.
    private static func unknown(_ option: [UInt8], _ number: Int) -> Refusal {
        let word = option.prefix { $0 != UInt8(ascii: "=") }
        let name = String(decoding: word.dropFirst(2), as: UTF8.self)
        if word.count < option.count, flags.contains(name) || valued.contains(name) {
            return Refusal(
                "argument \(number) of curl has the value of --\(name) behind a \"=\", which only new versions understand",
                hint: "put a space in its place")
        }
        if ["inject", "mask", "template", "env"].contains(where: { name == "no-\($0)" }) {
            return Refusal(
                "argument \(number) of curl is an option of this program",
                hint: "it stands in front of the -- before curl")
        }
        let isName =
            option.count <= 28
            && option.allSatisfy {
                "-.".utf8.contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || option.count == 2 && $0 > 0x20 && $0 < 0x7f
            }
        let shown = isName ? ", \(String(decoding: option, as: UTF8.self))," : ""
        let isAbbreviated =
            !name.isEmpty && flags.union(valued).contains { $0.utf8.starts(with: name.utf8) }
        return Refusal(
            "argument \(number) of curl\(shown) is no option that is known here",
            hint: isAbbreviated ? "long options must be written out" : nil)
    }

    // MARK: - Judging

    /// What the user authorizes the request with, if they do.
    private func own(_ resources: [Resource]) -> String? {
        if let authorization { return "--\(authorization)" }
        let names = resources.flatMap(\.headers).map { $0.name.lowercased() }
        for header in headers where Self.isHeader(header.text) {
            let name = Self.name(ofHeader: header.text)
            if names.contains(where: { $0.utf8.elementsEqual(name) }) { return "the header \(Self.shown(name))" }
        }
        return nil
    }

    private static func shown(_ name: [UInt8]) -> String { String(decoding: name, as: UTF8.self) }

    /// What stands before the colon, or before the semicolon with which curl sends a header without a value; in lower
    /// case.
    private static func name(ofHeader text: [UInt8]) -> [UInt8] {
        var name = text.prefix { $0 != UInt8(ascii: ":") && $0 != UInt8(ascii: ";") }
        while let last = name.last, last <= 0x20 { name.removeLast() }
        return name.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
    }

    /// What stands behind the colon.
    private static func value(ofHeader text: [UInt8]) -> [UInt8] {
        var value = text.drop { $0 != UInt8(ascii: ":") }.dropFirst()
        while let first = value.first, first <= 0x20 { value.removeFirst() }
        while let last = value.last, last <= 0x20 { value.removeLast() }
        return Array(value)
    }

    /// Whether there is a header in it at all: curl passes over what has neither a colon nor a semicolon.
    private static func isHeader(_ text: [UInt8]) -> Bool { text.contains { ":;".utf8.contains($0) } }

    private func check(
        _ urls: [ResourceURL], areProtected: Bool, with resource: Resource
    ) throws(Refusal) {
        let isLoopback = urls.allSatisfy(\.isLoopback)
        if isInsecure, !isLoopback {
            throw Refusal(
                "--insecure would give the token to whoever answers",
                hint: "use --cacert with the certificate of the server's authority")
        }
        if !areProtected, let name = diversions.first {
            throw Refusal("--\(name) can send the request elsewhere than its URL says, and nothing would notice")
        }
        if followsRedirects {
            guard !isInsecure else {
                throw Refusal("with --insecure a redirect may lead anywhere", hint: "leave -L out, or use --cacert")
            }
            guard areProtected else {
                throw Refusal("a redirect of an http request may lead anywhere", hint: "leave -L out")
            }
            guard resource.headers.allSatisfy({ $0.name.lowercased() == "authorization" }) else {
                throw Refusal(
                    "curl sends other headers than Authorization along to wherever a server redirects to",
                    hint: "leave -L out")
            }
        }
        if hasUpload, let convertsLines {
            throw Refusal("--\(convertsLines) makes an upload longer than curl says, and its end another request")
        }
        for (argument, text) in headers {
            let name = Self.name(ofHeader: text)
            if text.first == UInt8(ascii: "@") {
                throw Refusal(
                    "argument \(argument) of curl takes headers from a file", hint: "write each as -H 'Name: value'")
            }
            guard Self.isHeader(text), !name.isEmpty, text[0] > 0x20,
                !text.contains(where: { $0 < 0x20 && $0 != UInt8(ascii: "\t") })
            else { throw Refusal("argument \(argument) of curl is not one header") }
            switch String(decoding: name, as: UTF8.self) {
            case "host" where !isLoopback:
                throw Refusal("a Host header of its own asks for another host than the URL says")
            case "x-original-url", "x-rewrite-url":
                throw Refusal("argument \(argument) of curl asks for another path than the URL says")
            case "content-length" where hasBody || Self.value(ofHeader: text) != Array("0".utf8),
                "transfer-encoding" where Self.value(ofHeader: text) != Array("chunked".utf8):
                throw Refusal(
                    "argument \(argument) of curl changes where a request ends, and its body could hold another one",
                    hint: "leave it to curl")
            default: break
            }
        }
    }

    private static func url(_ target: Target, globs: Bool) throws(Refusal) -> ResourceURL {
        let place = "argument \(target.argument) of curl"
        var text = target.text
        guard !text.isEmpty else { throw Refusal("\(place) is empty, and stands where a URL belongs") }
        let pattern = text.withoutAddress
        if pattern.contains(where: isGlob) {
            guard !globs else {
                throw Refusal(
                    "\(place) has a brace or a bracket in it, which stands for several URLs",
                    hint: "use -g if it is part of the URL")
            }
            // Without patterns they are characters like any other, which stand for themselves.
            text = text.encodingGlobs
        }
        do {
            return try ResourceURL(String(decoding: text, as: UTF8.self))
        } catch {
            guard case .invalid(let why, _) = error else { throw Refusal("\(place) is no URL") }
            throw Refusal("\(place) is refused as a URL: \(why)")
        }
    }

    static func isGlob(_ byte: UInt8) -> Bool { "{}[]".utf8.contains(byte) }

    /// The one resource that all URLs lie inside.
    private static func resource(
        of urls: [(argument: Int, url: ResourceURL)], among resources: [Resource]
    ) throws(Refusal) -> Int {
        let covering = resources.indices.filter { number in urls.allSatisfy { resources[number].covers($0.url) } }
        if let number = covering.first, covering.count == 1 { return number }
        guard covering.isEmpty else {
            let names = covering.map { "\(resources[$0].name)" }.joined(separator: " and ")
            throw Refusal("the URLs lie inside \(names), and only one of them can give its headers", hint: "name one")
        }
        let outside = urls.first { url in !resources.contains { $0.covers(url.url) } }
        guard let outside else {
            throw Refusal(
                "no single resource has all of the URLs", hint: "use one curl for each resource")
        }
        let names = resources.map { "\($0.name)" }.joined(separator: " or ")
        let url = outside.url
        let isElsewhere = !resources.flatMap(\.urls).contains {
            $0.scheme == url.scheme && $0.host == url.host && $0.port == url.port
        }
        // A path may be a secret.
        let what = isElsewhere ? "\(url.scheme)://\(url.host):\(url.port)" : "the path of its URL"
        throw Refusal(
            "argument \(outside.argument) of curl, \(what), is not inside \(names)",
            outside: resources[0].name)
    }

    // MARK: - Options

    private static func isNegation(_ name: String) -> Bool {
        name.utf8.starts(with: "no-".utf8) && flags.contains(String(name.dropFirst(3)))
    }

    /// Whether an option has a say in which machine is asked.
    private static func diverts(_ name: String) -> Bool {
        ["proxy", "socks", "preproxy", "noproxy", "dns-", "doh-"].contains { name.utf8.starts(with: $0.utf8) }
            || ["abstract-unix-socket", "alt-svc", "connect-to", "hsts", "interface", "resolve", "unix-socket"]
                .contains(name)
    }

    /// All options of one letter. Not -2 and -3, behind which newer versions drop the rest of the argument.
    private static let letters: [Unicode.Scalar: String] = [
        "0": "http1.0", "1": "tlsv1", "4": "ipv4", "6": "ipv6", "a": "append", "A": "user-agent", "b": "cookie",
        "B": "use-ascii", "c": "cookie-jar", "C": "continue-at", "d": "data", "D": "dump-header", "e": "referer",
        "E": "cert", "f": "fail", "F": "form", "g": "globoff", "G": "get", "h": "help", "H": "header", "i": "include",
        "I": "head", "j": "junk-session-cookies", "J": "remote-header-name", "k": "insecure", "K": "config",
        "l": "list-only", "L": "location", "m": "max-time", "M": "manual", "n": "netrc", "N": "buffer", "o": "output",
        "O": "remote-name", "p": "proxytunnel", "P": "ftp-port", "q": "disable", "Q": "quote", "r": "range",
        "R": "remote-time", "s": "silent", "S": "show-error", "t": "telnet-option", "T": "upload-file", "u": "user",
        "U": "proxy-user", "v": "verbose", "V": "version", "w": "write-out", "x": "proxy", "X": "request",
        "Y": "speed-limit", "y": "speed-time", "z": "time-cond", "Z": "parallel", "#": "progress-bar", ":": "next",
    ]

    /// All long options without a value, without their `no-`.
    static let flags: Set<String> = [
        "alpn", "anyauth", "append", "basic", "buffer", "ca-native", "cert-status", "clobber", "compressed",
        "compressed-ssh", "create-dirs", "crlf", "digest", "disable", "disable-eprt", "disable-epsv",
        "disallow-username-in-url", "doh-cert-status", "doh-insecure", "eprt", "epsv", "fail", "fail-early",
        "fail-with-body", "false-start", "follow", "form-escape", "ftp-create-dirs", "ftp-pasv", "ftp-pret",
        "ftp-skip-pasv-ip", "ftp-ssl-ccc", "ftp-ssl-control", "get", "globoff", "haproxy-protocol", "head", "help",
        "http0.9", "http1.0", "http1.1", "http2", "http2-prior-knowledge", "http3", "http3-only",
        "ignore-content-length", "include", "insecure", "ipv4", "ipv6", "junk-session-cookies", "keepalive",
        "list-only", "location", "location-trusted", "mail-rcpt-allowfails", "manual", "metalink", "mptcp",
        "negotiate", "netrc", "netrc-optional", "next", "npn", "ntlm", "ntlm-wb", "out-null", "parallel",
        "parallel-immediate", "path-as-is", "post301", "post302", "post303", "progress-bar", "progress-meter",
        "proxy-anyauth", "proxy-basic", "proxy-ca-native", "proxy-digest", "proxy-http2", "proxy-insecure",
        "proxy-negotiate", "proxy-ntlm", "proxy-ssl-allow-beast", "proxy-ssl-auto-client-cert", "proxy-tlsv1",
        "proxytunnel", "raw", "remote-header-name", "remote-name", "remote-name-all", "remote-time",
        "remove-on-error", "retry-all-errors", "retry-connrefused", "sasl-ir", "sessionid", "show-error",
        "show-headers", "silent", "skip-existing", "socks5-basic", "socks5-gssapi", "socks5-gssapi-nec", "ssl",
        "ssl-allow-beast", "ssl-auto-client-cert", "ssl-no-revoke", "ssl-reqd", "ssl-revoke-best-effort",
        "styled-output", "suppress-connect-headers", "tcp-fastopen", "tcp-nodelay", "tftp-no-options",
        "tls-earlydata", "tlsv1", "tlsv1.0", "tlsv1.1", "tlsv1.2", "tlsv1.3", "tr-encoding", "trace-ids",
        "trace-time", "use-ascii", "verbose", "version", "xattr",
    ]

    /// All long options with a value.
    static let valued: Set<String> = [
        "abstract-unix-socket", "alt-svc", "aws-sigv4", "cacert", "capath", "cert", "cert-type", "ciphers", "config",
        "connect-timeout", "connect-to", "continue-at", "cookie", "cookie-jar", "create-file-mode", "crlfile",
        "curves", "data", "data-ascii", "data-binary", "data-raw", "data-urlencode", "delegation", "dns-interface",
        "dns-ipv4-addr", "dns-ipv6-addr", "dns-servers", "doh-url", "dump-header", "ech", "egd-file", "engine",
        "etag-compare", "etag-save", "expect100-timeout", "form", "form-string", "ftp-account",
        "ftp-alternative-to-user", "ftp-method", "ftp-port", "ftp-ssl-ccc-mode", "happy-eyeballs-timeout-ms",
        "haproxy-clientip", "header", "hostpubmd5", "hostpubsha256", "hsts", "interface", "ip-tos", "ipfs-gateway",
        "json", "keepalive-cnt", "keepalive-time", "key", "key-type", "knownhosts", "krb", "libcurl", "limit-rate",
        "local-port", "login-options", "mail-auth", "mail-from", "mail-rcpt", "max-filesize", "max-redirs",
        "max-time", "netrc-file", "noproxy", "oauth2-bearer", "output", "output-dir", "parallel-max",
        "parallel-max-host", "pass", "pinnedpubkey", "preproxy", "proto", "proto-default", "proto-redir", "proxy",
        "proxy-cacert", "proxy-capath", "proxy-cert", "proxy-cert-type", "proxy-ciphers", "proxy-crlfile",
        "proxy-header", "proxy-key", "proxy-key-type", "proxy-pass", "proxy-pinnedpubkey", "proxy-service-name",
        "proxy-tls13-ciphers", "proxy-tlsauthtype", "proxy-tlspassword", "proxy-tlsuser", "proxy-user", "proxy1.0",
        "pubkey", "quote", "random-file", "range", "rate", "referer", "request", "request-target", "resolve",
        "retry", "retry-delay", "retry-max-time", "sasl-authzid", "service-name", "sigalgs", "socks4", "socks4a",
        "socks5", "socks5-gssapi-service", "socks5-hostname", "speed-limit", "speed-time", "ssl-sessions", "stderr",
        "telnet-option", "tftp-blksize", "time-cond", "tls-max", "tls13-ciphers", "tlsauthtype", "tlspassword",
        "tlsuser", "trace", "trace-ascii", "trace-config", "unix-socket", "upload-file", "upload-flags", "url",
        "url-query", "user", "user-agent", "vlan-priority", "write-out",
    ]
}

extension [UInt8] {
    /// What follows an IPv6 address at a host's place, whose brackets are no pattern; all of it where there is none.
    fileprivate var withoutAddress: ArraySlice<UInt8> {
        guard let colon = firstIndex(of: UInt8(ascii: ":")), self[colon...].starts(with: "://[".utf8),
            let end = self[colon...].firstIndex(of: UInt8(ascii: "]"))
        else { return self[...] }
        return self[(end + 1)...]
    }

    /// The same bytes, with the percent encoding of braces and brackets (RFC 3986, 2.1), but for those of an address.
    fileprivate var encodingGlobs: [UInt8] {
        let rest = withoutAddress
        return self[..<rest.startIndex]
            + rest.flatMap { byte -> [UInt8] in
                CurlCommandLine.isGlob(byte) ? Array("%".utf8) + Array(String(byte, radix: 16).utf8) : [byte]
            }
    }
}
