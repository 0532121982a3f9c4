import Testing

@testable import Remotes

@Suite("Remotes: URLs") struct RemoteURLTests {
    @Test(
        "A URL has one spelling",
        arguments: [
            ("etcd://etcd1/team", "etcd://etcd1/team"), ("etcd://etcd1:2379/team", "etcd://etcd1/team"),
            ("ETCD://Etcd1.Example.com:4001,b/Team/a-b_c.d~e", "etcd://etcd1.example.com:4001,b/Team/a-b_c.d~e"),
            ("etcd://[::1]/a", "etcd://[::1]/a"),
            ("etcd://[2001:DB8::1]:77,10.0.0.1/a", "etcd://[2001:db8::1]:77,10.0.0.1/a"),
            ("https://example.com/vault.age", "https://example.com/vault.age"),
            ("HTTPS://Example.com:443/a/b", "https://example.com/a/b"), ("http://127.0.0.1:80/a", "http://127.0.0.1/a"),
            ("http://localhost:8080/a", "http://localhost:8080/a"), ("http://[::1]/a", "http://[::1]/a"),
        ])
    func spelling(text: String, expected: String) throws {
        let url = try RemoteURL(text)
        #expect(url.description == expected)
        #expect(try RemoteURL(url.description) == url)
    }

    @Test(
        "What is no URL of a store is refused, and never repeated",
        arguments: [
            "", "etcd", "etcd:", "etcd://", "etcd:///a", "etcd://a", "etcd://a/", "etcd://a,/b", "etcd://,a/b",
            "etcd://a,a/b",
            "etcd://a,a:2379/b", "etcd://a/b/", "etcd://a//b", "etcd://a/b//c", "etcd://a/.", "etcd://a/../b",
            "etcd://a/b/..",
            "etcd://a/b c", "etcd://a/b?c", "etcd://a/b#c", "etcd://a/b%20", "etcd://a/ü", "etcd://a/b\n", "etcd://ü/b",
            "etcd://a:0/b", "etcd://a:65536/b", "etcd://a:b/c", "etcd://a:/b", "etcd://[::1/b", "etcd://::1/b",
            "etcd://[::1]a/b",
            "etcd://hunter2:hunter2@a/b", "etcd://hunter2@a/b", "etcd://a?b/c", "etcd://a b/c", "etcd://127.1/b",
            "etcd://a./b", "etcd://\u{301}a/b", "etcd:/\u{301}/a/b",
            "https://example.com", "https://example.com/", "https://example.com/a?hunter2", "https://example.com/a#b",
            "https://root:hunter2@example.com/a", "http://example.com/a", "http://10.0.0.1/a", "ftp://a/b", "file:///a",
            "etcd+http://a/b",
            "https://example.com/../a", "vault.age", "/srv/vault.age",
        ])
    func refused(text: String) {
        do throws(RemoteURLError) {
            let url = try RemoteURL(text)
            Issue.record("\(url)")
        } catch {
            #expect(!error.reason.contains("hunter2"))
            #expect(!error.reason.isEmpty)
        }
    }

    @Test("Plain http is for this machine, or where somebody says so") func plain() throws {
        #expect(throws: RemoteURLError.self) { try RemoteURL("http://example.com/a") }
        #expect(try RemoteURL("http://example.com/a", allowsHTTP: true).description == "http://example.com/a")
    }

    @Test(
        "Clusters are reached by TLS, but those of this machine alone",
        arguments: [
            ("etcd://a/b", false, false, true), ("etcd://127.0.0.1/b", false, false, false),
            ("etcd://[::1],localhost,127.9.9.9/b", false, false, false), ("etcd://127.0.0.1,a/b", false, false, true),
            ("etcd://127.0.0.1/b", true, false, true), ("etcd://a/b", false, true, false),
            ("etcd://a/b", true, true, true),
            ("etcd://127.0.0.1.example.com/b", false, false, true),
            ("etcd://localhost.example.com/b", false, false, true),
        ])
    func tls(text: String, hasOptions: Bool, allowsHTTP: Bool, expected: Bool) throws {
        #expect(try RemoteURL(text, allowsHTTP: allowsHTTP).usesTLS(hasTLSOptions: hasOptions) == expected)
    }

    @Test("There are limits to hosts and prefixes") func limits() throws {
        func hosts(_ count: Int) -> String { "etcd://" + (0..<count).map { "h\($0)" }.joined(separator: ",") + "/a" }
        #expect(try RemoteURL(hosts(16)).description == hosts(16))
        #expect(throws: RemoteURLError.self) { try RemoteURL(hosts(17)) }
        let longest = "etcd://a/" + String(repeating: "a", count: 512)
        #expect(try RemoteURL(longest).description == longest)
        #expect(throws: RemoteURLError.self) { try RemoteURL(longest + "a") }
    }
}
