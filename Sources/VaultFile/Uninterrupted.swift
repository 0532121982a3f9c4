internal import Glibc

/// Makes a call of the system, again where a signal interrupted it, which says nothing of what it is about.
///
/// Not for `close`, whose descriptor is gone even then.
///
/// - Parameter call: Returns less than zero when it fails, with the reason in `errno`.
/// - Returns: What the call returns; that of the last one where one after the other is interrupted without end.
package func uninterrupted(_ call: () -> Int32) -> Int32 {
    for _ in 1..<mostInterruptions {
        let result = call()
        if result >= 0 || errno != EINTR { return result }
    }
    return call()
}

/// Far more than signals come while a call lasts; without an end, a system that always says so would be waited for for ever.
private let mostInterruptions = 100
