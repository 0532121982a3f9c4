internal import Resources
public import Sodium
public import VaultFile

/// The protocol of client-go's credential plugins, which kubectl and others speak: an `ExecCredential` in the variable
/// `KUBERNETES_EXEC_INFO`, and one with a status on standard output.
public struct KubernetesExecCredential: Equatable, Sendable {
    /// The versions of the protocol that are spoken. They differ in nothing that is used here.
    public enum Version: String, CaseIterable, Sendable {
        case v1 = "client.authentication.k8s.io/v1"
        case v1beta1 = "client.authentication.k8s.io/v1beta1"
    }

    /// The variable with the request.
    public static let variable = "KUBERNETES_EXEC_INFO"

    /// The most bytes that a request may have: 128 KiB, as Linux has it for a variable. The certificates of the cluster
    /// are in it.
    public static let maximumSize = 1 << 17

    /// The version in which an answer is expected.
    public let version: Version
    /// The address of the cluster's server, where `provideClusterInfo` says that it be given.
    public let server: String?
    /// Whether the client does not look at the server's certificate, so that anybody may be the server.
    public let skipsVerification: Bool

    /// Reads a request.
    ///
    /// - Throws: ``ClientRequestError``.
    public init(_ request: Span<UInt8>) throws(ClientRequestError) {
        guard request.count <= Self.maximumSize else {
            throw ClientRequestError("the request has more than \(Self.maximumSize) bytes")
        }
        var version: String?
        var kind: String?
        var server: String?
        var skipsVerification = false
        func readCluster(_ name: JSONString, _ cursor: inout JSONCursor) throws(JSONError) {
            if name.equals("server", in: request) {
                server = try cursor.readString(request).text(in: request)
            } else if name.equals("insecure-skip-tls-verify", in: request) {
                // Anything that is not no is taken for yes.
                let value = try request.extracting(cursor.readValue(request))
                skipsVerification = !value.equals("false") && !value.equals("null")
            } else {
                try cursor.readValue(request)
            }
        }
        try ClientRequest.readObject(request) { (name, cursor) throws(JSONError) in
            if name.equals("apiVersion", in: request) {
                version = try cursor.readString(request).text(in: request)
            } else if name.equals("kind", in: request) {
                kind = try cursor.readString(request).text(in: request)
            } else if name.equals("spec", in: request) {
                if try cursor.readNull(request) { return }
                try cursor.readObject(request) { (name, cursor) throws(JSONError) in
                    guard name.equals("cluster", in: request) else {
                        try cursor.readValue(request)
                        return
                    }
                    if try cursor.readNull(request) { return }
                    try cursor.readObject(request) { (name, cursor) throws(JSONError) in
                        try readCluster(name, &cursor)
                    }
                }
            } else {
                try cursor.readValue(request)
            }
        }
        guard kind == "ExecCredential" else { throw ClientRequestError("the request is no ExecCredential") }
        guard let known = version.flatMap(Version.init) else {
            let all = Version.allCases.map(\.rawValue).joined(separator: " and ")
            throw ClientRequestError("the request has an apiVersion that is not spoken here; there are \(all)")
        }
        self.version = known
        self.server = server
        self.skipsVerification = skipsVerification
    }

    /// Appends the answer: a token, and until when it is good where that is known.
    public func append(token: Span<UInt8>, expires: Timestamp?, to output: inout SecretBuffer) {
        output.append(
            Array("{\"apiVersion\":\"\(version.rawValue)\",\"kind\":\"ExecCredential\",\"status\":{".utf8).span)
        if let expires { output.append(Array("\"expirationTimestamp\":\"\(expires)\",".utf8).span) }
        output.append("\"token\":")
        output.appendQuoted(token)
        output.append("}}\n")
    }
}
