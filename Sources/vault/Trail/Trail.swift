internal import Glibc
internal import SystemPackage
internal import VaultFile

/// What the trail is told of one command: each time that a token leaves the vault by it, or is refused to it.
///
/// A trail that cannot be written never keeps a command from its work.
struct Trail {
    /// What became of a token that was asked for.
    enum Outcome: String {
        /// It was handed out.
        case ok
        /// This program refused to hand it out.
        case refused
        /// What was to get it could not be started.
        case failed

        /// The outcome when an error ended the command.
        init(_ error: any Error) {
            let status = Failure(error).status
            self = [Status.io.rawValue, 126, 127].contains(status) ? .failed : .refused
        }
    }

    /// What stands for the names where all tokens left at once.
    static let all = "*"

    private let verb: String
    private let vault: String
    private let isQuiet: Bool
    /// The name of the file that was found for the command to run; of no other word of it, which may be a token in a
    /// wrong place.
    private var program: String?
    /// The names of the resources whose tokens were asked for, and are there.
    var asked: [String] = []

    /// The trail of a command, as its options have it.
    init(_ verb: String, _ access: Access) {
        self.verb = verb
        vault = (try? Session.path(access).absolute.string) ?? ""
        isQuiet = access.quiet
    }

    /// Takes the name of a program, given by its path that ends in a zero byte, and nothing else of that.
    mutating func take(program path: [CChar]) {
        let bytes = path.dropLast().map { UInt8(bitPattern: $0) }
        let start = bytes.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
        program = String(decoding: bytes[start...], as: UTF8.self)
    }

    /// Writes down what became of the tokens that were asked for.
    func append(_ outcome: Outcome) { append(outcome, of: asked) }

    /// Writes down what became of the tokens of these resources.
    func append(_ outcome: Outcome, of resources: [String]) {
        guard !resources.isEmpty, let file = TrailFile() else { return }
        let origin = TrailEntry.Origin()
        var lines: [UInt8] = []
        for resource in resources {
            let entry = TrailEntry(
                vault: vault, resource: resource, verb: verb, program: program, origin: origin, outcome: outcome)
            lines += entry.json.utf8
            lines.append(UInt8(ascii: "\n"))
        }
        do throws(TrailFile.Problem) {
            try file.append(lines)
        } catch {
            Messages.notice("the use of a token could not be written down: \(error.text)", unless: isQuiet)
        }
    }

    /// Runs a check of what was asked for, and writes down when it refuses.
    func checking<R>(_ body: () throws -> R) throws -> R {
        do {
            return try body()
        } catch {
            append(Outcome(error))
            throw error
        }
    }
}
