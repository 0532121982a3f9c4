/// A redactor for what goes to a terminal, where a secret may have colours in it, and the ends of lines.
///
/// Control sequences (ECMA-48, and what xterm makes of it) and control characters are no text: a secret is found across
/// them, and they are all handed on, those within a secret behind its mask. What stands in a control string, such as a
/// window's title, is shown somewhere too: it is a text of its own.
///
/// What is typed must be seen, and the cursor must be where it belongs: so less than half of the smallest secret is not
/// held back when nothing follows for now. If it was the beginning of a secret, the rest is masked.
public struct TerminalRedactor: ~Copyable {
    /// Where the stream is.
    private enum Position {
        /// In text.
        case text
        /// Behind ESC.
        case escape
        /// In a control sequence, which begins with ESC [.
        case sequence
        /// In a control string: an operating system command (ESC ]), which BEL ends as well, or another kind.
        case string(endsWithBell: Bool)
    }

    /// What is less than that is not held back when nothing follows: half of ``Needles/minimumSize``.
    var releasedSize = Needles.minimumSize / 2

    private var text: Redactor
    /// For the control string that the stream is in.
    private var string: Redactor
    private var position = Position.text
    /// Whether a space within what may be a secret waits for what follows: with a carriage return it ends a line.
    private var hasSpace = false

    /// A redactor for one stream.
    ///
    /// - Parameters:
    ///   - matcher: What to look for.
    ///   - names: What to call the secrets, by their numbers.
    public init(_ matcher: Matcher, names: [String]) {
        text = Redactor(matcher, names: names)
        string = Redactor(matcher, names: names)
    }

    /// Takes the next bytes, and hands on what is certain.
    ///
    /// - Parameters:
    ///   - input: The next bytes.
    ///   - emit: Gets bytes in their order; they are lent for the call.
    public mutating func process(_ input: Span<UInt8>, _ emit: (Span<UInt8>) -> Void) {
        var output: [UInt8] = []
        process(input, into: &output)
        if text.depth < releasedSize { endSpace(&output) }
        text.release(below: releasedSize) { output.append($0) }
        if !output.isEmpty { emit(output.span) }
    }

    /// Ends the stream, and hands on what was held back. A part of a secret that is worth something is masked.
    public mutating func finish(_ emit: (Span<UInt8>) -> Void) {
        var output: [UInt8] = []
        endSpace(&output)
        endString(&output)
        text.finish { output.append($0) }
        if !output.isEmpty { emit(output.span) }
    }

    private mutating func process(_ input: Span<UInt8>, into output: inout [UInt8]) {
        var start = 0
        for index in input.indices {
            let byte = input[index]
            switch position {
            case .text:
                if hasSpace, byte != Self.carriageReturn { endSpace(&output) }
                guard byte < 0x20 && byte != Self.tab || byte == Self.delete else { continue }
                takeText(input.extracting(start..<index), &output)
                start = index
                if hasSpace, byte != Self.carriageReturn { endSpace(&output) }
                if byte == Self.escape {
                    position = .escape
                } else if text.isHolding, !text.goesOn(with: byte) {
                    if hasSpace { text.insert([Self.space].span) { output.append($0) } }
                    hasSpace = false
                    insert(input.extracting(index..<index + 1), &output)
                    start = index + 1
                } else {
                    endSpace(&output)
                }
            case .escape, .sequence:
                if let next = Self.position(behind: byte, in: position) {
                    position = next
                    if case .sequence = next { continue }
                    if case .escape = next { continue }
                    insert(input.extracting(start..<index + 1), &output)
                    start = index + 1
                } else {
                    // Not a part of what it seemed to be.
                    insert(input.extracting(start..<index), &output)
                    start = index
                    position = .text
                }
            case .string(let endsWithBell):
                guard
                    byte == Self.escape || byte == Self.cancel || byte == Self.substitute
                        || endsWithBell && byte == Self.bell
                else { continue }
                takeString(input.extracting(start..<index), &output)
                endString(&output)
                start = index
                position = byte == Self.escape ? .escape : .text
                if byte != Self.escape {
                    insert(input.extracting(index..<index + 1), &output)
                    start = index + 1
                }
            }
        }
        let rest = input.extracting(droppingFirst: start)
        switch position {
        case .text: takeText(rest, &output)
        case .escape, .sequence: insert(rest, &output)
        case .string: takeString(rest, &output)
        }
    }

    /// Takes text without control characters in it.
    private mutating func takeText(_ bytes: Span<UInt8>, _ output: inout [UInt8]) {
        guard !bytes.isEmpty else { return }
        let isSpaceLast = bytes[bytes.count - 1] == Self.space
        text.process(isSpaceLast ? bytes.extracting(droppingLast: 1) : bytes) { output.append($0) }
        guard isSpaceLast else { return }
        hasSpace = true
        if !text.isHolding || text.goesOn(with: Self.space) { endSpace(&output) }
    }

    private mutating func endSpace(_ output: inout [UInt8]) {
        guard hasSpace else { return }
        hasSpace = false
        text.process([Self.space].span) { output.append($0) }
    }

    private mutating func takeString(_ bytes: Span<UInt8>, _ output: inout [UInt8]) {
        var masked: [UInt8] = []
        string.process(bytes) { masked.append($0) }
        insert(masked.span, &output)
    }

    private mutating func endString(_ output: inout [UInt8]) {
        var masked: [UInt8] = []
        string.finish { masked.append($0) }
        insert(masked.span, &output)
    }

    private mutating func insert(_ bytes: Span<UInt8>, _ output: inout [UInt8]) {
        if !bytes.isEmpty { text.insert(bytes) { output.append($0) } }
    }

    /// Where the stream is behind a byte of a control sequence; nil when the byte cannot be one.
    private static func position(behind byte: UInt8, in position: Position) -> Position? {
        switch (byte, position) {
        case (escape, _): .escape
        case (cancel, _), (substitute, _): .text
        // Other control characters do what they do anywhere.
        case (..<0x20, _), (0x20...0x2f, _): position
        case (UInt8(ascii: "["), .escape): .sequence
        case (UInt8(ascii: "]"), .escape): .string(endsWithBell: true)
        case (UInt8(ascii: "P"), .escape), (UInt8(ascii: "X"), .escape), (UInt8(ascii: "^"), .escape),
            (UInt8(ascii: "_"), .escape):
            .string(endsWithBell: false)
        case (0x30...0x3f, .sequence): position
        case (0x30...0x7e, _): .text
        default: nil
        }
    }

    private static let bell: UInt8 = 0x07
    private static let tab: UInt8 = 0x09
    private static let carriageReturn: UInt8 = 0x0d
    private static let cancel: UInt8 = 0x18
    private static let substitute: UInt8 = 0x1a
    private static let escape: UInt8 = 0x1b
    private static let space: UInt8 = 0x20
    private static let delete: UInt8 = 0x7f
}

extension Array<UInt8> {
    fileprivate mutating func append(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }
}
