internal import ChildProcess
internal import Redaction

/// What masks the tokens in the output of a command: a filter for each of its streams.
final class OutputMasks {
    private let matcher: Matcher
    private let names: [String]
    /// The filter of standard output, where that is no terminal.
    private var output: PipeMask?

    init(_ needles: consuming TokenNeedles) {
        names = needles.sources.map(\.name)
        matcher = needles.matcher()
    }

    /// The filter of one stream.
    func filter(_ descriptor: Int32, _ kind: Relay.StreamKind) -> any OutputFilter {
        switch kind {
        case .terminal:
            return TerminalMask(TerminalRedactor(matcher, names: names))
        case .pipe:
            let mask = PipeMask(Redactor(matcher, names: names))
            if descriptor == 1 { output = mask }
            return mask
        }
    }

    /// How often something was masked in standard output, where that is no terminal: there the masks can be seen.
    var countInOutput: Int { output?.maskCount ?? 0 }
}

private final class PipeMask: OutputFilter {
    private var redactor: Redactor

    init(_ redactor: consuming Redactor) { self.redactor = redactor }

    var maskCount: Int { redactor.maskCount }

    func process(_ input: Span<UInt8>, _ emit: (Span<UInt8>) -> Void) { redactor.process(input, emit) }
    func finish(_ emit: (Span<UInt8>) -> Void) { redactor.finish(emit) }
}

private final class TerminalMask: OutputFilter {
    private var redactor: TerminalRedactor

    init(_ redactor: consuming TerminalRedactor) { self.redactor = redactor }

    func process(_ input: Span<UInt8>, _ emit: (Span<UInt8>) -> Void) { redactor.process(input, emit) }
    func finish(_ emit: (Span<UInt8>) -> Void) { redactor.finish(emit) }
}
