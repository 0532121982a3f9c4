import Resources
import Sodium
import VaultFile

@testable import Remotes

extension FuzzTarget {
    /// The URL of a store.
    static let remote = FuzzTarget(name: "remote", maximumSize: 1024) { bytes in
        guard let text = bytes.validText, let url = try? RemoteURL(text) else { return }
        try hold(bytes.allSatisfy { (0x21...0x7e).contains($0) }, "a URL that is not visible ASCII")
        let spelling = url.description
        try hold(try RemoteURL(spelling) == url, "a URL that is another one when written")
        switch url.kind {
        case .web(let resource):
            try hold(resource.scheme == "https" || resource.isLoopback, "http without being asked for")
        case .etcd(let endpoints, let prefix):
            try hold((1...RemoteURL.maximumEndpoints).contains(endpoints.count), "\(endpoints.count) hosts")
            try hold(text.hasSuffix("/\(prefix)"), "another prefix")
        }
    }

    /// What etcd's gateway answers.
    static let etcd = FuzzTarget(name: "etcd", maximumSize: 8192) { bytes in
        let span = bytes.span
        if let answer = try? EtcdAnswer(span) {
            try hold(answer.revision > 0, "no revision")
            for pair in answer.pairs {
                try hold(pair.revision > 0, "a pair without a revision")
                _ = pair.decodedKey(span)
                guard let value = pair.decodedValue(span) else { continue }
                try check(head: value)
            }
        }
        try check(head: bytes)
        for status in [200, 404, 503] { _ = EtcdFailure(status: status, span) }
        try hold(EtcdBase64.decode(span) == Base64.decode(span), "base64 that is read in two ways")
        var watch = EtcdWatch(from: 1, seconds: 60)
        if let goesOn = try? watch.take(span), !goesOn {
            try hold((try? watch.finish(hasEnded: false)) ?? false, "an end without a reason")
        }
    }

    private static func check(head bytes: [UInt8]) throws {
        guard let head = try? EtcdHead(parsing: bytes.span) else { return }
        try hold((1...EtcdHead.kept).contains(head.versions.count), "\(head.versions.count) versions")
        for version in head.versions {
            try hold(version.byteCount <= StoreLimits.maximumByteCount, "a version that is too large")
            try hold((1...EtcdHead.maximumParts).contains(version.parts), "\(version.parts) parts")
        }
        try hold(try EtcdHead(parsing: head.bytes.span) == head, "a head that is another one when written")
    }
}
