internal import CLinux
internal import Glibc
internal import Synchronization

/// A request from outside to end, for a program that has something to put away first.
public enum Interruption {
    private static let number = Atomic<Int32>(0)
    private static let signals = [SIGHUP, SIGINT, SIGTERM]

    /// The signal that came; nil when none did, or none is waited for.
    public static var signal: Int32? {
        let number = number.load(ordering: .relaxed)
        return number == 0 ? nil : number
    }

    /// From now on signals that would end the program are only noted; what waits for something is woken by them. Those
    /// that are ignored stay so.
    public static func begin() {
        _ = number.load(ordering: .relaxed)
        for number in signals where clinux_is_ignored(number) == 0 {
            _ = Glibc.signal(number) { number in Interruption.number.store(number, ordering: .relaxed) }
        }
    }
}
