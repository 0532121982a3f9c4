internal import ChildProcess
internal import Redaction

/// What masks the tokens in the output of a command: a filter for each of its streams.
final class OutputMasks {
    private let matcher: Matcher
    private let names: [String]
    private var filters: [Int32: any CountingFilter] = [:]

    init(_ needles: consuming TokenNeedles) {
        names = needles.sources.map(\.name)
        matcher = needles.matcher()
    }

    /// The filter of one stream.
    func filter(_ descriptor: Int32, _ kind: Relay.StreamKind) -> any OutputFilter {
        let filter: any CountingFilter
        switch kind {
        case .terminal: filter = TerminalMask(TerminalRedactor(matcher, names: names))
        case .pipe: filter = PipeMask(Redactor(matcher, names: names))
        }
        // On a terminal the masks can be seen.
        if kind == .pipe { filters[descriptor] = filter }
        return filter
    }

    /// How often something was masked in standard output, where that is no terminal.
    var countInOutput: Int { filters[1]?.maskCount ?? 0 }
}

private protocol CountingFilter: OutputFilter {
    var maskCount: Int { get }
}

private final class PipeMask: CountingFilter {
    private var redactor: Redactor

    init(_ redactor: consuming Redactor) { self.redactor = redactor }

    var maskCount: Int { redactor.maskCount }

    func process(_ input: Span<UInt8>, _ emit: (Span<UInt8>) -> Void) { redactor.process(input, emit) }
    func finish(_ emit: (Span<UInt8>) -> Void) { redactor.finish(emit) }
}

private final class TerminalMask: CountingFilter {
    private var redactor: TerminalRedactor

    init(_ redactor: consuming TerminalRedactor) { self.redactor = redactor }

    var maskCount: Int { redactor.maskCount }

    func process(_ input: Span<UInt8>, _ emit: (Span<UInt8>) -> Void) { redactor.process(input, emit) }
    func finish(_ emit: (Span<UInt8>) -> Void) { redactor.finish(emit) }
}
