/// Changes what passes through a relay.
public protocol OutputFilter: AnyObject {
    /// Takes the next bytes of a stream; hands on, in order, what may go out already. What `emit` is given is only valid
    /// during the call, and may have any size.
    func process(_ input: Span<UInt8>, _ emit: (Span<UInt8>) -> Void)
    /// The stream has ended: hands on what was held back.
    func finish(_ emit: (Span<UInt8>) -> Void)
}
