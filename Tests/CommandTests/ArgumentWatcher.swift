import Foundation
import Glibc
import Synchronization

/// Reads the argument lists of all processes, over and over.
final class ArgumentWatcher: Sendable {
    private struct State {
        var isStopped = false
        var hasEnded = false
        var rounds = 0
        var found: Set<Data> = []
        var seen: [Data: Int] = [:]
    }

    private let state = Mutex(State())

    init(_ token: String) {
        let needles = [token, Data(token.utf8).base64EncodedString()].map { Data($0.utf8) }
        Thread.detachNewThread { [self] in
            while !state.withLock({ $0.isStopped }) {
                for list in Self.argumentLists() {
                    let holds = needles.contains { list.range(of: $0) != nil }
                    state.withLock {
                        $0.seen[list, default: 0] += 1
                        if holds { $0.found.insert(list) }
                    }
                }
                state.withLock { $0.rounds += 1 }
                // What is watched needs the processors as well.
                usleep(2000)
            }
            state.withLock { $0.hasEnded = true }
        }
    }

    func stop() -> (found: Set<String>, rounds: Int, seen: [String: Int]) {
        state.withLock { $0.isStopped = true }
        while !state.withLock({ $0.hasEnded }) { usleep(1000) }
        func text(_ list: Data) -> String { String(decoding: list, as: UTF8.self) }
        return state.withLock { state in
            let seen = Dictionary(state.seen.map { (text($0.key), $0.value) }, uniquingKeysWith: +)
            return (Set(state.found.map(text)), state.rounds, seen)
        }
    }

    private static func argumentLists() -> [Data] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.filter { $0.first?.isNumber == true }.compactMap { name in
            let descriptor = open("/proc/\(name)/cmdline", O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { return nil }
            defer { close(descriptor) }
            var bytes = [UInt8](repeating: 0, count: 8192)
            let count = read(descriptor, &bytes, bytes.count)
            return count > 0 ? Data(bytes.prefix(count)) : nil
        }
    }
}
