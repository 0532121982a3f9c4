internal import CLinux
internal import Sodium

/// What to look for so that a secret is found: the secret itself, and every form that programs commonly write it in.
public struct Needles: ~Copyable {
    /// A form of a secret.
    public enum Form: String, Sendable {
        /// As it is.
        case raw
        /// As a line of it, where it has several.
        case line
        /// Within a header's value.
        case header
        /// Base64 in the standard alphabet.
        case base64
        /// Base64 in the alphabet for URLs.
        case base64url
        /// Hexadecimal digits.
        case hex
        /// Percent-encoded.
        case percent
        /// With the escapes of JSON.
        case json
        /// Quoted for a shell.
        case shell
    }

    /// The fewest bytes that are looked for.
    public static let minimumSize = 8

    /// One form of one secret.
    struct Needle: Sendable {
        /// Where it stands in the arena. What is a part of another one shares its bytes: a secret is there once.
        let range: Range<Int>
        let secret: Int
        let form: Form
        /// How many bytes at its beginning are no secret.
        var lead = 0
    }

    private var arena = SecretBuffer()
    private(set) var needles: [Needle] = []
    /// Where the bytes and the needles of the last secret begin: its forms are compared with each other only.
    private var secretStart = (number: -1, arena: 0, needles: 0)

    /// No needles.
    public init() {}

    /// Adds all forms of a secret.
    ///
    /// - Parameters:
    ///   - secret: At least ``minimumSize`` bytes; fewer are not looked for.
    ///   - number: What a finding gives back.
    public mutating func add(_ secret: Span<UInt8>, number: Int) {
        guard secret.count >= Self.minimumSize else { return }
        add(.raw, number) { $0.append(secret) }
        for alignment in 0..<3 {
            add(.base64, number) { Self.appendBase64(secret, alignment, isURL: false, &$0) }
            add(.base64url, number) { Self.appendBase64(secret, alignment, isURL: true, &$0) }
        }
        for digits in [Self.lowerDigits, Self.upperDigits] {
            add(.hex, number) { output in
                for index in secret.indices { Self.appendHex(secret[index], digits, &output) }
            }
            // Some encoders leave a slash as it is.
            for slash in [nil, UInt8(ascii: "/")] {
                add(.percent, number) { output in
                    for index in secret.indices {
                        if Self.isUnreserved(secret[index]) || secret[index] == slash {
                            output.append(secret.extracting(index..<index + 1))
                        } else {
                            output.append("%")
                            Self.appendHex(secret[index], digits, &output)
                        }
                    }
                }
            }
        }
        for style in JSONStyle.allCases { add(.json, number) { Self.appendJSON(secret, style, &$0) } }
        for quotedQuote: StaticString in ["'\\''", "'\"'\"'"] {
            add(.shell, number) { output in
                for index in secret.indices {
                    if secret[index] == UInt8(ascii: "'") {
                        output.append(quotedQuote)
                    } else {
                        output.append(secret.extracting(index..<index + 1))
                    }
                }
            }
        }
        add(.shell, number) { output in
            for index in secret.indices {
                if Self.isShellSpecial(secret[index], isFirst: index == 0) { output.append("\\") }
                output.append(secret.extracting(index..<index + 1))
            }
        }
        // Within double quotes, as bash's `declare -p` has it.
        add(.shell, number) { output in
            for index in secret.indices {
                if [UInt8(ascii: "\""), UInt8(ascii: "$"), UInt8(ascii: "\\"), UInt8(ascii: "`")].contains(
                    secret[index])
                {
                    output.append("\\")
                }
                output.append(secret.extracting(index..<index + 1))
            }
        }
        addLines(of: secret, number: number)
    }

    /// Adds a header's value with a secret in it, as it is. Before the secret itself, which then takes no space.
    ///
    /// - Parameters:
    ///   - value: The value.
    ///   - lead: How many bytes at its beginning are no secret, such as the name of a scheme.
    ///   - number: What a finding gives back.
    public mutating func add(headerValue value: Span<UInt8>, lead: Int, number: Int) {
        let count = needles.count
        add(.header, number) { $0.append(value) }
        if needles.count > count { needles[count].lead = lead }
    }

