import Foundation
import Injection
import Resources
import Sodium
import VaultFile

extension FuzzTarget {
    /// A command line of curl's, with zero bytes between the arguments.
    static let curl = FuzzTarget(name: "curl", maximumSize: 1024) { bytes in
        let arguments = bytes.isEmpty ? [] : bytes.parts(by: 0)
        guard let line = try? CurlCommandLine(arguments), let use = try? line.use(for: [Known.resource]),
            case .headers(let injection) = use
        else { return }
        try hold(injection.resource == 0, "a resource that was not offered")
        try hold(
            ["proto-redir = \"=https\"\n", "noproxy = \"*\"\n"].contains(injection.options),
            "other options: \(injection)")
        try hold(injection.resets.allSatisfy { (1...arguments.count).contains($0) }, "a reset behind the end")
        try hold(injection.resets == injection.resets.sorted(), "resets out of order")
        for (number, argument) in arguments.enumerated() {
            // What stands behind something that is no option is none's value, and a URL.
            let before = number > 0 ? arguments[number - 1] : []
            guard before.first != UInt8(ascii: "-"), argument.first != UInt8(ascii: "-") else { continue }
            guard !argument.contains(where: "{}[]".utf8.contains) else { continue }
            let url = try URLParts(try held(argument.validText, "a URL that is not text"))
            let isInside = try Known.resource.urls.contains { url.isInside(try URLParts($0.description)) }
            try hold(isInside, "argument \(number + 1) is not inside the resource")
        }
    }

    /// What git asks for.
    static let git = FuzzTarget(name: "git", maximumSize: 2048) { bytes in
        guard let request = try? GitCredential(bytes.span) else { return }
        if let url = try? request.url() {
            try hold(url.scheme == request.scheme, "another scheme")
            let parts = try URLParts("\(request.scheme)://\(request.host)")
            try hold(url.host == parts.host || url.host.hasPrefix("["), "another host")
            try hold(url.port == parts.port, "another port")
        }
        let answer = written { output in
            let token = Known.token
            request.append(Known.resource, username: "alice", token: token.span, to: &output)
        }
        // Nothing of the request is in it.
        let end = "password_expiry_utc=4000000000\n"
        let token = String(decoding: Known.token, as: UTF8.self)
        let basic = String(decoding: Base64.encode(Array("alice:\(token)".utf8).span), as: UTF8.self)
        func scheme(_ name: String, _ credential: String) -> String {
            "capability[]=authtype\nauthtype=\(name)\ncredential=\(credential)\nephemeral=1\n\(end)"
        }
        let answers = ["username=alice\npassword=\(token)\n\(end)", scheme("Bearer", token), scheme("Basic", basic)]
        try hold(answers.contains { $0.utf8.elementsEqual(answer) }, "an answer that is none of the three")
    }

    /// What docker asks for.
    static let docker = FuzzTarget(name: "docker", maximumSize: 2048) { bytes in
        guard let server = try? DockerCredentialHelper.server(of: bytes.span) else { return }
        let parts = try URLParts(server.text.contains("://") ? server.text : "https://\(server.text)")
        try hold(server.url.host == parts.host || server.url.host.hasPrefix("["), "another host")
        let answer = written { output in
            let token = Known.token
            DockerCredentialHelper.append(server, username: "alice", token: token.span, to: &output)
        }
        let members = try object(answer)
        try hold(members["ServerURL"] as? String == server.text, "another server in the answer")
        try hold(members["Secret"] as? String == String(decoding: Known.token, as: UTF8.self), "another token")
    }

    /// What Bazel asks for.
    static let bazel = FuzzTarget(name: "bazel", maximumSize: 2048) { bytes in
        guard let uri = try? BazelCredentialHelper.uri(of: bytes.span) else { return }
        if let other = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] {
            try hold((other["uri"] as? String)?.utf8.elementsEqual(uri.utf8) ?? false, "another URI to others")
        }
    }

    /// What kubectl asks for.
    static let kubectl = FuzzTarget(name: "kubectl", maximumSize: 2048) { bytes in
        guard let request = try? KubernetesExecCredential(bytes.span) else { return }
        if let other = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] {
            let cluster = (other["spec"] as? [String: Any])?["cluster"] as? [String: Any]
            try hold(cluster?["server"] as? String == request.server, "another server to others")
            try hold(other["apiVersion"] as? String == request.version.rawValue, "another version to others")
            let skips = cluster?["insecure-skip-tls-verify"] as? Bool
            try hold(skips != true || request.skipsVerification, "a certificate that others do not look at")
        }
        let answer = written { output in
            let token = Known.token
            request.append(token: token.span, expires: nil, to: &output)
        }
        let status = try object(answer)["status"] as? [String: Any]
        try hold(status?["token"] as? String == String(decoding: Known.token, as: UTF8.self), "another token")
    }

    /// The host that Terraform asks for.
    static let terraform = FuzzTarget(name: "terraform", maximumSize: 512) { bytes in
        guard let host = bytes.validText, let url = try? TerraformCredentialsHelper.url(ofHost: host) else { return }
        let parts = try URLParts("https://\(host)")
        try hold(url.scheme == "https" && url.path == "/" && !url.hasQuery, "more than a host")
        try hold((url.host == parts.host || url.host.hasPrefix("[")) && url.port == parts.port, "another host")
    }

    /// The URL that Go asks for.
    static let goauth = FuzzTarget(name: "goauth", maximumSize: 512) { bytes in
        guard let text = bytes.validText, let url = try? ResourceURL(text), Known.resource.covers(url) else { return }
        let answer = written { output in
            let token = Known.token
            GoAuth.append(Known.resource, for: url, token: token.span, to: &output)
        }
        let lines = String(decoding: answer, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        try hold(lines.count == 5 && lines[1].isEmpty && lines[3].isEmpty && lines[4].isEmpty, "other lines")
        try hold(try URLParts(text).isInside(try URLParts(String(lines[0]))), "a URL that it is not inside of")
        try hold(lines[2] == "Authorization: Bearer \(String(decoding: Known.token, as: UTF8.self))", "another header")
    }

    /// An answer of one line that is a JSON object to others as well.
    private static func object(_ answer: [UInt8]) throws -> [String: Any] {
        try hold(answer.last == UInt8(ascii: "\n") && !answer.dropLast().contains(UInt8(ascii: "\n")), "not one line")
        let value = try? JSONSerialization.jsonObject(with: Data(answer)) as? [String: Any]
        return try held(value, "an answer that is no object")
    }
}
