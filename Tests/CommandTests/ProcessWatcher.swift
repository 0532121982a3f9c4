import Foundation
import Glibc
import Synchronization

/// Reads the argument lists of all processes, and the environments of those of a home, over and over, from a thread of its
/// own.
final class ProcessWatcher: Sendable {
    /// A secret that a process had.
    struct Sighting: Hashable {
        enum Place { case arguments, environment }

        let secret: String
        let place: Place
        /// What the process calls itself.
        let program: String
    }

    private struct State {
        var isStopped = false
        var hasEnded = false
        var rounds = 0
        var sightings: Set<Sighting> = []
        /// How often which argument list was looked at.
        var seen: [String: Int] = [:]
    }

    private let state = Mutex(State())
    private let search: SecretSearch
    /// What processes of the home have in their environment.
    private let mark: Data

    /// - Parameters:
    ///   - token: What is looked for.
    ///   - home: The home of the processes whose environments are read.
    convenience init(_ token: String, home: Home) {
        self.init(SecretSearch(["the token": Array(token.utf8)]), home: home)
    }

    /// - Parameters:
    ///   - search: What is looked for.
    ///   - home: The home of the processes whose environments are read.
    init(_ search: SecretSearch, home: Home) {
        self.search = search
        mark = Data("HOME=\(home.path)".utf8) + [0]
        Thread.detachNewThread { [self] in
            var known: [String: [Data]] = [:]
            while !state.withLock({ $0.isStopped }) {
                look(&known)
                // What is watched needs the processors as well.
                usleep(2000)
                state.withLock { $0.rounds += 1 }
            }
            state.withLock { $0.hasEnded = true }
        }
    }

    /// What was seen since the last time that this was asked.
    func take() -> Set<Sighting> {
        state.withLock { state in
            defer { state.sightings = [] }
            return state.sightings
        }
    }

    /// Ends the watch: what was seen since ``take()``, how often all processes were looked at, and how often each list.
    func stop() -> (sightings: Set<Sighting>, rounds: Int, seen: [String: Int]) {
        state.withLock { $0.isStopped = true }
        while !state.withLock({ $0.hasEnded }) { usleep(1000) }
        return state.withLock { ($0.sightings, $0.rounds, $0.seen) }
    }

    /// Looks at all processes once.
    ///
    /// - Parameter known: What each had the time before: only what is new is searched.
    private func look(_ known: inout [String: [Data]]) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        for name in names where name.first?.isNumber == true {
            let arguments = Self.read("/proc/\(name)/cmdline")
            guard !arguments.isEmpty else { continue }
            state.withLock { $0.seen[String(decoding: arguments, as: UTF8.self), default: 0] += 1 }
            let environment = Self.read("/proc/\(name)/environ")
            if known[name] == [arguments, environment] { continue }
            known[name] = [arguments, environment]
            let program = String(decoding: arguments.prefix { $0 != 0 }, as: UTF8.self)
            var sightings: [Sighting] = []
            let isOfHome = environment.range(of: mark) != nil
            // Keys that are not known here may be those of other tests.
            for secret in search.found(in: arguments) where isOfHome || secret != SecretSearch.anyKey {
                sightings.append(Sighting(secret: secret, place: .arguments, program: program))
            }
            for secret in isOfHome ? search.found(in: environment) : [] {
                sightings.append(Sighting(secret: secret, place: .environment, program: program))
            }
            state.withLock { $0.sightings.formUnion(sightings) }
        }
    }

    private static func read(_ path: String) -> Data {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return Data() }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        return Data(bytes.prefix(max(count, 0)))
    }
}
