import Foundation
import Glibc
import Remotes
import Sodium
import TestSupport
import Testing

/// What most tests share: a cluster of one member, in which each has a prefix of its own.
let sharedCluster = Result { try EtcdCluster() }

/// A version of a vault that is none: the stores do not look into it.
struct SomeVersion {
    let new: NewVersion
    let bytes: [UInt8]
    private let folder: TemporaryFolder

    init(_ number: Int, size: Int = 1000) throws {
        folder = try TemporaryFolder()
        var hash = [UInt8](repeating: 0, count: 32)
        for byte in 0..<8 { hash[byte] = UInt8(truncatingIfNeeded: number >> (8 * byte)) }
        var state = UInt64(number) &* 0x9e37_79b9_7f4a_7c15 | 1
        // Its period is no part of a part's size, so that parts in a wrong order are seen.
        let block = (0..<4099).map { _ in
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return UInt8(truncatingIfNeeded: state)
        }
        var bytes: [UInt8] = []
        while bytes.count < size { bytes += block }
        bytes.removeLast(bytes.count - size)
        self.bytes = bytes
        try Data(bytes).write(to: URL(filePath: folder.file("vault.age")))
        new = NewVersion(
            key: hash.hex, manifest: Data(hash).base64EncodedString(), path: folder.file("vault.age"))
    }
}

extension Store {
    /// The bytes of a version.
    func bytes(of head: StoredHead) throws -> [UInt8] {
        let folder = try TemporaryFolder()
        let descriptor = open(folder.file("copy"), O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
        defer { close(descriptor) }
        try read(head, into: descriptor)
        return [UInt8](try Data(contentsOf: URL(filePath: folder.file("copy"))))
    }

    /// Waits for as long as it is allowed.
    func waitForChange(of tag: String?, seconds: Int) throws(StoreError) -> Bool {
        try waitForChange(of: tag, seconds: seconds) { true }
    }

    /// The newest version, which must be there.
    func newest() throws -> StoredHead {
        guard case .head(let head) = try readHead(unless: nil) else { throw StoreError.malformed("no head") }
        return head
    }

    /// Swaps, which must work.
    func swap(_ tag: String?, _ version: SomeVersion) throws -> String {
        guard case .swapped(let tag) = try compareAndSwap(tag, with: version.new) else {
            throw StoreError.malformed("moved")
        }
        return tag
    }
}

extension EtcdCluster {
    func store(_ prefix: String, hosts: String? = nil) throws -> any Store {
        try Stores.open(RemoteURL("etcd://\(hosts ?? hostList)/\(prefix)"))
    }

    /// Forgets what was before the version of a tag.
    func compact(_ tag: String) throws {
        let answer = try post("kv/compaction", #"{"revision":"\#(tag.prefix { $0 != " " })"}"#)
        guard answer.contains("header") else { throw StoreError.malformed(answer) }
    }

    /// The keys below a prefix, without it.
    func keys(_ prefix: String) throws -> [String] {
        func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }
        let text = try post(
            "kv/range", #"{"key":"\#(base64(prefix + "/"))","range_end":"\#(base64(prefix + "0"))","keys_only":true}"#)
        return text.matches(of: /"key":"([^"]*)"/).map { match in
            String(decoding: Data(base64Encoded: String(match.1)) ?? Data(), as: UTF8.self)
                .replacing("\(prefix)/", with: "")
        }
    }
}

@Suite("Remotes: etcd", .waitsForPrograms) struct EtcdStoreTests {
    private let cluster: EtcdCluster
    private let prefix = "tests/\(UUID().uuidString)"

    init() throws { cluster = try sharedCluster.get() }

    @Test("An empty store has nothing, and takes the first version") func first() throws {
        let store = try cluster.store(prefix)
        #expect(try store.readHead(unless: nil) == .absent)
        #expect(try store.readHead(unless: "7") == .absent)
        let version = try SomeVersion(1)
        let tag = try store.swap(nil, version)
        let head = StoredHead(tag: tag, manifest: version.new.manifest, byteCount: 1000)
        #expect(try store.readHead(unless: nil) == .head(head))
        #expect(try store.readHead(unless: tag) == .unchanged)
        #expect(try store.bytes(of: head) == version.bytes)
        #expect(try cluster.store(prefix).bytes(of: head) == version.bytes)
    }

    @Test("A swap from another version than the newest says which one that is") func moved() throws {
        let (one, other) = (try cluster.store(prefix), try cluster.store(prefix))
        let first = try one.swap(nil, SomeVersion(1))
        let late = try SomeVersion(2)
        #expect(try other.compareAndSwap(nil, with: late.new) == .moved(try one.newest()))
        let second = try other.swap(first, SomeVersion(3))
        #expect(try one.compareAndSwap(first, with: late.new) == .moved(try other.newest()))
        #expect(try one.newest().tag == second)
        for tag in ["7", "7 \(late.new.key)", second.replacing(" ", with: "9 "), "a web server's"] {
            #expect(try one.compareAndSwap(tag, with: late.new) == .moved(one.newest()))
        }
        #expect(try cluster.keys(prefix).count == 3)
    }

