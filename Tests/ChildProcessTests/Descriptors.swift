import Foundation

/// All that can be read until the end.
func readAll(_ descriptor: Int32) -> [UInt8] {
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let count = read(descriptor, &part, part.count)
        guard count > 0 else { return bytes }
        bytes += part[..<count]
    }
}

/// The numbers of this process's descriptors; of use in a process of a test's own only.
func openDescriptors() -> Set<Int32> {
    Set((0..<4096).filter { fcntl($0, F_GETFD) >= 0 })
}