    /// Adds each line of a secret that has several: what prints it may indent them, or end them in another way.
    private mutating func addLines(of secret: Span<UInt8>, number: Int) {
        var start = 0
        for end in 0...secret.count where end == secret.count || secret[end] == UInt8(ascii: "\n") {
            let hasReturn = end > start && secret[end - 1] == UInt8(ascii: "\r")
            add(.line, number) { $0.append(secret.extracting(start..<(hasReturn ? end - 1 : end))) }
            start = end + 1
        }
    }

    /// The bytes of all needles, in a region of their size.
    consuming func text() -> SecretBytes { arena.finish() }

    /// The first form of a secret that stands in `bytes`.
    ///
    /// - Returns: The number that the secret was added with, and the form; nil when there is none.
    public borrowing func first(in bytes: Span<UInt8>) -> (number: Int, form: Form)? {
        arena.withBytes { arena in
            for needle in needles where Self.offset(of: arena.extracting(needle.range), in: bytes) != nil {
                return (needle.secret, needle.form)
            }
            return nil
        }
    }

    /// Adds one form, unless the secret has it already or it is too short.
    private mutating func add(_ form: Form, _ number: Int, _ write: (inout SecretBuffer) -> Void) {
        if secretStart.number != number { secretStart = (number, arena.count, needles.count) }
        let start = arena.count
        write(&arena)
        let size = arena.count - start
        guard size >= Self.minimumSize else { return arena.truncate(to: start) }
        let earlier = arena.withBytes { bytes in
            Self.offset(
                of: bytes.extracting(droppingFirst: start), in: bytes.extracting(secretStart.arena..<start))
        }
        var range = start..<arena.count
        if let earlier {
            arena.truncate(to: start)
            range = secretStart.arena + earlier..<secretStart.arena + earlier + size
            let isThere = arena.withBytes { bytes in
                needles[secretStart.needles...].contains { needle in
                    needle.range.count == size
                        && Self.offset(of: bytes.extracting(range), in: bytes.extracting(needle.range)) == 0
                }
            }
            if isThere { return }
        }
        needles.append(Needle(range: range, secret: number, form: form))
    }

    /// The characters that the secret alone determines when `alignment` bytes (modulo 3) stand in front of it.
    private static func appendBase64(
        _ secret: Span<UInt8>, _ alignment: Int, isURL: Bool, _ output: inout SecretBuffer
    ) {
        // A character is six bits. The first one that has none of its bits from in front begins at this bit of the
        // secret; what is left over at the end belongs to a character that shares bits with what follows.
        let start = [0, 4, 2][alignment]
        let characters = (secret.count * 8 - start) / 6
        output.withSpace(characters) { space in
            for index in 0..<characters {
                let bit = start + index * 6
                let high = UInt16(secret[bit / 8])
                let low = bit / 8 + 1 < secret.count ? UInt16(secret[bit / 8 + 1]) : 0
                let value = UInt8(truncatingIfNeeded: (high << 8 | low) >> UInt16(10 - bit % 8)) & 63
                space[index] = base64Character(value, isURL: isURL)
            }
            return characters
        }
    }

    private static func base64Character(_ value: UInt8, isURL: Bool) -> UInt8 {
        switch value {
        case ..<26: value + UInt8(ascii: "A")
        case ..<52: value - 26 + UInt8(ascii: "a")
        case ..<62: value - 52 + UInt8(ascii: "0")
        case 62: UInt8(ascii: isURL ? "-" : "+")
        default: UInt8(ascii: isURL ? "_" : "/")
        }
    }

    private static func appendHex(_ byte: UInt8, _ digits: StaticString, _ output: inout SecretBuffer) {
        output.withSpace(2) { space in
            space[0] = unsafe digits.utf8Start[Int(byte >> 4)]
            space[1] = unsafe digits.utf8Start[Int(byte & 15)]
            return 2
        }
    }