    @Test("Three versions are kept", arguments: [1000, 2_500_000]) func kept(size: Int) throws {
        let store = try cluster.store(prefix)
        var tag: String?
        for number in 1...5 { tag = try store.swap(tag, SomeVersion(number, size: size)) }
        let versions = Set(
            try cluster.keys(prefix).filter { $0.hasPrefix("versions/") }.map { $0.split(separator: "/")[1] })
        #expect(versions.count == 3)
        #expect(versions == Set(try (3...5).map { Substring(try SomeVersion($0).new.key) }))
        #expect(try cluster.keys(prefix).count == 1 + 3 * (size > 1000 ? 3 : 1))
    }

    @Test("A version of any size comes back byte for byte", arguments: [1, 1 << 20, 1 << 20 + 1, 3_000_000])
    func sizes(size: Int) throws {
        let version = try SomeVersion(size, size: size)
        let tag = try cluster.store(prefix).swap(nil, version)
        let store = try cluster.store(prefix)
        let head = try store.newest()
        #expect(head == StoredHead(tag: tag, manifest: version.new.manifest, byteCount: size))
        #expect(try store.bytes(of: head) == version.bytes)
    }

    @Test("The newest version once more is in place already") func again() throws {
        let store = try cluster.store(prefix)
        let version = try SomeVersion(1)
        let tag = try store.swap(nil, version)
        #expect(try store.swap(tag, version) == tag)
        // Of a machine that knows nothing of it: it was swapped, by whomever.
        #expect(try cluster.store(prefix).swap(nil, version) == tag)
        let other = try store.swap(tag, SomeVersion(2))
        #expect(try store.compareAndSwap(tag, with: version.new) == .moved(store.newest()))
        #expect(try store.newest().tag == other)
    }

    @Test("An earlier version becomes the newest one again", arguments: [1000, 2_500_000]) func back(size: Int) throws {
        let store = try cluster.store(prefix)
        let versions = try (1...3).map { try SomeVersion($0, size: size) }
        var tag: String?
        for version in versions { tag = try store.swap(tag, version) }
        tag = try store.swap(tag, versions[0])
        #expect(try store.bytes(of: store.newest()) == versions[0].bytes)
        #expect(Set(try cluster.keys(prefix).map { $0.prefix(60) }).count == 4)
    }

    @Test("Who is too late with a large version takes its parts away") func loser() throws {
        let (one, other) = (try cluster.store(prefix), try cluster.store(prefix))
        let first = try one.swap(nil, SomeVersion(1))
        let second = try one.swap(first, SomeVersion(2, size: 1_500_000))
        let keys = try cluster.keys(prefix)
        _ = try other.newest()
        let late = try SomeVersion(3, size: 2_500_000)
        let third = try one.swap(second, SomeVersion(4))
        #expect(try other.compareAndSwap(second, with: late.new) == .moved(one.newest()))
        #expect(try one.newest().tag == third)
        #expect(try cluster.keys(prefix).count == keys.count + 1)
        #expect(try cluster.keys(prefix).allSatisfy { !$0.contains(late.new.key) })
    }

    @Test("What killed pushers left is removed, but not what may still be published") func remains() throws {
        let store = try cluster.store(prefix)
        let (left, right) = (String(repeating: "a", count: 64), String(repeating: "b", count: 64))
        func put(_ key: String, _ part: Int) throws {
            let name = Data("\(prefix)/versions/\(key)/000\(part)".utf8).base64EncodedString()
            #expect(try cluster.post("kv/put", #"{"key":"\#(name)","value":"YQ=="}"#).contains("revision"))
        }
        for part in 0...2 { try put(left, part) }
        let first = try store.swap(nil, SomeVersion(1, size: 1_500_000))
        try put(right, 0)
        let second = try store.swap(first, SomeVersion(2, size: 1_500_000))
        #expect(try cluster.keys(prefix).allSatisfy { !$0.contains(left) })
        #expect(try cluster.keys(prefix).contains { $0.contains(right) })
        _ = try store.swap(second, SomeVersion(3, size: 1_500_000))
        #expect(try cluster.keys(prefix).allSatisfy { !$0.contains(right) })
        #expect(try cluster.keys(prefix).count == 1 + 3 * 2)
    }

