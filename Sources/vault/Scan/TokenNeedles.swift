internal import Injection
internal import Redaction
internal import Resources
internal import Sodium
internal import VaultFile

/// The tokens of resources as something to look for, and what each of them is called.
struct TokenNeedles: ~Copyable {
    /// A token that is looked for.
    struct Source: Sendable {
        let name: String
        /// Whether it is one of the history.
        let isEarlier: Bool
    }

    private var needles = Needles()
    /// The tokens by their numbers.
    private(set) var sources: [Source] = []

    /// None yet.
    init() {}

    /// The tokens of a vault, with those before them.
    ///
    /// - Parameters:
    ///   - names: The resources; all when none is named.
    ///   - session: The vault.
    ///   - withHeaders: Whether the values of headers are looked for as a whole.
    /// - Throws: ``Failure``, or what reading the vault throws.
    init(_ names: [RecordName], _ session: Session, withHeaders: Bool) throws {
        var reader = try session.vault.open()
        // A token that one resource has now, and another one had before, is the former.
        for isEarlier in [false, true] {
            if names.isEmpty {
                try reader.forEachRecord { try add($0, isEarlier: isEarlier, withHeaders: withHeaders) }
            }
            for name in names {
                let found: Void? = try reader.withRecord(named: name) {
                    try add($0, isEarlier: isEarlier, withHeaders: withHeaders)
                }
                guard found != nil else { throw ResourceNames.missing(name, in: reader) }
            }
        }
    }

    private mutating func add(_ line: Span<UInt8>, isEarlier: Bool, withHeaders: Bool) throws {
        let record = try RecordView(line)
        record.forEachToken(in: line) { number, token in
            guard (number > 0) == isEarlier else { return }
            add(token, of: record.resource, isEarlier: isEarlier, withHeaders: withHeaders)
        }
    }

    /// Adds a token in all its forms.
    mutating func add(_ token: Span<UInt8>, of resource: Resource, isEarlier: Bool = false, withHeaders: Bool = true) {
        let number = sources.count
        sources.append(Source(name: resource.name.description, isEarlier: isEarlier))
        for header in resource.headers where withHeaders && header.value.isSecret {
            var value = SecretBuffer()
            HeaderRenderer.appendValue(of: header, resource, token: token, to: &value)
            value.withBytes { needles.add(headerValue: $0, lead: header.value.publicLead, number: number) }
        }
        needles.add(token, number: number)
    }

    /// What finds them.
    consuming func matcher() -> Matcher { Matcher(needles) }
}
