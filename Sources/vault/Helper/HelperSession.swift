internal import ArgumentParser
internal import Injection
internal import Resources
internal import Sodium
internal import VaultFile

/// The options that every helper has.
struct HelperOptions: ParsableArguments {
    @Flag(help: "Print secrets even on a terminal.")
    var reveal = false

    @OptionGroup private var options: AccessOptions

    /// How the vault is opened: nobody is asked, wherever the client runs.
    var access: Access {
        var access = options.access
        access.isHelper = true
        return access
    }
}

/// What all helpers have in common: a request on standard input, a vault that opens without a question, and one token for
/// one URL, of which the trail is told.
struct HelperSession: ~Copyable {
    private let session: Session
    private let options: HelperOptions
    private var reader: VaultReader
    private(set) var trail: Trail

    /// Opens the vault for a client, by the name that its helper has.
    init(_ client: String, _ options: HelperOptions) throws {
        let session = try Session(options.access)
        reader = try session.vault.open()
        self.session = session
        self.options = options
        trail = Trail("helper \(client)", options.access)
    }

    /// What the client wrote: all of standard input.
    static func request(of client: String) throws -> SecretBuffer {
        if SecretInput.isTerminal {
            throw Failure(
                .usage, "standard input is a terminal, and the request comes from \(client)",
                hint: "this is for \(client) to start, not for you")
        }
        return try SecretInput.readAll(0, what: "the request of \(client)", limit: ClientRequest.maximumSize)
    }

    /// The one resource that a URL lies inside; nil when there is none, and with `names` none of these. More than one is
    /// refused, since a client cannot say which of them it means.
    mutating func resource(for url: ResourceURL) throws -> (found: RecordName?, match: ResourceMatch) {
        let match = try ResourceMatch(url, among: [], in: &reader)
        trail.asked = match.covering.map(\.description)
        return try trail.checking {
            (try match.only(hint: "a helper cannot choose: change the URLs of one with '\(Process.name) edit'"), match)
        }
    }

    /// Refuses a URL that lies outside of a resource that is named.
    mutating func check(_ url: ResourceURL, isInside name: RecordName) throws {
        let match = try ResourceMatch(url, among: [name], in: &reader)
        guard !match.present.isEmpty else { throw ResourceNames.missing(name, in: reader) }
        trail.asked = match.present.map(\.description)
        try trail.checking { if match.covering.isEmpty { throw match.missing } }
    }

    /// Reads a record whose token is asked for from now on.
    mutating func record(named name: RecordName) throws -> Record {
        let record = try Session.record(named: name, in: &reader)
        trail.asked = [name.description]
        return record
    }

    /// Refuses a user name that would end at its first colon (RFC 7617), as clients send it.
    func check(username: String) throws {
        try trail.checking {
            guard !username.utf8.contains(UInt8(ascii: ":")) else {
                throw Failure(.notAllowed, "the user name has a colon in it, which Basic cannot have (RFC 7617)")
            }
        }
    }

    /// Hands out the token of a record that has not expired, in the client's words.
    ///
    /// - Parameters:
    ///   - record: The record.
    ///   - append: Writes the answer. A terminal is shown one with a mask for the token.
    /// - Throws: ``Failure``, or what `append` throws.
    func answer(
        with record: borrowing Record, _ append: (_ token: Span<UInt8>, inout SecretBuffer) throws -> Void
    ) throws {
        let resource = record.resource
        try trail.checking { try Expiry.check(resource, allowsExpired: false, hasOption: false) }
        var output = SecretBuffer()
        let isMasked = Output.isTerminal && !options.reveal
        if isMasked {
            let mask = Array(Output.mask.utf8)
            try append(mask.span, &output)
        } else {
            try record.withToken { try append($0, &output) }
            trail.append(.ok)
        }
        try Output.flush(&output)
        if isMasked { Output.noteMask(unless: options.access.quiet) }
        session.finish()
    }

    /// Says why nothing is found, where that is only because the client asks for more than a resource is for.
    func noteNarrower(_ match: ResourceMatch, hint: String? = nil) {
        guard !match.narrower.isEmpty, !options.access.quiet else { return }
        let names = match.narrower.map(\.description).joined(separator: ", ")
        Messages.print("\(match.url) is wider than what there is a token for: \(names)", hint: hint)
    }

    /// Goes through all resources, without their tokens.
    mutating func forEachResource(_ body: (Resource) throws -> Void) throws {
        try reader.forEachRecord { try body(RecordView($0).resource) }
    }
}

extension Failure {
    /// A user name that a helper was given, if it is one that can be sent.
    static func checkUsername(_ username: String?) throws {
        guard let username else { return }
        guard !username.isEmpty, !username.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f || $0 == UInt8(ascii: ":") })
        else {
            throw Failure(.usage, "a user name has no colon and no control characters, and is not empty")
        }
    }
}