    @Test("A reader that is slow finds what it began to read, as long as it is kept") func slowReader() throws {
        // Of its own, since what is forgotten is forgotten for all.
        let cluster = try EtcdCluster()
        let (reader, writer) = (try cluster.store(prefix), try cluster.store(prefix))
        let first = try SomeVersion(1, size: 1_500_000)
        var tag = try writer.swap(nil, first)
        let head = try reader.newest()
        for number in 2...3 { tag = try writer.swap(tag, SomeVersion(number)) }
        #expect(try reader.bytes(of: head) == first.bytes)
        // The store still knows what it was like then.
        for number in 4...6 { tag = try writer.swap(tag, SomeVersion(number)) }
        #expect(try reader.bytes(of: head) == first.bytes)
        try cluster.compact(tag)
        #expect(throws: StoreError.vanished) { try reader.bytes(of: head) }
        #expect(throws: StoreError.vanished) { try cluster.store(prefix).bytes(of: head) }
        #expect(try reader.bytes(of: reader.newest()) == SomeVersion(6).bytes)
    }

    @Test("A watcher of a version that was compacted long ago waits all the same") func compacted() throws {
        let (cluster, prefix) = (try EtcdCluster(), prefix)
        let tag = try cluster.store(prefix).swap(nil, SomeVersion(1))
        let other = try cluster.store(prefix + "-other")
        var later: String?
        for number in 1...5 { later = try other.swap(later, SomeVersion(number)) }
        try cluster.compact(#require(later))
        let start = ContinuousClock.now
        #expect(try !cluster.store(prefix).waitForChange(of: tag, seconds: 2))
        #expect(ContinuousClock.now - start >= .seconds(1))
        let watcher = BackgroundThread { try cluster.store(prefix).waitForChange(of: tag, seconds: 20) }
        usleep(400_000)
        _ = try cluster.store(prefix).swap(tag, SomeVersion(2))
        #expect(try watcher.result())
    }

    @Test("A cluster that was set up anew is told apart, though its revision is the same") func rebuilt() throws {
        let (old, new) = (try EtcdCluster(), try EtcdCluster())
        let tag = try old.store(prefix).swap(nil, SomeVersion(1))
        let other = try new.store(prefix).swap(nil, SomeVersion(2))
        #expect(tag.prefix { $0 != " " } == other.prefix { $0 != " " })
        let store = try new.store(prefix)
        let late = try SomeVersion(3)
        let head = try store.newest()
        #expect(head.tag == other)
        #expect(try store.readHead(unless: tag) == .head(head))
        #expect(try store.compareAndSwap(tag, with: late.new) == .moved(head))
        #expect(try store.waitForChange(of: tag, seconds: 20))
        #expect(throws: StoreError.vanished) {
            try store.bytes(of: StoredHead(tag: tag, manifest: SomeVersion(1).new.manifest, byteCount: 1000))
        }
        // And when it becomes another one between two requests, the swap itself sees it.
        let usual = try AnsweringServer { request in
            let cluster = request.path.hasSuffix("range") ? old : new
            return (try? cluster.post(String(request.path.dropFirst(4)), request.body)).map { .json($0) } ?? .none
        }
        let between = try old.store(prefix, hosts: "127.0.0.1:\(usual.port)")
        #expect(try between.newest().tag == tag)
        #expect(try between.compareAndSwap(tag, with: late.new) == .moved(head))
        #expect(try store.newest() == head)
    }

