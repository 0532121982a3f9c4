import Injection
import TestSupport
import Testing
import VaultFile

@Suite struct KubernetesExecCredentialTests {
    private func request(_ text: String) throws -> KubernetesExecCredential {
        let bytes = Array(text.utf8)
        return try KubernetesExecCredential(bytes.span)
    }

    private static func info(_ version: String = "client.authentication.k8s.io/v1", spec: String = "{}") -> String {
        #"{"kind":"ExecCredential","apiVersion":"\#(version)","spec":\#(spec)}"#
    }

    @Test(arguments: KubernetesExecCredential.Version.allCases)
    func `The answer has the version of the request`(version: KubernetesExecCredential.Version) throws {
        let request = try request(Self.info(version.rawValue))
        let bytes = Array("token-zero".utf8)
        #expect(
            written { request.append(token: bytes.span, expires: nil, to: &$0) }
                == #"{"apiVersion":"\#(version.rawValue)","kind":"ExecCredential","status":{"token":"token-zero"}}"#
                + "\n")
        #expect(
            written { request.append(token: bytes.span, expires: Timestamp(seconds: 1_800_000_000), to: &$0) }
                == #"{"apiVersion":"\#(version.rawValue)","kind":"ExecCredential","status":{"expirationTimestamp":"2027-01-15T08:00:00Z","token":"token-zero"}}"#
                + "\n")
    }

    @Test(
        arguments: [
            (
                #"{"cluster":{"server":"https://k8s.example:6443","certificate-authority-data":"Zm9v","config":null},"interactive":true}"#,
                "https://k8s.example:6443", false
            ),
            (#"{"cluster":{"server":"https://a","insecure-skip-tls-verify":true}}"#, "https://a", true),
            (#"{"cluster":{"server":"https://a","insecure-skip-tls-verify":false}}"#, "https://a", false),
            // What is not clearly no is yes.
            (#"{"cluster":{"server":"https://a","insecure-skip-tls-verify":"true"}}"#, "https://a", true),
            (#"{"cluster":{"server":"https://a","insecure-skip-tls-verify":1}}"#, "https://a", true),
            (#"{"cluster":{"server":"https://a","insecure-skip-tls-verify":[true]}}"#, "https://a", true),
            (#"{"cluster":{"server":"https://a","insecure-skip-tls-verify":null}}"#, "https://a", false),
            (#"{"interactive":false}"#, nil, false), (#"{"cluster":null}"#, nil, false), ("null", nil, false),
            (#"{"cluster":{}}"#, nil, false), ("{}", nil, false), (#"{"server":"https://a"}"#, nil, false),
        ] as [(String, String?, Bool)])
    func `The cluster is read where it is given`(spec: String, server: String?, skips: Bool) throws {
        let request = try request(Self.info(spec: spec))
        #expect(request.server == server)
        #expect(request.skipsVerification == skips)
    }

    @Test(arguments: [
        "client.authentication.k8s.io/v1alpha1", "client.authentication.k8s.io/v2", "client.authentication.k8s.io/",
        "v1",
        "", "CLIENT.AUTHENTICATION.K8S.IO/V1",
    ])
    func `Another version is refused by the names of those that there are`(version: String) {
        #expect(
            throws: ClientRequestError(
                "the request has an apiVersion that is not spoken here; there are client.authentication.k8s.io/v1 and client.authentication.k8s.io/v1beta1"
            )
        ) { try request(Self.info(version)) }
    }

    @Test(
        arguments: malformedObjects + [
            "{}", #"{"apiVersion":"client.authentication.k8s.io/v1"}"#,
            #"{"kind":"Pod","apiVersion":"client.authentication.k8s.io/v1"}"#,
            info(spec: "[]"), info(spec: #"{"cluster":[]}"#), info(spec: #"{"cluster":{"server":null}}"#),
            info(spec: #"{"cluster":{"server":"https://a","server":"https://b"}}"#),
            info(spec: #"{"cluster":{"server":"https://a"},"cluster":{"server":"https://b"}}"#),
        ])
    func `What is no request is refused`(text: String) {
        #expect(throws: ClientRequestError.self) { try request(text) }
    }

    @Test func `A request that is too large is refused before it is read`() {
        let bytes = oversized(Self.info().dropLast() + ",\"a\":\"", "xxx", "\"}")
        #expect(throws: ClientRequestError("the request has more than 131072 bytes")) {
            try KubernetesExecCredential(bytes.span)
        }
    }

    @Test(arguments: awkwardTexts)
    func `jq reads back what was meant, byte for byte`(token: String) throws {
        let request = try request(Self.info())
        let bytes = Array(token.utf8)
        let text = written { request.append(token: bytes.span, expires: nil, to: &$0) }
        let output = try Command.run("jq", ["-j", ".status.token"], input: Array(text.utf8))
        #expect(output.stdout == bytes)
    }
}
