internal import Glibc
internal import VaultFile

// Who is spoken to, and where: data goes to standard output, everything else to standard error, and questions to the
// terminal itself, so that no redirection can answer or hide them. Messages begin in lower case, have no full stop, and
// never hold a secret.

/// What is said to the person who runs the program.
enum Messages {
    /// A message, and what to do about it.
    static func print(_ message: String, hint: String? = nil) {
        print(message, hints: hint.map { [$0] } ?? [])
    }

    /// A message, and what to do about it in each case that there may be.
    static func print(_ message: String, hints: [String]) {
        let hints = hints.map { "hint: \(visible($0))\n" }.joined()
        write("\(visible(Process.name)): \(visible(message))\n\(hints)")
    }

    /// What is good to know and no error; dropped by `--quiet`.
    static func note(_ message: String, unless quiet: Bool) {
        if !quiet { print(message) }
    }

    /// What is no error and would be noise in a script: shown on a terminal only.
    static func notice(_ message: String, unless quiet: Bool) {
        if !quiet, isatty(2) == 1 { print(message) }
    }

    static func write(_ text: String) {
        let bytes = Array(text.utf8)
        _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(2, $0.baseAddress, $0.count) }
    }

    /// `text` without control characters, which a file's name or a record may have and a terminal would obey.
    static func visible(_ text: String) -> String {
        let text = withoutKeys(text)
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.map { isControl($0) ? "\u{fffd}" : $0 }))
    }

    /// `text` without secret keys of age, which somebody may have given where a path or a name belongs.
    private static func withoutKeys(_ text: String) -> String {
        let prefix = "AGE-SECRET-KEY-1"
        guard let start = text.firstRange(of: prefix) else { return text }
        let tail = text[start.upperBound...]
        let rest = tail.drop { $0.isASCII && ($0.isLetter || $0.isNumber) }
        return text[..<start.upperBound] + (rest.startIndex == tail.startIndex ? "" : "…") + withoutKeys(String(rest))
    }

    /// The same for a path, which need not be text: all else of it stays as it is.
    static func visible(path: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        var rest = path[...]
        while !rest.isEmpty {
            var parser = Unicode.UTF8.ForwardParser()
            var bytes = rest.makeIterator()
            var size = 1
            var hidden = false
            switch parser.parseScalar(from: &bytes) {
            case .valid(let encoded):
                size = encoded.count
                hidden = isControl(Unicode.UTF8.decode(encoded))
            case .error(let length): size = length
            case .emptyInput: break
            }
            output += hidden ? Array("\u{fffd}".utf8) : Array(rest.prefix(size))
            rest = rest.dropFirst(size)
        }
        return output
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || scalar.value == 0x7f || JSONText.isObeyed(scalar.value)
    }
}
