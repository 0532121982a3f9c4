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
        bytes = (0..<size).map { _ in
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return UInt8(truncatingIfNeeded: state)
        }
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

@Suite("Remotes: etcd") struct EtcdStoreTests {
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
        #expect(try one.compareAndSwap("\(Int(second)! + 9)", with: late.new) == .moved(one.newest()))
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
}
