internal import ChildProcess
internal import CLinux
internal import Glibc
internal import Sodium

/// A request to a server.
struct HTTPRequest {
    /// The whole URL.
    let url: String
    /// Headers as `Name: value`; an empty value drops one that curl would send.
    var headers: [String] = []
    /// What is posted; without it, it is a GET.
    var body: HTTPBody?
    /// What the server knows this machine by.
    var secret: HTTPSecret?
}

/// What is posted: in sealed memory, since it may be a password.
final class HTTPBody {
    private let file: SealedFile

    /// A copy of `content`.
    init(_ content: Span<UInt8>) throws(StoreError) {
        do throws(SealedFile.Failure) { file = try SealedFile.create(content) } catch {
            throw .system("there is no memory for a request")
        }
    }

    /// Where curl finds it.
    var path: String { file.path }
}

/// How long something may take.
struct HTTPPatience {
    /// The longest time of a request, in seconds.
    let seconds: Int
    /// Whether many bytes are on the way: then it is also over when hardly any have come for a while.
    var isTransfer = false
}

/// Requests by the system's curl. Everything that it is told, the URL as well, reaches it in sealed memory: its arguments
/// are the same for all.
final class HTTPClient {
    /// What is known of the other side.
    struct Options {
        /// Whether TLS is what is spoken, and nothing else.
        var usesTLS = true
        /// The authorities that a server's certificate must come from; nil for the system's.
        var authority: String?
        /// This machine's certificate, and its key.
        var certificate: String?
        var key: String?
        /// Whether the proxies of the environment are used, and redirects followed, as users of the web expect.
        var isWeb = false
    }

    /// How long a connection may take to be there, in seconds.
    private static let connectSeconds = 5
    /// A transfer of fewer bytes in a second than this…
    private static let slowestSpeed = 4096
    /// …for so many seconds is given up.
    private static let slowSeconds = 10
    /// How much is read at once.
    private static let bufferSize = 1 << 15
    /// Answers of up to this size never move in memory, so that they can be overwritten.
    private static let smallLimit = 1 << 16

    private let program: String
    private let options: Options
    /// How long all further requests may take together; nil for any time.
    private var timeLeft: Duration?

    /// A client.
    ///
    /// - Throws: ``StoreError/system(_:)`` when there is no curl.
    init(_ options: Options) throws(StoreError) {
        self.options = options
        let path = unsafe getenv("PATH").map { unsafe String(cString: $0) } ?? ""
        do throws(Launch.Failure) {
            program = try Launch.find("curl", searchPath: path.isEmpty ? Launch.defaultSearchPath : path)
        } catch {
            throw .system("curl, which reaches stores, was not found in PATH; it has to be installed")
        }
    }

    /// Limits how long all further requests may take together.
    func limit(seconds: Int?) { timeLeft = seconds.map { .seconds($0) } }

    // MARK: - Whole answers

    /// Sends requests one after the other, over one connection to each server, and hands over the answers.
    ///
    /// - Parameters:
    ///   - requests: What is asked.
    ///   - patience: How long each of them may take.
    ///   - limit: The largest size of an answer in bytes.
    ///   - handle: Gets the number of the request, the status and the body of its answer. Nothing of it is kept.
    /// - Throws: ``StoreError``; then those behind the one that failed are not sent.
    func exchange(
        _ requests: [HTTPRequest], _ patience: HTTPPatience, limit: Int,
        _ handle: (Int, Int, Span<UInt8>) throws(StoreError) -> Void
    ) throws(StoreError) {
        // No server knows what its answer ends with, so that none can pretend that it had ended.
        let mark = [UInt8(ascii: "\n")] + Random.bytes(16).flatMap { Array(String($0, radix: 16).utf8) }
        let trailerSize = mark.count + 3
        var answers: [UInt8] = []
        // A small answer may be a token: it stays where it is until it is overwritten.
        let isSmall = limit <= Self.smallLimit
        if isSmall { answers.reserveCapacity(limit + trailerSize + Self.bufferSize) }
        defer { if isSmall { for index in answers.indices { answers[index] = 0 } } }
        var number = 0
        // An answer is only believed to be whole when another one follows, or when curl has ended and says so.
        var complete: (status: Int, size: Int)?
        func deliver() throws(StoreError) {
            guard let (status, size) = complete else { return }
            complete = nil
            try handle(number, status, answers.span.extracting(first: size))
            number += 1
            if isSmall { for index in 0..<size { answers[index] = 0 } }
            answers.removeFirst(size + trailerSize)
        }
        let exit = try run(requests, patience, trailer: mark) { part throws(StoreError) in
            if part.isEmpty { return true }
            try deliver()
            var searched = max(answers.count - trailerSize, 0)
            unsafe part.withUnsafeBytes { unsafe answers.append(contentsOf: $0) }
            while let found = Self.trailer(mark, in: answers.span, from: searched) {
                complete = found
                searched = 0
                // With bytes behind it, it is not the last one.
                guard answers.count > found.size + trailerSize else { break }
                try deliver()
            }
            guard answers.count <= limit + trailerSize else {
                throw .malformed("the answer of the store is larger than any that is expected")
            }
            return true
        }
        guard exit == 0 else { throw Self.failure(exit) }
        try deliver()
        guard number == requests.count, answers.isEmpty else {
            throw .system("curl ended without all answers; is it an old one?")
        }
    }

