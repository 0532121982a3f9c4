import Foundation
import Injection
import Sodium
import VaultFile

@testable import Resources

extension FuzzTarget {
    /// A record as it stands in a vault, and as it comes from outside.
    static let record = FuzzTarget(name: "record") { bytes in
        let line = bytes.span
        _ = try? RecordSummary(line)
        if let view = try? RecordView(incoming: line) {
            try hold(view.secretRanges.allSatisfy { $0.upperBound <= bytes.count }, "a token behind the end")
        }
        guard let stored = try? Record(line) else { return }
        let view = try RecordView(line)
        let record = try Record(view, line)
        try hold(record.resource == stored.resource, "a record that is another one when written")
        try hold(record.token().isEqual(to: stored.token()), "a token that is another one when written")
        let spelling = record.withBytes { $0.publicCopy }
        let again = try Record(RecordView(spelling.span), spelling.span)
        try hold(again.withBytes { $0.publicCopy } == spelling, "a record with two spellings")
        try check(headersOf: record)
        let known = Known.token
        let token = SecretBytes(copying: known.span)
        let now = Timestamp(seconds: 1_800_000_000)
        if let rotated = try? record.rotated(to: token, now: now, expires: nil) {
            try hold(rotated.token().isEqual(to: token), "rotated to another token")
            let back = try rotated.rolledBack(now: now)
            try hold(back.token().isEqual(to: record.token()), "rolled back to another token")
            _ = try rotated.replaced(by: record)
        }
        _ = try record.fitted()
    }

    /// What a client gets has a line for each header, and no other.
    private static func check(headersOf record: borrowing Record) throws {
        let resource = record.resource
        let lines = record.withToken { token in written { HeaderRenderer.appendLines(resource, token: token, to: &$0) }
        }
        let breaks = lines.filter { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
        try hold(breaks.count == resource.headers.count, "a header of two lines")
        let config = record.withToken { token in written { CurlConfig.append(resource, token: token, to: &$0) } }
        let configLines = config.split(separator: UInt8(ascii: "\n"))
        try hold(configLines.count == resource.headers.count, "a config with another line")
        for line in configLines {
            try hold(
                line.starts(with: "header = \"".utf8) && line.last == UInt8(ascii: "\""), "a line that is no header")
        }
    }

    /// A document with variables, and the templates of headers and variables.
    static let template = FuzzTarget(name: "template") { bytes in
        let document = bytes.span
        let template = DocumentTemplate(document) { ["api", "a.b", "x/y"].contains($0.description) }
        var end = 0
        for reference in template.references {
            try hold(
                reference.range.lowerBound >= end && reference.range.upperBound <= bytes.count, "no place of its own")
            end = reference.range.upperBound
            let text = bytes[reference.range]
            try hold(
                text.starts(with: "{{".utf8) && text.suffix(2).elementsEqual("}}".utf8), "no variable stands there")
        }
        for mistake in template.mistakes {
            try hold(mistake.offset < bytes.count, "a mistake behind the end")
            let place = DocumentTemplate.position(of: mistake.offset, in: document)
            try hold(place.line >= 1 && place.column >= 1, "a mistake nowhere")
        }
        // With each variable in its own place, nothing has changed.
        var output: [UInt8] = []
        template.render(document) { reference, buffer in
            buffer.append(document.extracting(reference.range))
        } write: { piece in
            output += piece.publicCopy
        }
        try hold(output == bytes, "what stands between the variables has changed")
        guard let text = bytes.validText else { return }
        if let header = try? HeaderTemplate(text) {
            try hold(try HeaderTemplate(header.text) == header, "a header that is another one when written")
            try hold(!header.text.utf8.contains { $0 < 0x20 && $0 != 0x09 || $0 == 0x7f }, "a header with a line break")
        }
        if let variable = try? EnvironmentTemplate(text) {
            try hold(try EnvironmentTemplate(variable.text) == variable, "a variable that is another one when written")
        }
        if let template = try? Template(text, allowed: Template.Variable.allCases) {
            let joined = template.parts.map { part in
                switch part {
                case .text(let text): text
                case .variable(let variable): "{{\(variable.rawValue)}}"
                }
            }
            try hold(joined.joined().utf8.elementsEqual(text.utf8), "a template whose parts are something else")
        }
    }

    /// Two URLs, one on each line: what lies inside of what.
    static let url = FuzzTarget(name: "url", maximumSize: 1024) { bytes in
        let texts = bytes.parts(by: UInt8(ascii: "\n")).prefix(2).map { String(decoding: $0, as: UTF8.self) }
        var urls: [ResourceURL] = []
        for text in texts {
            guard let url = try? ResourceURL(text) else { return }
            try check(url, text)
            urls.append(url)
        }
        guard urls.count == 2, urls[0].contains(urls[1]) else { return }
        let (scope, other) = (try URLParts(texts[0]), try URLParts(texts[1]))
        try hold(other.isInside(scope), "\(texts[1]) is not inside \(texts[0])")
    }

    private static func check(_ url: ResourceURL, _ text: String) throws {
        try hold(text.utf8.allSatisfy { (0x21...0x7e).contains($0) }, "a URL that is not visible ASCII")
        let again = try ResourceURL(url.description)
        try hold(
            (again.scheme, again.host, again.port, again.path) == (url.scheme, url.host, url.port, url.path),
            "a URL that is another one when written")
        try hold(url.contains(url) && url.contains(again), "a URL that is not inside of itself")
        let parts = try URLParts(text)
        try hold(parts.scheme == url.scheme && parts.port == url.port, "another scheme or port")
        if !url.host.hasPrefix("[") { try hold(parts.host == url.host, "another host than \(parts.host)") }
        // What another reader of URLs makes of it.
        if let other = URLComponents(string: text), let host = other.percentEncodedHost {
            if !url.host.hasPrefix("[") {
                try hold(host.lowercased() == url.host, "the host is \(host) to others")
            }
            try hold(other.port.map { $0 == url.port } ?? true, "the port is another one to others")
            try hold(other.user == nil && other.password == nil, "there is a user name to others")
        }
    }
}

/// A URL read in the plainest way there is (RFC 3986, appendix B), without checking anything.
struct URLParts {
    let scheme: String
    let host: String
    let port: Int
    /// Decoded, and without the segments that lead up or nowhere.
    let segments: [String]

