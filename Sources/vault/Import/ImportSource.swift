internal import Glibc
internal import Sodium

/// What an import reads: a file, or standard input.
struct ImportSource {
    /// The file's path; nil for standard input.
    private let path: String?

    /// More than any record can have, with all the white space and escapes that one may be written with.
    private static let maximumLineSize = 1 << 20
    /// More than any vault can have.
    private static let maximumSize = 1 << 30

    /// A hyphen is standard input, as everywhere.
    init(_ path: String?) { self.path = path == "-" ? nil : path }

    /// What the file's name says of its format.
    var format: ImportFormat? {
        guard let name = path?.split(separator: "/").last else { return nil }
        if name.hasSuffix(".netrc") || name == "_netrc" { return .netrc }
        if name.hasSuffix(".env") || name.hasPrefix(".env.") { return .dotenv }
        return name.hasSuffix(".jsonl") ? .jsonl : nil
    }

    /// The file's path, when there is a file that stays where it is.
    var remainingFile: String? {
        var status = stat()
        guard let path, unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return path
    }

    /// All that there is to import.
    func content() throws -> SecretBuffer {
        guard let path else {
            if SecretInput.isTerminal {
                throw Failure(.usage, "there is nothing to import", hint: "name a file, or pipe one in")
            }
            return try Self.content(of: 0, "standard input")
        }
        let what = "the file \(path)"
        let descriptor = try SecretInput.open(path, what: what)
        defer { close(descriptor) }
        let status = try SecretInput.awaitContent(of: descriptor, what: what, check: Self.check(what))
        let content = try Self.content(of: descriptor, what)
        if status.st_mode & S_IFMT == S_IFIFO, content.count == 0 {
            throw Failure(.io, "reading \(what): nothing came through this pipe")
        }
        return content
    }

    private static func check(_ what: String) -> (stat) throws -> Void {
        { status in
            guard SecretInput.isStream(status) else {
                throw Failure(.usage, "reading \(what): it is neither a file nor a pipe")
            }
            guard status.st_size <= maximumSize else {
                throw Failure(.usage, "reading \(what): it has more than \(maximumSize) bytes")
            }
        }
    }

    private static func content(of descriptor: Int32, _ what: String) throws -> SecretBuffer {
        var status = stat()
        // One that is not open is named below.
        if unsafe fstat(descriptor, &status) == 0 { try check(what)(status) }
        // Line by line already, so that what is no text at all ends it early.
        var number = 1
        var size = 0
        return try SecretInput.readAll(descriptor, what: what, limit: maximumSize) { bytes in
            for index in bytes.indices {
                if bytes[index] == UInt8(ascii: "\n") {
                    number += 1
                    size = 0
                } else {
                    size += 1
                    guard size <= maximumLineSize else {
                        throw Failure(.usage, "line \(number): it has more than \(maximumLineSize) bytes")
                    }
                }
            }
        }
    }
}
