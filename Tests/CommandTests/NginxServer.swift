import Foundation
import Glibc
import TestSupport
import Testing

/// An nginx of a test's own on loopback, with a certificate from an authority that only the test knows.
final class NginxServer {
    private let folder: TemporaryFolder
    private let ports: [Int]

    /// Starts one that answers `welcome` to the token alone, as bearer or as git's password, and serves the repositories
    /// of its folder. `/away?URL` leads to a URL, and `/show` says what came in the header.
    convenience init(_ home: Home, token: String, rate: Int? = nil) throws {
        let basic = Data("x-access-token:\(token)".utf8).base64EncodedString()
        try self.init(
            home,
            locations: """
                set $known no;
                if ($http_authorization = "Bearer \(token)") { set $known yes; }
                if ($http_authorization = "Basic \(basic)") { set $known yes; }
                location / {
                    if ($known != yes) { return 401 "go away\\n"; }
                    return 200 "welcome\\n";
                }
                location /away { return 302 $args; }
                location /show { return 200 "got $http_authorization\\n"; }
                location ~ [.]git/ {
                    add_header WWW-Authenticate 'Basic realm="git"' always;
                    if ($known != yes) { return 401; }
                }
                """, rate: rate)
    }

    /// Starts one with these directives, and its own folder as its root. It sends as many bytes in a second as `rate`
    /// says, or as it can. The head of an answer has about 150.
    init(_ home: Home, locations: String, rate: Int? = nil) throws {
        folder = try TemporaryFolder()
        ports = try EtcdCluster.freePorts(2)
        let configuration = """
            daemon on;
            master_process off;
            pid \(folder.path)/pid;
            error_log \(folder.path)/error.log;
            events {}
            http {
                access_log off;
                client_body_temp_path \(folder.path)/body;
                proxy_temp_path \(folder.path)/proxy;
                fastcgi_temp_path \(folder.path)/fastcgi;
                uwsgi_temp_path \(folder.path)/uwsgi;
                scgi_temp_path \(folder.path)/scgi;
                limit_rate \(rate ?? 0);
                server {
                    listen 127.0.0.1:\(ports[0]);
                    listen 127.0.0.1:\(ports[1]) ssl;
                    ssl_certificate \(folder.path)/server.crt;
                    ssl_certificate_key \(folder.path)/server.key;
                    root \(folder.path);
                    \(locations)
                }
            }
            """
        try configuration.write(toFile: folder.file("nginx.conf"), atomically: false, encoding: .utf8)
        let started = try home.bash(
            """
            cd '\(folder.path)' && {
            key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
            openssl req -x509 $key -subj '/CN=an authority' -keyout ca.key -out ca.crt
            openssl req $key -subj '/CN=a server' -keyout server.key -out server.csr
            openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -out server.crt \\
                -extfile <(echo subjectAltName=IP:127.0.0.1,DNS:localhost)
            nginx -p . -c '\(folder.path)/nginx.conf' </dev/null
            } >log 2>&1
            for n in {1..100}; do curl -s -o answer http://127.0.0.1:\(ports[0]) && exit; sleep 0.05; done
            cat log; exit 1
            """)
        try #require(started.status == 0, "nginx did not start: \(started.text)")
    }

    deinit {
        if let text = try? String(contentsOfFile: folder.file("pid"), encoding: .utf8), let id = pid_t(text.dropLast())
        {
            kill(id, SIGKILL)
        }
    }

    var certificate: String { folder.file("ca.crt") }

    /// Where something lies in its folder.
    func file(_ name: String) -> String { folder.file(name) }

    func url(_ scheme: String, host: String = "127.0.0.1") -> String {
        "\(scheme)://\(host):\(ports[scheme == "http" ? 0 : 1])"
    }
}
