internal import ChildProcess
internal import CLinux
internal import Glibc
internal import Resources
internal import Sodium

/// A vault file on a web server, which can only be read.
///
/// A version is told by the server's entity tag; where there is none, by the time of its last change; and where there is
/// no such thing either, by a hash of the file, which has to be fetched for that.
public final class WebStore: Store {
    /// The file that came with the last answer.
    private struct Spool: ~Copyable {
        let head: StoredHead
        let file: MemoryFile
    }

    /// A file is given up after so many seconds.
    private static let patience = HTTPPatience(seconds: 600, isTransfer: true)

    private let client: HTTPClient
    private let url: String
    private let secret: HTTPSecret?
    private var spool: Spool?

    /// A file; nothing is asked of the server yet.
    init(_ url: ResourceURL, _ credentials: consuming StoreCredentials) throws(StoreError) {
        client = try HTTPClient(
            HTTPClient.Options(
                usesTLS: url.scheme == "https", authority: credentials.authority, certificate: credentials.certificate,
                key: credentials.key, isWeb: true))
        self.url = url.description
        let password = credentials.password.take()
        if let user = credentials.user, let password {
            secret = try HTTPSecret(user: user, password: password)
        } else {
            secret = nil
        }
    }

    /// Versions can only be read.
    public var isReadOnly: Bool { true }

    /// Limits all requests together.
    public func limit(seconds: Int?) { client.limit(seconds: seconds) }

    /// Asks for the file, unless it is the version of `tag`. What comes is kept until it is read.
    public func readHead(unless tag: String?) throws(StoreError) -> HeadAnswer {
        let condition = tag.flatMap(WebTag.condition)
        var request = HTTPRequest(url: url, headers: condition.map { [$0] } ?? [])
        request.secret = secret
        var response = WebResponse(followsRedirects: url.utf8.starts(with: "https:".utf8))
        let file = try MemoryFile.create()
        var byteCount = 0
        _ = try client.stream(request, Self.patience, showsHead: true) { bytes throws(StoreError) in
            let body = try response.take(bytes)
            guard response.status == 200, body < bytes.count else { return true }
            byteCount += bytes.count - body
            guard byteCount <= StoreLimits.maximumByteCount else {
                throw .malformed("what the web server has is larger than any vault")
            }
            try FileWriter.write(bytes.extracting(droppingFirst: body), to: file.descriptor)
            return true
        }
        switch response.status {
        case 200: break
        case 304 where condition != nil: return .unchanged
        case 404, 410: return .absent
        case 401, 403: throw .notAllowed("the web server does not give the vault to this user")
        case 429, 500...:
            throw .unreachable("the web server answers that something went wrong (status \(response.status))")
        default: throw .malformed("the web server has no file to give there (status \(response.status))")
        }
        guard byteCount > 0 else { throw .malformed("the file on the web server is empty") }
        let named = WebTag.tag(etag: response.etag, modified: response.modified)
        let found = if let named { named } else { try file.contentTag(byteCount) }
        let head = StoredHead(tag: found, byteCount: byteCount)
        spool = Spool(head: head, file: file)
        return found == tag ? .unchanged : .head(head)
    }

    /// Writes the file that came with the head.
    public func read(_ head: StoredHead, into descriptor: Int32) throws(StoreError) {
        if spool?.head != head {
            // The web server has one version, which is the one that is asked for or not.
            guard case .head(let found) = try readHead(unless: nil), found.tag == head.tag else { throw .vanished }
        }
        guard let count = spool?.head.byteCount else { throw .vanished }
        try spool?.file.copy(count, to: descriptor)
    }

    /// Is refused.
    public func compareAndSwap(_ tag: String?, with version: NewVersion) throws(StoreError) -> SwapAnswer {
        throw .notAllowed("a vault on a web server can only be read from here")
    }

    /// Sleeps, since a web server tells nobody; not as long as other machines, so that they do not all come at once.
    public func waitForChange(
        of tag: String?, seconds: Int, while goesOn: () -> Bool
    ) throws(StoreError) -> Bool {
        let milliseconds = max(seconds, 0) * 1000
        var left = Int.random(in: milliseconds * 3 / 4...milliseconds)
        while left > 0 {
            guard Interruption.signal == nil, goesOn() else { return false }
            let part = min(left, 1000)
            usleep(UInt32(part * 1000))
            left -= part
        }
        return true
    }
}

/// What tells the versions of a file on a web server apart, as text.
enum WebTag {
    /// The longest tag that is taken.
    private static let longest = 256
    private static let modifiedPrefix = "modified:"

    /// What the server calls the version (RFC 9110, 8.8); nil when it does not call it anything.
    static func tag(etag: String?, modified: String?) -> String? {
        if let etag, isEntityTag(etag) { return etag }
        if let modified, isText(modified) { return modifiedPrefix + modified }
        return nil
    }

    /// The header with which a server does not send the version of `tag` again; nil when it cannot know it by that.
    static func condition(_ tag: String) -> String? {
        if isEntityTag(tag) { return "If-None-Match: \(tag)" }
        guard tag.utf8.starts(with: modifiedPrefix.utf8), isText(tag) else { return nil }
        return "If-Modified-Since: \(tag.dropFirst(modifiedPrefix.count))"
    }

