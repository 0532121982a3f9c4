/// A URL in the only spelling that every client reads the same way: http or https, a host without tricks, a path
/// without detours.
///
/// What is refused here is what two programs could understand differently (user-info, backslashes, `..`, a trailing
/// dot, numbers that are addresses in disguise): a token is only ever sent where nobody can argue about.
public struct ResourceURL: Hashable, Sendable {
    /// `http` or `https`.
    public let scheme: String
    /// In lower case; an IPv6 address in brackets, and in the one spelling of RFC 5952 without embedded IPv4.
    public let host: String
    /// The port, also where the URL leaves it to the scheme.
    public let port: Int
    /// Begins with a slash; without query and fragment.
    public let path: String
    /// Whether a query or a fragment followed.
    public let hasQuery: Bool

    /// Reads an absolute URL.
    ///
    /// - Throws: ``ResourceError/invalid(_:_:)``, which says what about it is refused.
    public init(_ text: String) throws(ResourceError) {
        let bytes = Array(text.utf8)
        guard bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw .invalid("a URL has only visible ASCII characters; others are written as %XX, and in a host as xn--…")
        }
        guard !bytes.contains(UInt8(ascii: "\\")) else { throw .invalid("a URL has no backslash in it") }
        guard let schemeEnd = text.range(of: "://") else {
            let isHTTP = ["http:", "https:"].contains { text.lowercased().hasPrefix($0) }
            throw Self.refuse(isHTTP ? "has no // behind its scheme" : "has no scheme; write https://…")
        }
        scheme = text[..<schemeEnd.lowerBound].lowercased()
        guard scheme == "https" || scheme == "http" else { throw Self.refuse("is neither https nor http") }
        let rest = text[schemeEnd.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard !authority.contains("@") else { throw .invalid("a URL must not have a user name or password in it") }
        (host, port) = try Self.host(authority, defaultPort: scheme == "https" ? 443 : 80)
        let pathAndQuery = rest[authority.endIndex...]
        let rawPath = pathAndQuery.prefix { $0 != "?" && $0 != "#" }
        hasQuery = rawPath.endIndex != pathAndQuery.endIndex
        path = rawPath.isEmpty ? "/" : String(rawPath)
        try Self.checkPath(path)
    }

    /// Whether the traffic does not leave the machine.
    public var isLoopback: Bool {
        if host == "localhost" || host == "[::1]" { return true }
        return Self.isIPv4(host) && host.hasPrefix("127.")
    }

    /// Whether `other` lies inside: same scheme, host and port, and a path that goes on where this one ends a segment.
    public func contains(_ other: ResourceURL) -> Bool {
        guard scheme == other.scheme, host == other.host, port == other.port else { return false }
        let prefix = path.hasSuffix("/") ? String(path.dropLast()) : path
        guard other.path.hasPrefix(prefix) else { return false }
        let rest = other.path.dropFirst(prefix.count)
        return rest.isEmpty || rest.hasPrefix("/")
    }

    /// What is refused, without the URL: it may be a token in a wrong place.
    private static func refuse(_ reason: String) -> ResourceError { .invalid("the URL \(reason)") }

