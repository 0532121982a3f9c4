import Foundation
import TestSupport
import Testing

/// Machines that share a vault: homes of their own, and a real etcd cluster.
struct Team {
    let cluster: EtcdCluster
    let url: String
    let machines: [Home]

    /// What opens the vault, and which one it is.
    private let identity: String
    private let id: String

    var first: Home { machines[0] }
    var second: Home { machines[1] }

    /// Makes a vault with a resource `demo` on the first machine, and brings it to the cluster; the others know where it
    /// is, and have not fetched it yet.
    ///
    /// - Parameters:
    ///   - cluster: The cluster.
    ///   - count: How many machines there are.
    ///   - options: What `remote set` is given besides the URL.
    /// - Throws: What the commands have to say.
    init(_ cluster: EtcdCluster, machines count: Int = 2, options: [String] = []) throws {
        self.cluster = cluster
        url = "etcd://\(cluster.hostList)/\(UUID().uuidString)"
        machines = try (0..<count).map { _ in try Home() }
        let made = try machines[0].bash("new_vault && add demo && cat $KNOWN && cat $IDENTITY")
        try #require(made.status == 0, "\(made.errorText)")
        let lines = made.text.split(separator: "\n")
        id = String(lines[0].prefix { $0 != " " })
        identity = lines.dropFirst().joined(separator: "\n") + "\n"
        for (number, machine) in machines.enumerated() {
            if number > 0 { try introduce(machine, with: identity) }
            let set = try machine.run("vault", ["remote", "set", url] + options)
            try #require(set.status == 0, "\(set.errorText)")
        }
        let pushed = try first.run("vault", ["push"])
        try #require(pushed.status == 0, "\(pushed.errorText)")
    }

    /// Gives a machine an identity and the vault's pin, as its owner would hand them over.
    func introduce(_ machine: Home, with identity: String) throws {
        try FileManager.default.createDirectory(
            atPath: machine.file(".config/vault"), withIntermediateDirectories: true)
        try Data(identity.utf8).write(to: URL(filePath: machine.file(".config/vault/identity")))
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o600], ofItemAtPath: machine.file(".config/vault/identity"))
        let known = "\(id) plain \(machine.vault)\n"
        try Data(known.utf8).write(to: URL(filePath: machine.file(".config/vault/known_vaults")))
    }

    /// Brings all machines to the same version, and gives back its bytes.
    func settle() throws -> Data {
        for machine in machines + machines {
            let output = try machine.bash("vault pull --quiet --prefer newest; vault push --quiet --prefer newest")
            #expect(output.status == 0, "\(output.errorText)")
        }
        for machine in machines { _ = try machine.bash("vault pull --quiet") }
        let versions = try machines.map { try Data(contentsOf: URL(filePath: $0.vault)) }
        #expect(Set(versions).count == 1)
        return versions[0]
    }
}

extension Home {
    /// Where its vault lies.
    var vault: String { file(".local/share/vault/vault.age") }

    /// The bytes of its vault.
    func vaultBytes() throws -> Data { try Data(contentsOf: URL(filePath: vault)) }
}

/// Does something on many machines at once.
func atOnce(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let group = DispatchGroup()
    for number in 0..<count {
        group.enter()
        Thread.detachNewThread {
            body(number)
            group.leave()
        }
    }
    group.wait()
}
