internal import ArgumentParser
internal import Glibc
internal import Redaction
internal import VaultFile

struct RedactCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redact", abstract: "Pass standard input on, with tokens masked.",
        discussion: """
            Each token of the vault, and each earlier one, is replaced by [vault:NAME], in whatever form it stands there: \
            as it is, in base64, in hexadecimal digits, percent-encoded, or quoted for JSON or a shell. Everything else \
            comes out byte for byte. What may still become a token is held back until that is certain, and nothing else.
            """)

    @Argument(
        help: "The resources; all when none is named.", completion: .custom { _, _, _ in ResourceNames.complete() })
    var names: [String] = []

    @OptionGroup var options: AccessOptions

    func run() throws {
        let session = try Session(options.access)
        let tokens = try TokenNeedles(names.map { try RecordName.parse($0) }, session, withHeaders: true)
        session.finish()
        let sources = tokens.sources.map(\.name)
        var redactor = Redactor(tokens.matcher(), names: sources)
        var failure: (any Error)?
        func write(_ bytes: Span<UInt8>) {
            guard failure == nil else { return }
            do { try Output.write(bytes) } catch { failure = error }
        }
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(0, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN {
                Output.wait(for: 0, POLLIN)
                continue
            }
            guard count >= 0 else { throw Failure(.io, "reading standard input: \(Failure.text(errno))") }
            if count == 0 { break }
            redactor.process(buffer.span.extracting(first: count), write)
            if let failure { throw failure }
        }
        redactor.finish(write)
        if let failure { throw failure }
    }
}
