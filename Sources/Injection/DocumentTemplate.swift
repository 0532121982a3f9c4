public import Resources
public import Sodium
public import VaultFile

/// A document of any kind, such as a configuration file, with variables of resources in it: `{{github.token}}`.
///
/// A document is bytes, which need not be text. Only what is ours is replaced, since other programs have braces too. Ours
/// is a resource's name, a dot and one of the ``Template/Variable``s between two braces, with spaces or tabs around it or
/// without. What only comes near to that is a mistake if it begins with the name of a resource that there is, and left
/// alone if it does not. `${{…}}` is the expression of a workflow, and left alone as well.
///
/// The document itself is not kept: it is lent again where it is needed, and has to be the same.
public struct DocumentTemplate: Sendable {
    /// The size of a document, in bytes, that nobody writes by hand: 16 MiB.
    public static let maximumSize = 16 << 20

    /// A variable at its place.
    public struct Reference: Equatable, Sendable {
        /// The name of its resource.
        public let name: RecordName
        /// What of the resource is meant.
        public let variable: Template.Variable
        /// Where it stands, with its braces.
        public let range: Range<Int>
    }

    /// Something that was meant for us, and cannot be replaced.
    public struct Mistake: Equatable, Sendable {
        /// What is wrong.
        public enum Kind: Equatable, Sendable {
            /// There is no resource of that name.
            case noResource(RecordName)
            /// The resource has no such variable.
            case noVariable(RecordName)
            /// It is almost this variable of the resource.
            case almost(RecordName, Template.Variable)
            /// Behind what stands there for the resource, the braces are not closed.
            case noEnd(RecordName)
            /// The resource has no user name.
            case noUsername(RecordName)
            /// The resource's user name has a colon in it, at which Basic would end it (RFC 7617).
            case colonInUsername(RecordName)
        }

        /// What is wrong.
        public let kind: Kind
        /// Where it begins: the number of bytes in front of it.
        public let offset: Int
    }

    /// A place as editors count it.
    public struct Position: Equatable, Sendable {
        /// The line, from 1. Lines end with a line feed.
        public let line: Int
        /// The character within the line, from 1, as UTF-8 has characters; a tab is one.
        public let column: Int

        /// A place.
        public init(line: Int, column: Int) {
            self.line = line
            self.column = column
        }
    }

    /// The variables, in the order of their places.
    public let references: [Reference]
    /// The mistakes, in the order of their places.
    public let mistakes: [Mistake]

    /// Reads a document.
    ///
    /// - Parameters:
    ///   - document: All of it.
    ///   - isResource: Whether there is a resource of that name. Asked once for each.
    /// - Throws: What `isResource` throws.
    public init<E: Error>(_ document: Span<UInt8>, isResource: (RecordName) throws(E) -> Bool) throws(E) {
        var references: [Reference] = []
        var mistakes: [Mistake] = []
        var known: [RecordName: Bool] = [:]
        var index = 0
        while index + 1 < document.count {
            guard document[index] == .openingBrace, document[index + 1] == .openingBrace else {
                index += 1
                continue
            }
            guard index == 0 || document[index - 1] != UInt8(ascii: "$"),
                let expression = Expression(document, at: index)
            else {
                index += 1
                continue
            }
            let exists: Bool
            if let answer = known[expression.name] {
                exists = answer
            } else {
                exists = try isResource(expression.name)
                known[expression.name] = exists
            }
            switch expression.meaning(exists: exists) {
            case .variable(let variable):
                let range = index..<expression.end
                references.append(Reference(name: expression.name, variable: variable, range: range))
                index = expression.end
            case .mistake(let kind):
                mistakes.append(Mistake(kind: kind, offset: index))
                index += 2
            case nil: index += 1
            }
        }
        self.references = references
        self.mistakes = mistakes
    }

    /// The names of the resources that are asked for, in the order in which they come first.
    public var names: [RecordName] {
        var seen: Set<RecordName> = []
        return references.map(\.name).filter { seen.insert($0).inserted }
    }

    /// The mistakes that only the resources tell.
    ///
    /// - Parameter resources: Those of ``names``.
    /// - Returns: The mistakes, in the order of their places.
    public func mistakes(of resources: [Resource]) -> [Mistake] {
        let usernames = Dictionary(resources.map { ($0.name, $0.username) }) { first, _ in first }
        return references.compactMap { reference in
            guard reference.variable == .username || reference.variable == .basic else { return nil }
            guard let username = usernames[reference.name] ?? nil else {
                return Mistake(kind: .noUsername(reference.name), offset: reference.range.lowerBound)
            }
            guard reference.variable == .basic, username.utf8.contains(UInt8(ascii: ":")) else { return nil }
            return Mistake(kind: .colonInUsername(reference.name), offset: reference.range.lowerBound)
        }
    }