    /// Whether it is `"…"` or `W/"…"`.
    private static func isEntityTag(_ text: String) -> Bool {
        let opaque = text.utf8.starts(with: "W/".utf8) ? text.utf8.dropFirst(2) : text.utf8[...]
        return isText(text) && opaque.count >= 2 && opaque.first == UInt8(ascii: "\"")
            && opaque.last == UInt8(ascii: "\"")
    }

    private static func isText(_ text: String) -> Bool {
        (1...longest).contains(text.utf8.count) && text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f }
    }
}

/// The heads of answers as curl shows them: those of redirects that it follows come first.
struct WebResponse {
    /// The largest size of all heads in bytes.
    private static let largestHead = 1 << 16

    /// Of the last answer; 0 before there is one.
    private(set) var status = 0
    /// The headers of the last answer that tell versions apart.
    private(set) var etag: String?
    private(set) var modified: String?

    private let followsRedirects: Bool
    private var line: [UInt8] = []
    private var headSize = 0
    private var isHead = true
    private var leadsAway = false

    init(followsRedirects: Bool) { self.followsRedirects = followsRedirects }

    /// Takes the next bytes.
    ///
    /// - Returns: Where the body begins in them: behind the last of them when it does not.
    mutating func take(_ bytes: Span<UInt8>) throws(StoreError) -> Int {
        var index = 0
        while isHead, index < bytes.count {
            headSize += 1
            guard headSize <= Self.largestHead else { throw Self.malformed }
            if bytes[index] == UInt8(ascii: "\n") {
                if line.last == UInt8(ascii: "\r") { line.removeLast() }
                try read(String(decoding: line, as: UTF8.self))
                line = []
            } else {
                line.append(bytes[index])
            }
            index += 1
        }
        return index
    }

    private static let malformed = StoreError.malformed("the web server's answer is none")

    private mutating func read(_ line: String) throws(StoreError) {
        if status == 0 {
            let words = line.split(separator: " ", maxSplits: 2)
            guard line.utf8.starts(with: "HTTP/".utf8), words.count >= 2, words[1].utf8.count == 3,
                let number = Int(words[1]), number >= 100
            else { throw Self.malformed }
            status = number
        } else if !line.isEmpty {
            guard let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")) else { return }
            let value = line[line.utf8.index(after: colon)...]
            let text = String(value.drop { $0 == " " || $0 == "\t" })
            switch line[..<colon].lowercased() {
            case "etag": etag = text
            case "last-modified": modified = text
            case "location": leadsAway = !text.isEmpty
            default: break
            }
        } else if status < 200 || followsRedirects && leadsAway && [301, 302, 303, 307, 308].contains(status) {
            // Another head follows.
            (status, etag, modified, leadsAway) = (0, nil, nil, false)
        } else {
            isHead = false
        }
    }
}

/// A file without a name, in memory.
struct MemoryFile: ~Copyable {
    let descriptor: Int32

    static func create() throws(StoreError) -> MemoryFile {
        let descriptor = unsafe clinux_memfd_create_sealable("vault")
        guard descriptor >= 0 else { throw .system("there is no memory for the vault") }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        return MemoryFile(descriptor: descriptor)
    }

    private init(descriptor: Int32) { self.descriptor = descriptor }

    /// A tag made of the content alone.
    func contentTag(_ count: Int) throws(StoreError) -> String {
        guard let start = unsafe mmap(nil, count, PROT_READ, MAP_SHARED, descriptor, 0), unsafe start != MAP_FAILED
        else {
            throw .system("there is no memory for the vault")
        }
        defer { unsafe munmap(start, count) }
        let bytes = unsafe Span<UInt8>(_unsafeStart: start.assumingMemoryBound(to: UInt8.self), count: count)
        let hash = BLAKE2b.hash(bytes, personalization: "vault/v1 web")
        return "content:" + String(decoding: Base64.encode(hash.span), as: UTF8.self)
    }

    /// Copies the first `count` bytes.
    func copy(_ count: Int, to target: Int32) throws(StoreError) {
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        var copied = 0
        while copied < count {
            let size = unsafe buffer.withUnsafeMutableBytes { buffer in
                unsafe pread(descriptor, buffer.baseAddress, min(buffer.count, count - copied), copied)
            }
            guard size > 0 else { throw .system("the vault cannot be read from memory") }
            try FileWriter.write(buffer.span.extracting(first: size), to: target)
            copied += size
        }
    }

    deinit { close(descriptor) }
}

/// Writing to an open file.
enum FileWriter {
    /// Writes all of `bytes`.
    static func write(_ bytes: Span<UInt8>, to descriptor: Int32) throws(StoreError) {
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { bytes in
                unsafe Glibc.write(descriptor, bytes.baseAddress.map { unsafe $0 + written }, bytes.count - written)
            }
            guard count > 0 || count < 0 && errno == EINTR else {
                throw .system(errno == ENOSPC ? "there is no space left for the vault" : "the vault cannot be written")
            }
            written += max(count, 0)
        }
    }
}
