import Foundation
import Remotes
import Sodium
import TestSupport
import Testing

/// What becomes of a store when its members go, and who is let in.
@Suite("Remotes: etcd clusters", .waitsForPrograms) struct EtcdClusterTests {
    @Test("One member of three may go at any time; without two, nothing is believed") func failures() throws {
        let cluster = try EtcdCluster(members: 3)
        let store = try cluster.store("team/vault")
        var tag = try store.swap(nil, SomeVersion(1))
        for (number, member) in [0, 1, 2].enumerated() {
            cluster.kill(member)
            tag = try store.swap(tag, SomeVersion(10 + number))
            #expect(try cluster.store("team/vault").newest().tag == tag)
            try cluster.restart(member)
            try cluster.waitUntilHealthy()
        }
        let head = try store.newest()
        cluster.kill(0)
        cluster.kill(1)
        let start = ContinuousClock.now
        for store in [store, try cluster.store("team/vault")] {
            #expect(throws: StoreError.self) { try store.newest() }
            #expect { try store.swap(tag, SomeVersion(20)) } throws: { error in
                guard case StoreError.unreachable = error else { return false }
                return true
            }
        }
        #expect(ContinuousClock.now - start < .seconds(60))
        try cluster.restart(0)
        try cluster.waitUntilHealthy()
        // What was not answered may have been done all the same.
        let after = try store.newest()
        #expect(try [head.manifest, SomeVersion(20).new.manifest].contains(after.manifest))
        #expect(try store.bytes(of: after).count == 1000)
        let known = after.tag
        #expect(try store.swap(known, SomeVersion(21)) != known)
    }

    @Test("A wait at a member that goes ends, so that another one is asked") func watchedMemberGoes() throws {
        let cluster = try EtcdCluster(members: 3)
        let store = try cluster.store("team/vault")
        let tag = try store.swap(nil, SomeVersion(1))
        let host = cluster.hosts[1]
        let watching = BackgroundThread {
            try cluster.store("team/vault", hosts: host).waitForChange(of: tag, seconds: 60)
        }
        usleep(1_000_000)
        #expect(!watching.isOver)
        let start = ContinuousClock.now
        cluster.kill(1)
        #expect {
            try watching.result()
        } throws: { error in
            guard case StoreError.unreachable = error else { return false }
            return true
        }
        #expect(ContinuousClock.now - start < .seconds(10))
    }

    @Test("A user is let in by a password, and a token that was forgotten is fetched anew") func users() throws {
        let cluster = try EtcdCluster()
        let password = "correct \"horse\" \\ battery"
        try cluster.enableUsers(#"correct \"horse\" \\ battery"#, prefix: "team")
        func store(_ user: String?, _ password: String?, _ prefix: String = "team/vault") throws -> any Store {
            try Stores.open(
                RemoteURL("etcd://\(cluster.hostList)/\(prefix)"),
                StoreCredentials(user: user, password: password.map { SecretBytes(Array($0.utf8)) }))
        }
        let known = try store("vault", password)
        let tag = try known.swap(nil, SomeVersion(1, size: 1_500_000))
        #expect(try store("vault", password).newest().tag == tag)
        // A member forgets its tokens when it starts.
        cluster.kill(0)
        try cluster.restart(0)
        try cluster.waitUntilHealthy()
        #expect(try known.newest().tag == tag)
        let second = try known.swap(tag, SomeVersion(2))
        #expect(try !known.waitForChange(of: second, seconds: 1))

        func isRefused(_ store: any Store) -> Bool {
            do {
                _ = try store.readHead(unless: nil)
            } catch StoreError.notAllowed(let text) {
                return !text.contains(password)
            } catch {}
            return false
        }
        #expect(isRefused(try store("vault", "correct horse")))
        #expect(throws: StoreError.setting("the password has a control character in it")) {
            try store("vault", "correct\thorse").readHead(unless: nil)
        }
        #expect(isRefused(try store("nobody", password)))
        #expect(isRefused(try store(nil, nil)))
        #expect(isRefused(try store("vault", password, "another/vault")))
        #expect(throws: StoreError.self) { try store("vault", nil) }
    }

    @Test("A store without users says that none is to be given") func noUsers() throws {
        let store = try Stores.open(
            RemoteURL("etcd://\(sharedCluster.get().hostList)/team/vault"),
            StoreCredentials(user: "vault", password: SecretBytes(Array("a".utf8))))
        #expect(throws: StoreError.setting("the store knows no users; leave out --user")) { try store.newest() }
    }

    @Test("With certificates both sides know each other") func certificates() throws {
        let cluster = try EtcdCluster(usesTLS: true)
        func store(_ authority: String?, _ certificate: String?, _ key: String?) throws -> any Store {
            try Stores.open(
                RemoteURL("etcd://\(cluster.hostList)/team/vault"),
                StoreCredentials(
                    authority: authority.map(cluster.file), certificate: certificate.map(cluster.file),
                    key: key.map(cluster.file)))
        }
        let version = try SomeVersion(1, size: 1_200_000)
        let good = try store("ca.crt", "client.crt", "client.key")
        let tag = try good.swap(nil, version)
        #expect(try good.bytes(of: good.newest()) == version.bytes)
        #expect(try !good.waitForChange(of: tag, seconds: 1))

        func error(_ store: any Store) -> StoreError? {
            do throws(StoreError) { _ = try store.readHead(unless: nil) } catch { return error }
            return nil
        }
        #expect(
            try error(store("other-ca.crt", "client.crt", "client.key"))
                == .notAllowed("the certificate of the store is not trusted here; its authority is given with --ca"))
        #expect(
            try error(store("nowhere.crt", "client.crt", "client.key"))
                == .notAllowed("the file with the store's authority cannot be used"))
        #expect(
            try error(store("ca.crt", "client.crt", "server.key"))
                == .notAllowed("the certificate of this machine, or its key, cannot be used"))
        let without = try #require(try error(store("ca.crt", nil, nil)))
        #expect("\(without)".contains("TLS") || "\(without)".contains("broke off"))
        // Without any of it the hosts of this machine are spoken to without TLS.
        #expect(try error(cluster.store("team/vault")) != nil)
        // An encrypted key is not asked for on the terminal.
        let encrypted = try Command.run(
            "openssl",
            ["ec", "-aes128", "-passout", "pass:a", "-in", cluster.file("client.key"), "-out", cluster.file("a")])
        try #require(encrypted.status == 0)
        #expect(
            try error(store("ca.crt", "client.crt", "a"))
                == .notAllowed("the certificate of this machine, or its key, cannot be used"))
        #expect(throws: StoreError.self) { try store("ca.crt", nil, "client.key") }
    }
}