    private static func host(_ authority: Substring, defaultPort: Int) throws(ResourceError) -> (String, Int) {
        var host = authority
        var portText: Substring?
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { throw refuse("has an address without an end") }
            host = authority[...end]
            let behind = authority[authority.index(after: end)...]
            guard behind.isEmpty || behind.hasPrefix(":") else { throw refuse("has something behind its address") }
            if !behind.isEmpty { portText = behind.dropFirst() }
            guard let groups = groups(ofIPv6: host.dropFirst().dropLast()) else {
                throw refuse("has an address that is not IPv6")
            }
            host = "[\(spelling(ofIPv6: groups))]"
        } else {
            if let colon = authority.firstIndex(of: ":") {
                host = authority[..<colon]
                portText = authority[authority.index(after: colon)...]
            }
            try checkName(host)
        }
        guard let portText else { return (host.lowercased(), defaultPort) }
        guard portText.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let port = Int(portText), (1...65_535).contains(port)
        else { throw refuse("has a port that is not a number from 1 to 65535") }
        return (host.lowercased(), port)
    }

    private static func checkName(_ host: Substring) throws(ResourceError) {
        guard !host.isEmpty else { throw refuse("has no host") }
        guard host.utf8.count <= 253 else { throw refuse("has a host that is too long") }
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        guard let last = labels.last, !last.isEmpty else { throw refuse("has a host that ends in a dot") }
        for label in labels {
            guard !label.isEmpty, label.utf8.count <= 63, !label.hasPrefix("-"), !label.hasSuffix("-"),
                label.utf8.allSatisfy({ $0.isNameCharacter || $0 == UInt8(ascii: "-") })
            else { throw refuse("has a host that is not made of letters, digits, hyphens and dots") }
        }
        // Resolvers take 2130706433, 0x7f.1 and 127.1 for addresses.
        let isNumeric =
            last.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            || last.lowercased().hasPrefix("0x")
        guard !isNumeric || isIPv4(host) else { throw refuse("has a number as its host") }
    }

    private static func checkPath(_ path: String) throws(ResourceError) {
        if path == "/" { return }
        let lowered = path.lowercased()
        guard !lowered.contains("%2f"), !lowered.contains("%5c") else {
            throw refuse("has an encoded slash in its path")
        }
        // curl takes these for a pattern, and asks for every URL that it stands for.
        guard !lowered.utf8.contains(where: { "{}[]".utf8.contains($0) }) else {
            throw refuse("has a brace or a bracket in its path")
        }
        guard !lowered.contains("%00") else { throw refuse("has an encoded zero byte in its path") }
        for segment in lowered.split(separator: "/") {
            // Some servers take parameters (`..;a=b`) off a segment before they look at it.
            let plain = segment.replacing("%2e", with: ".").replacing("%3b", with: ";").prefix { $0 != ";" }
            guard plain != ".", plain != ".." else { throw refuse("has a \".\" or \"..\" in its path") }
        }
    }

    private static func isIPv4(_ host: some StringProtocol) -> Bool {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                guard let number = UInt8(part) else { return false }
                return String(number) == part
            }
    }

    /// Groups of up to four hexadecimal digits, eight of them or fewer with one `::`. Zones and embedded IPv4 addresses
    /// are refused.
    private static func groups(ofIPv6 text: Substring) -> [UInt16]? {
        func groups(_ text: Substring) -> [UInt16]? {
            if text.isEmpty { return [] }
            var groups: [UInt16] = []
            for part in text.split(separator: ":", omittingEmptySubsequences: false) {
                guard part.utf8.count <= 4, part.allSatisfy(\.isHexDigit), let group = UInt16(part, radix: 16) else {
                    return nil
                }
                groups.append(group)
            }
            return groups
        }
        guard let gap = text.range(of: "::") else { return groups(text).flatMap { $0.count == 8 ? $0 : nil } }
        guard let left = groups(text[..<gap.lowerBound]), let right = groups(text[gap.upperBound...]),
            left.count + right.count <= 7
        else { return nil }
        return left + Array(repeating: 0, count: 8 - left.count - right.count) + right
    }

    /// RFC 5952, 4: lower case, no leading zeros, and `::` for the first of the longest runs of two zeros or more.
    private static func spelling(ofIPv6 groups: [UInt16]) -> String {
        var gap = 0..<0
        for start in groups.indices {
            let end = groups[start...].firstIndex { $0 != 0 } ?? groups.count
            if end - start > max(gap.count, 1) { gap = start..<end }
        }
        func joined(_ groups: ArraySlice<UInt16>) -> String {
            groups.map { String($0, radix: 16) }.joined(separator: ":")
        }
        if gap.isEmpty { return joined(groups[...]) }
        return joined(groups[..<gap.lowerBound]) + "::" + joined(groups[gap.upperBound...])
    }
}

extension ResourceURL: CustomStringConvertible {
    /// The URL in its one spelling, without query and fragment.
    public var description: String {
        let isDefaultPort = port == (scheme == "https" ? 443 : 80)
        return "\(scheme)://\(host)\(isDefaultPort ? "" : ":\(port)")\(path == "/" ? "" : path)"
    }
}

extension StringProtocol {
    /// Where `other`, which is ASCII, first stands.
    fileprivate func range(of other: StaticString) -> Range<Index>? {
        var start = utf8.startIndex
        while start < utf8.endIndex {
            var end = start
            var matched = 0
            while matched < other.utf8CodeUnitCount, end < utf8.endIndex,
                unsafe utf8[end] == other.utf8Start[matched]
            {
                matched += 1
                utf8.formIndex(after: &end)
            }
            if matched == other.utf8CodeUnitCount { return start..<end }
            utf8.formIndex(after: &start)
        }
        return nil
    }
}

extension UInt8 {
    /// A letter, a digit, or an underscore.
    var isNameCharacter: Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self)
            || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20) || self == UInt8(ascii: "_")
    }
}