    /// Puts something in the place of each variable.
    ///
    /// - Parameters:
    ///   - document: What was read.
    ///   - append: Appends what a variable stands for.
    ///   - write: Gets the result, piece by piece. No piece is larger than 64 KiB and one value.
    /// - Throws: What `write` throws.
    public func render<E: Error>(
        _ document: Span<UInt8>, append: (Reference, inout SecretBuffer) -> Void,
        write: (Span<UInt8>) throws(E) -> Void
    ) throws(E) {
        var output = SecretBuffer(capacity: min(document.count, Self.pieceSize) + 1024)
        var start = 0
        for reference in references {
            try Self.copy(document.extracting(start..<reference.range.lowerBound), to: &output, write)
            append(reference, &output)
            start = reference.range.upperBound
        }
        try Self.copy(document.extracting(droppingFirst: start), to: &output, write)
        if output.count > 0 { try output.withBytes(write) }
    }

    private static let pieceSize = 64 << 10

    private static func copy<E: Error>(
        _ text: Span<UInt8>, to output: inout SecretBuffer, _ write: (Span<UInt8>) throws(E) -> Void
    ) throws(E) {
        var start = 0
        while start < text.count {
            if output.count >= pieceSize {
                try output.withBytes(write)
                output.removeAll()
            }
            let end = min(text.count, start + pieceSize - output.count)
            output.append(text.extracting(start..<end))
            start = end
        }
    }

    /// Where a byte of the document stands.
    public static func position(of offset: Int, in document: Span<UInt8>) -> Position {
        var line = 1
        var column = 1
        for index in 0..<offset {
            if document[index] == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else if document[index] & 0xc0 != 0x80 {
                // What continues a character has the bits 10 in front.
                column += 1
            }
        }
        return Position(line: line, column: column)
    }
}

/// What stands behind two braces, as far as it could be meant for us.
private struct Expression {
    /// What it is.
    enum Meaning {
        case variable(Template.Variable)
        case mistake(DocumentTemplate.Mistake.Kind)
    }

    /// What could be the name of a resource.
    let name: RecordName
    /// What stands there for a variable.
    private let word: String
    /// Whether it is in the form that `exec` has for its arguments, `{{token:NAME}}`.
    private let isForArgument: Bool
    /// Whether nothing else stands in the braces, and they are closed.
    private let isClosed: Bool
    /// Where it ends, with its braces.
    let end: Int

    /// A name, a dot or a colon, and a word longer than all of ours: more is not meant for us, and what has many braces
    /// takes no long look at each.
    private static let maximumSize = RecordName.maximumSize + 64

    /// Reads it; nil when it cannot be meant for us.
    init?(_ document: Span<UInt8>, at start: Int) {
        let textStart = Self.skipSpace(document, from: start + 2)
        var index = textStart
        while index < document.count, index - textStart <= Self.maximumSize, document[index].isExpressionByte {
            index += 1
        }
        guard index - textStart <= Self.maximumSize else { return nil }
        let text = document.extracting(textStart..<index).publicCopy
        index = Self.skipSpace(document, from: index)
        isClosed =
            index + 1 < document.count && document[index] == .closingBrace && document[index + 1] == .closingBrace
        end = isClosed ? index + 2 : index
        let name: ArraySlice<UInt8>
        let word: ArraySlice<UInt8>
        if let colon = text.firstIndex(of: UInt8(ascii: ":")) {
            (word, name) = (text[..<colon], text[(colon + 1)...])
            isForArgument = true
        } else {
            // The last one: a name may have dots in it.
            guard let dot = text.lastIndex(of: UInt8(ascii: ".")) else { return nil }
            (name, word) = (text[..<dot], text[(dot + 1)...])
            isForArgument = false
        }
        guard let name = RecordName(String(decoding: name, as: UTF8.self)) else { return nil }
        self.name = name
        self.word = String(decoding: word, as: UTF8.self)
    }

    private static func skipSpace(_ document: Span<UInt8>, from start: Int) -> Int {
        var index = start
        while index < document.count, document[index] == UInt8(ascii: " ") || document[index] == UInt8(ascii: "\t") {
            index += 1
        }
        return index
    }

    /// What it is, given whether there is a resource of that name; nil when it is none of ours.
    func meaning(exists: Bool) -> Meaning? {
        let variable = Template.Variable(rawValue: word)
        if isClosed, !isForArgument, let variable {
            return exists ? .variable(variable) : .mistake(.noResource(name))
        }
        guard exists else { return nil }
        guard isClosed else { return isForArgument ? nil : .mistake(.noEnd(name)) }
        if let meant = variable ?? Self.variable(near: word) { return .mistake(.almost(name, meant)) }
        return isForArgument ? nil : .mistake(.noVariable(name))
    }

    /// What `Token`, `header` or `curl-config` is a slip of the pen for.
    private static func variable(near word: String) -> Template.Variable? {
        let word = word.lowercased().filter { $0 != "-" && $0 != "_" }
        return Template.Variable.allCases.first { variable in
            let name = variable.rawValue.filter { $0 != "_" }
            return [name, name + "s"].contains(word) || word + "s" == name
        }
    }
}

extension UInt8 {
    fileprivate static let openingBrace = UInt8(ascii: "{")
    fileprivate static let closingBrace = UInt8(ascii: "}")

    /// What a name, a variable, and what stands between them are made of.
    fileprivate var isExpressionByte: Bool {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-")...UInt8(ascii: "/"), UInt8(ascii: "_"),
            UInt8(ascii: ":"):
            true
        default: false
        }
    }
}