    init(_ text: String) throws {
        let colon = try held(text.firstIndex(of: ":"), "no scheme")
        scheme = text[..<colon].lowercased()
        let behind = text[text.index(after: colon)...].drop { $0 == "/" }
        let authority = behind.prefix { !"/?#".contains($0) }
        let path = behind[authority.endIndex...].prefix { !"?#".contains($0) }
        let isAddress = authority.hasPrefix("[")
        let hostEnd =
            isAddress
            ? authority.firstIndex(of: "]").map { authority.index(after: $0) } : authority.firstIndex(of: ":")
        let name = authority[..<(hostEnd ?? authority.endIndex)]
        host = name.lowercased()
        let rest = authority[name.endIndex...].drop { $0 == ":" }
        port = Int(rest) ?? (scheme == "https" ? 443 : 80)
        var segments: [String] = []
        for part in path.split(separator: "/") {
            let decoded = String(part).removingPercentEncoding ?? String(part)
            for segment in decoded.split(whereSeparator: { $0 == "/" || $0 == "\\" }) {
                switch segment.prefix(while: { $0 != ";" }) {
                case "..": _ = segments.popLast()
                case ".": break
                default: segments.append(String(segment))
                }
            }
        }
        self.segments = segments
    }

    /// Whether it is on the same server, and below the same path.
    func isInside(_ scope: URLParts) -> Bool {
        scheme == scope.scheme && port == scope.port && segments.starts(with: scope.segments)
            // An IPv6 address has several spellings.
            && (host == scope.host || host.hasPrefix("[") && scope.host.hasPrefix("["))
    }
}