    /// The first mark and status in `bytes`, whole.
    private static func trailer(_ mark: [UInt8], in bytes: Span<UInt8>, from start: Int) -> (status: Int, size: Int)? {
        let place: Int? = unsafe bytes.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress, start < bytes.count,
                let found = unsafe clinux_find(base + start, bytes.count - start, mark, mark.count)
            else { return nil }
            return unsafe found - base
        }
        guard let place, bytes.count >= place + mark.count + 3 else { return nil }
        var status = 0
        for index in place + mark.count..<place + mark.count + 3 {
            status = status * 10 + Int(bytes[index] &- UInt8(ascii: "0"))
        }
        return (status, place)
    }

    // MARK: - Streams

    /// Sends one request, and hands over its answer as it comes.
    ///
    /// - Parameters:
    ///   - request: What is asked.
    ///   - patience: How long it may take.
    ///   - showsHead: Whether the status and the headers come first, with those of redirects before them.
    ///   - consume: Gets the next bytes, or nothing once a second; false ends it.
    /// - Returns: Whether the answer came to its end; false when `consume` ended it.
    /// - Throws: ``StoreError``.
    func stream(
        _ request: HTTPRequest, _ patience: HTTPPatience, showsHead: Bool,
        _ consume: (Span<UInt8>) throws(StoreError) -> Bool
    ) throws(StoreError) -> Bool {
        let exit = try run([request], patience, trailer: nil, showsHead: showsHead, consume)
        if exit == Self.stopped { return false }
        guard exit == 0 else { throw Self.failure(exit) }
        return true
    }

    // MARK: - curl

    /// Instead of an exit code: it was ended here.
    private static let stopped: Int32 = -1

    /// Runs one curl to its end, or to where `consume` says that it is enough.
    ///
    /// - Returns: Its exit code, or ``stopped``.
    private func run(
        _ requests: [HTTPRequest], _ patience: HTTPPatience, trailer: [UInt8]?, showsHead: Bool = false,
        _ consume: (Span<UInt8>) throws(StoreError) -> Bool
    ) throws(StoreError) -> Int32 {
        let config: SealedFile
        do throws(SealedFile.Failure) {
            config = try self.config(requests, patience, trailer, showsHead).withBytes {
                bytes throws(SealedFile.Failure) in
                try SealedFile.create(bytes)
            }
        } catch {
            throw .system("there is no memory for a request")
        }
        var environment = Environment()
        // Nor does curl get a file to write the keys of its connections to.
        environment.remove { $0.utf8.starts(with: "VAULT_".utf8) || $0 == "SSLKEYLOGFILE" }
        let process: ReadableProcess
        do throws(Launch.Failure) {
            process = try ReadableProcess.start(
                program, arguments: ["curl", "-q", "--config", config.path].map { Array($0.utf8) },
                environment: environment, isSilent: true)
        } catch {
            throw .system("curl, which reaches stores, cannot be run")
        }
        let output = process.output
        _ = clinux_set_pipe_size(output, 1 << 20)
        // curl keeps to the limit of each request; this one is for a curl that does not, and for all of them.
        let start = ContinuousClock.now
        defer { timeLeft? -= ContinuousClock.now - start }
        let longest = Duration.seconds((patience.seconds + 2) * requests.count)
        let ended: Bool
        do throws(StoreError) {
            ended = try Self.pump(output, until: start + min(longest, timeLeft ?? longest), consume)
        } catch {
            process.kill()
            throw error
        }
        if ended { return process.wait() }
        process.kill()
        return Self.stopped
    }

    /// Reads to the end.
    ///
    /// - Returns: False when `consume` ended it.
    private static func pump(
        _ output: Int32, until deadline: ContinuousClock.Instant, _ consume: (Span<UInt8>) throws(StoreError) -> Bool
    ) throws(StoreError) -> Bool {
        // What comes may be a token.
        var buffer = SecretBytes(zeros: bufferSize)
        while true {
            guard ContinuousClock.now < deadline else { throw .unreachable("the store did not answer in time") }
            var polled = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
            guard unsafe poll(&polled, 1, 1000) > 0 else {
                if Interruption.signal != nil { throw .unreachable("a signal ended the request") }
                let nothing: [UInt8] = []
                guard try consume(nothing.span) else { return false }
                continue
            }
            let count = buffer.withMutableBytes { bytes in
                unsafe bytes.withUnsafeMutableBytes { unsafe read(output, $0.baseAddress, $0.count) }
            }
            if count == 0 { return true }
            if count < 0 {
                guard errno == EINTR else { throw .system("what curl answers cannot be read") }
                continue
            }
            let goesOn = try buffer.withBytes { bytes throws(StoreError) in try consume(bytes.extracting(first: count))
            }
            guard goesOn else { return false }
        }
    }

    /// Seconds of a clock that nobody sets.
    static var now: Int {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec
    }

    private func config(
        _ requests: [HTTPRequest], _ patience: HTTPPatience, _ trailer: [UInt8]?, _ showsHead: Bool
    ) -> SecretBytes {
        var config = SecretBuffer()
        for (number, request) in requests.enumerated() {
            var lines = ConfigLines()
            if number > 0 { lines.add("next") } else { lines.add("fail-early") }
            lines.add("silent")
            lines.add("globoff")
            lines.add("connect-timeout", String(Self.connectSeconds))
            lines.add("max-time", String(patience.seconds))
            lines.add("keepalive-time", String(Self.slowSeconds))
            if patience.isTransfer {
                lines.add("speed-limit", String(Self.slowestSpeed))
                lines.add("speed-time", String(Self.slowSeconds))
            }
            lines.add("proto", options.usesTLS ? "=https" : "=http")
            if options.isWeb {
                // No redirect leads to where anybody can read along. curl leaves the password out on another host.
                lines.add("proto-redir", "=https")
                if options.usesTLS { lines.add("location") }
                lines.add("max-redirs", "5")
                lines.add("suppress-connect-headers")
            } else {
                lines.add("http1.1")
                lines.add("noproxy", "*")
            }
            if let authority = options.authority { lines.add("cacert", authority) }
            if let certificate = options.certificate {
                // curl takes what follows a colon for a password.
                lines.add("cert", certificate.replacing("\\", with: "\\\\").replacing(":", with: "\\:"))
                // Without it, an encrypted key would be asked for on the terminal.
                lines.add("pass", "")
            }
            if let key = options.key { lines.add("key", key) }
            lines.add("url", request.url)
            for header in request.headers { lines.add("header", header) }
            if let body = request.body { lines.add("data-binary", "@\(body.path)") }
            if showsHead { lines.add("include") }
            if let trailer {
                lines.add("write-out", String(decoding: trailer, as: UTF8.self) + "%{http_code}")
            } else {
                lines.add("no-buffer")
            }
            config.append(lines.bytes.span)
            if let secret = request.secret { secret.line.withBytes { config.append($0) } }
        }
        return config.finish()
    }

    /// What an exit code of curl means (`curl(1)`, EXIT CODES).
    private static func failure(_ exit: Int32) -> StoreError {
        switch exit {
        case 1, 47: .malformed("the store leads to somewhere else, or speaks no HTTP")
        case 3: .setting("curl does not take the URL of the store")
        case 2: .system("curl does not know an option that is needed; is it an old one?")
        case 5: .unreachable("the name of the proxy is not known")
        case 6: .unreachable("the name of the store's host is not known")
        case 7: .unreachable("nobody answers at the store's host and port")
        case 18: .unreachable("the store's answer broke off")
        case 26, 27: .system("curl could not read what it is to send")
        case 28: .unreachable("the store did not answer in time")
        case 35: .notAllowed("TLS with the store failed: it speaks none there, or wants a certificate of this machine")
        case 52, 55, 56: .unreachable("the connection to the store broke off")
        case 58: .notAllowed("the certificate of this machine, or its key, cannot be used")
        case 60: .notAllowed("the certificate of the store is not trusted here; its authority is given with --ca")
        case 77: .notAllowed("the file with the store's authority cannot be used")
        case 97: .unreachable("the proxy does not work")
        default: .unreachable("curl could not reach the store (its exit code is \(exit))")
        }
    }
}

/// Lines of curl's config.
private struct ConfigLines {
    private(set) var bytes: [UInt8] = []

    mutating func add(_ option: String) { bytes += Array(option.utf8) + [UInt8(ascii: "\n")] }

    /// An option with a value, within quotation marks: there curl takes `\\`, `\"`, `\t`, `\n`, `\r` and `\v` for escapes.
    mutating func add(_ option: String, _ value: String) {
        bytes += Array(option.utf8) + Array(" = \"".utf8)
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "\\"), UInt8(ascii: "\""): bytes += [UInt8(ascii: "\\"), byte]
            case 0x0a: bytes += Array("\\n".utf8)
            case 0x0d: bytes += Array("\\r".utf8)
            case 0x09: bytes += Array("\\t".utf8)
            case 0x0b: bytes += Array("\\v".utf8)
            default: bytes.append(byte)
            }
        }
        bytes += Array("\"\n".utf8)
    }
}