    /// RFC 3986, 2.3.
    private static func isUnreserved(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte | 0x20) || [0x2d, 0x2e, 0x5f, 0x7e].contains(byte)
    }

    /// What a shell would not take for itself behind a backslash only, as bash's `printf %q` has it.
    private static func isShellSpecial(_ byte: UInt8, isFirst: Bool) -> Bool {
        switch byte {
        case UInt8(ascii: "#"), UInt8(ascii: "~"): isFirst
        case UInt8(ascii: " "), UInt8(ascii: "!"), UInt8(ascii: "\""), UInt8(ascii: "$"),
            UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "*"),
            UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "?"),
            UInt8(ascii: "["), UInt8(ascii: "\\"), UInt8(ascii: "]"), UInt8(ascii: "^"), UInt8(ascii: "`"),
            UInt8(ascii: "{"), UInt8(ascii: "|"), UInt8(ascii: "}"):
            true
        default: false
        }
    }

    /// How much an encoder of JSON escapes.
    private enum JSONStyle: CaseIterable {
        /// What must be.
        case minimal
        /// Slashes as well, as PHP does.
        case slashes
        /// All that is not ASCII as well, as Python does.
        case ascii
        /// Both.
        case slashesAndASCII

        var escapesSlashes: Bool { self == .slashes || self == .slashesAndASCII }
        var escapesAllButASCII: Bool { self == .ascii || self == .slashesAndASCII }
    }

    /// RFC 8259, 7.
    private static func appendJSON(_ secret: Span<UInt8>, _ style: JSONStyle, _ output: inout SecretBuffer) {
        func appendEscape(_ unit: UInt16, _ output: inout SecretBuffer) {
            output.append("\\u")
            appendHex(UInt8(unit >> 8), lowerDigits, &output)
            appendHex(UInt8(truncatingIfNeeded: unit), lowerDigits, &output)
        }
        var index = 0
        while index < secret.count {
            let byte = secret[index]
            if style.escapesAllButASCII, let (scalar, size) = scalar(in: secret, at: index) {
                for unit in String(scalar).utf16 { appendEscape(unit, &output) }
                index += size
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): output.append("\\\"")
            case UInt8(ascii: "\\"): output.append("\\\\")
            case UInt8(ascii: "/") where style.escapesSlashes: output.append("\\/")
            case 0x08: output.append("\\b")
            case 0x09: output.append("\\t")
            case 0x0a: output.append("\\n")
            case 0x0c: output.append("\\f")
            case 0x0d: output.append("\\r")
            case ..<0x20: appendEscape(UInt16(byte), &output)
            default: output.append(secret.extracting(index..<index + 1))
            }
            index += 1
        }
    }

    /// The scalar beyond ASCII that begins at `index`, if one does (RFC 3629).
    private static func scalar(in secret: Span<UInt8>, at index: Int) -> (Unicode.Scalar, Int)? {
        let size: Int
        switch secret[index] {
        case 0xc2...0xdf: size = 2
        case 0xe0...0xef: size = 3
        case 0xf0...0xf4: size = 4
        default: return nil
        }
        guard index + size <= secret.count else { return nil }
        var value = UInt32(secret[index]) & (0xff >> UInt32(size + 1))
        for place in index + 1..<index + size {
            guard secret[place] & 0xc0 == 0x80 else { return nil }
            value = value << 6 | UInt32(secret[place] & 0x3f)
        }
        return Unicode.Scalar(value).map { ($0, size) }
    }

    /// Where `needle` first stands in `bytes`.
    private static func offset(of needle: Span<UInt8>, in bytes: Span<UInt8>) -> Int? {
        unsafe bytes.withUnsafeBytes { bytes in
            unsafe needle.withUnsafeBytes { needle in
                guard let haystack = bytes.baseAddress, let start = needle.baseAddress,
                    let found = unsafe clinux_find(haystack, bytes.count, start, needle.count)
                else { return nil }
                return unsafe UnsafeRawPointer(found) - haystack
            }
        }
    }

    private static let lowerDigits: StaticString = "0123456789abcdef"
    private static let upperDigits: StaticString = "0123456789ABCDEF"
}