    @Test("A wait ends within moments when it is not wanted any more") func unwantedWait() throws {
        let store = try cluster.store(prefix)
        let tag = try store.swap(nil, SomeVersion(1))
        let start = ContinuousClock.now
        var asked = 0
        #expect(
            try !store.waitForChange(of: tag, seconds: 20) {
                asked += 1
                return asked < 3
            })
        #expect(ContinuousClock.now - start < .seconds(5))
    }

    @Test("What many killed pushers left goes, however much it is") func manyRemains() throws {
        let store = try cluster.store(prefix)
        // More than 4 MiB of keys, as they are long.
        let end = String(repeating: "0", count: 400)
        for number in 0..<60 {
            let key = String(format: "%064x", number)
            let puts = (0..<100).map { part in
                let name = Data("\(prefix)/versions/\(key)/\(part)\(end)".utf8)
                return #"{"request_put":{"key":"\#(name.base64EncodedString())"}}"#
            }
            _ = try cluster.post("kv/txn", #"{"success":[\#(puts.joined(separator: ","))]}"#)
        }
        var tag = try store.swap(nil, SomeVersion(1001, size: 1_500_000))
        for number in 1...3 {
            tag = try store.swap(tag, SomeVersion(1001 + number, size: 1_500_000))
        }
        #expect(try cluster.keys(prefix).count == 1 + 3 * 2)
    }

    @Test("Readers never see half a version while others write") func readers() throws {
        let (cluster, prefix) = (cluster, prefix)
        _ = try cluster.store(prefix).swap(nil, SomeVersion(0, size: 1_200_000))
        let writers = (1...2).map { writer in
            BackgroundThread {
                let store = try cluster.store(prefix)
                for number in 0..<5 {
                    let version = try SomeVersion(1000 * writer + number, size: 1_200_000)
                    var tag = try store.newest().tag
                    while case .moved(let head) = try store.compareAndSwap(tag, with: version.new) {
                        tag = try #require(head).tag
                    }
                }
                return 0
            }
        }
        let readers = (1...2).map { _ in
            BackgroundThread {
                let store = try cluster.store(prefix)
                var seen: Set<String> = []
                for _ in 0..<12 {
                    let head = try store.newest()
                    let hash = [UInt8](try #require(head.manifest.flatMap { Data(base64Encoded: $0) }))
                    let version = try SomeVersion(Int(hash[0]) + Int(hash[1]) << 8, size: 1_200_000)
                    #expect(try store.bytes(of: head) == version.bytes)
                    seen.insert(head.tag)
                }
                return seen.count
            }
        }
        for writer in writers { _ = try writer.result() }
        for reader in readers { #expect(try reader.result() > 0) }
        let versions = Set(try cluster.keys(prefix).filter { $0.hasPrefix("versions/") }.map { $0.prefix(73) })
        #expect(versions.count == 3)
    }

    @Test("One request swaps a version of one part, and one more reads what there is") func requests() throws {
        let cluster = try EtcdCluster()
        let store = try cluster.store(prefix)
        let tag = try store.swap(nil, SomeVersion(1))
        #expect(try cluster.answeredRequests() == ["Txn": 1])
        _ = try store.swap(tag, SomeVersion(2))
        #expect(try cluster.answeredRequests() == ["Txn": 2])
        let another = try cluster.store(prefix)
        let head = try another.newest()
        _ = try another.swap(head.tag, SomeVersion(3))
        #expect(try cluster.answeredRequests() == ["Range": 1, "Txn": 3])
        let late = try SomeVersion(4)
        guard case .moved(let moved) = try store.compareAndSwap(tag, with: late.new) else {
            Issue.record("swapped")
            return
        }
        _ = moved
        #expect(try cluster.answeredRequests() == ["Range": 2, "Txn": 3])
    }

    @Test("An answer that is lost is found out, and the version is there once", arguments: [1000, 1_500_000])
    func lostAnswer(size: Int) throws {
        let cluster = cluster
        let lossy = try AnsweringServer { request in
            guard let answer = try? cluster.post(String(request.path.dropFirst(4)), request.body) else { return .none }
            return request.path.hasSuffix("txn") ? .none : .json(answer)
        }
        let version = try SomeVersion(1, size: size)
        // Whichever of them is asked first.
        for round in 0..<4 {
            let prefix = "\(prefix)/\(round)"
            let store = try cluster.store(prefix, hosts: "127.0.0.1:\(lossy.port),\(cluster.hostList)")
            let tag = try store.swap(nil, version)
            #expect(try cluster.store(prefix).newest().tag == tag)
            #expect(try cluster.keys(prefix).count == 1 + (size > 1 << 20 ? 2 : 1))
        }
        // With nobody else to ask it is not known, and is said not to be.
        let store = try cluster.store("\(prefix)/alone", hosts: "127.0.0.1:\(lossy.port)")
        #expect(throws: StoreError.unreachable("the connection to the store broke off")) {
            try store.swap(nil, version)
        }
        #expect(try cluster.store("\(prefix)/alone").newest().manifest == version.new.manifest)
    }

    @Test("A watcher learns of a version within moments") func watch() throws {
        let (cluster, prefix) = (cluster, prefix)
        let writer = try cluster.store(prefix)
        var tag: String?
        for number in 1...3 {
            let known = tag
            let watcher = BackgroundThread {
                let changed = try cluster.store(prefix).waitForChange(of: known, seconds: 20)
                return (changed, ContinuousClock.now)
            }
            usleep(400_000)
            let start = ContinuousClock.now
            tag = try writer.swap(tag, SomeVersion(number))
            let (changed, time) = try watcher.result()
            #expect(changed)
            #expect(time - start < .seconds(5))
        }
    }

    @Test("A wait ends in time, and at once when there is something new already") func waits() throws {
        let store = try cluster.store(prefix)
        #expect(try !store.waitForChange(of: nil, seconds: 1))
        let first = try store.swap(nil, SomeVersion(1))
        #expect(try store.waitForChange(of: nil, seconds: 5))
        let second = try store.swap(first, SomeVersion(2))
        #expect(try !store.waitForChange(of: second, seconds: 1))
        let start = ContinuousClock.now
        #expect(try store.waitForChange(of: first, seconds: 20))
        // Of a store that was restored from a backup.
        #expect(try store.waitForChange(of: second.replacing(" ", with: "99 "), seconds: 20))
        #expect(ContinuousClock.now - start < .seconds(5))
    }
}
