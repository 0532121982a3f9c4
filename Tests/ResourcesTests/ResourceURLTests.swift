import Foundation
import Resources
import TestSupport
import Testing

@Suite struct ResourceURLTests {
    @Test(arguments: [
        ("https://api.github.com", "https", "api.github.com", 443, "/"),
        ("https://api.github.com/", "https", "api.github.com", 443, "/"),
        ("https://api.github.com/v1", "https", "api.github.com", 443, "/v1"),
        ("https://api.github.com/v1/", "https", "api.github.com", 443, "/v1/"),
        ("HTTPS://API.GitHub.COM/V1", "https", "api.github.com", 443, "/V1"),
        ("Http://h", "http", "h", 80, "/"),
        ("http://h:80", "http", "h", 80, "/"),
        ("https://h:443/", "https", "h", 443, "/"),
        ("https://h:80/", "https", "h", 80, "/"),
        ("http://h:443/", "http", "h", 443, "/"),
        ("https://h:1", "https", "h", 1, "/"),
        ("https://h:65535", "https", "h", 65_535, "/"),
        ("https://h:08443/x", "https", "h", 8443, "/x"),
        ("https://h:8443?x", "https", "h", 8443, "/"),
        ("https://xn--bcher-kva.example/", "https", "xn--bcher-kva.example", 443, "/"),
        ("https://a_b.example", "https", "a_b.example", 443, "/"),
        ("https://3scale.example", "https", "3scale.example", 443, "/"),
        ("https://1.example", "https", "1.example", 443, "/"),
        ("https://127.0.0.1.example", "https", "127.0.0.1.example", 443, "/"),
        ("https://10.0.0.1:8443/v1", "https", "10.0.0.1", 8443, "/v1"),
        ("https://255.255.255.255", "https", "255.255.255.255", 443, "/"),
        // Detours that are none: more dots than two, dots beside other characters, what stands in a query.
        ("https://h/...", "https", "h", 443, "/..."),
        ("https://h/.git/..a/b..", "https", "h", 443, "/.git/..a/b.."),
        ("https://h/a%2eb", "https", "h", 443, "/a%2eb"),
        ("https://h/a//b", "https", "h", 443, "/a//b"),
        ("https://h//", "https", "h", 443, "//"),
        ("https://h/a;v=1/b", "https", "h", 443, "/a;v=1/b"),
        ("https://h/%20%c3%bc", "https", "h", 443, "/%20%c3%bc"),
        ("https://h/a@b:c", "https", "h", 443, "/a@b:c"),
        ("https://h/~!$&'()*+,=", "https", "h", 443, "/~!$&'()*+,="),
        ("https://h/://x", "https", "h", 443, "/://x"),
    ])
    func `A URL is taken apart`(text: String, scheme: String, host: String, port: Int, path: String) throws {
        let url = try ResourceURL(text)
        #expect(url.scheme == scheme)
        #expect(url.host == host)
        #expect(url.port == port)
        #expect(url.path == path)
    }

    @Test(arguments: [
        ("https://h?a=b", "/"), ("https://h?@evil.example", "/"), ("https://h#@evil.example", "/"),
        ("https://h/?../..", "/"), ("https://h/a#/../b", "/a"), ("https://h/a?b#c", "/a"), ("https://h/a#b?c", "/a"),
        ("https://h?x=%2f%2e%2e%00", "/"), ("https://h/a?", "/a"), ("https://h/a#", "/a"),
        ("https://h?https://evil.example/", "/"),
    ])
    func `What stands behind the path belongs neither to it nor to the host`(text: String, path: String) throws {
        let url = try ResourceURL(text)
        #expect(url.host == "h")
        #expect(url.path == path)
        #expect(url.hasQuery)
        #expect(try !ResourceURL("https://h\(path)").hasQuery)
    }

    @Test(arguments: [
        // No scheme, or another one.
        "", "h", "api.github.com/v1", "//api.github.com", "/v1", "://h", "https", "https:", "https:/", "https://",
        "https:h", "http:/h", "http:///h", "https:////h", "https:///", "http://:80", "https://?x", "https://#x",
        "ftp://h", "file:///etc/passwd", "ws://h", "httpss://h", "xhttps://h", "h://https://h", "ｈttps://h",
        "javascript://h", "https;//h", "https:\\\\h", "https:/\\h",
        // User-info, with whatever stands in it.
        "https://api.github.com@evil.example", "https://api.github.com\\@evil.example", "https://user:pw@h",
        "https://@h", "https://h@", "https://a@b@h", "https://h:443@evil.example", "https://user%40h@h",
        // Backslashes.
        "https://h\\evil.example", "https://h/\\..\\x", "https://h/a\\b", "https://h?a\\b", "\\\\h",
        // Dot segments, plain and encoded.
        "https://h/.", "https://h/..", "https://h/../x", "https://h/./x", "https://h/a/..", "https://h/a/.",
        "https://h/v1/../admin", "https://h/v1/./admin", "https://h/v1/%2e%2e/admin", "https://h/v1/%2E%2E/admin",
        "https://h/v1/.%2e/admin", "https://h/v1/%2e./admin", "https://h/v1/%2E./x", "https://h/v1/.%2E",
        "https://h/v1/%2e", "https://h/v1/%2E/x", "https://h//..//x", "https://h/v1/..?x", "https://h/v1/..#x",
        // With parameters, which some servers take off before they resolve the segment.
        "https://h/v1/..;/admin", "https://h/v1/..;a=b/admin", "https://h/v1/.;/x", "https://h/v1/%2e%2e;/x",
        "https://h/v1/..%3b/admin", "https://h/v1/%2E.%3Ba/admin",
        // Encoded slashes, and a zero byte, at which some programs stop.
        "https://h/a%2fb", "https://h/a%2Fb", "https://h/..%2fx", "https://h/a%5cb", "https://h/a%5Cb",
        "https://h/a%00", "https://h/v1/..%00/x", "https://h/%00",
        // Hosts that resolve, or are written, in more than one way.
        "https://h.", "https://api.github.com.", "https://api.github.com./x", "https://api.github.com.:443",
        "https://.", "https://..", "https://.h", "https://a..b", "https://-h", "https://h-", "https://a.-b",
        "https://a-.b",
        "https://bücher.example", "https://api。github.com", "https://ａpi.github.com", "https://api.github.com\u{ad}",
        "https://api%2egithub.com", "https://%61pi.github.com", "https://api.github.com%2f@evil.example",
        "https://api.github.com%00.evil.example", "https://h%", "https://h%23x", "https://a,b", "https://a;b",
        "https://a!b", "https://h*", "https://*.example", "https://a'b", "https://{h}", "https://$HOME", "https://a|b",
        "https://\(String(repeating: "a", count: 64)).example",
        "https://" + Array(repeating: "abcdefg", count: 32).joined(separator: "."),
        // Numbers that are addresses to a resolver, or look like ones.
        "http://2130706433", "http://0", "http://1", "http://0x7f000001", "http://0X7F.1", "http://127.1",
        "http://127.0.1", "http://0177.0.0.1", "http://127.0.0.01", "http://127.0.0.0x1", "http://127.000.000.001",
        "http://017700000001", "http://1.2.3.4.5", "http://256.1.1.1", "http://1.2.3.256", "http://127.0.0.08",
        "http://0x", "http://a.1", "http://a.0x1", "http://127.0.0.1.", "http://1e3.0",
        // Ports.
        "https://h:", "https://h:/", "https://h:0", "https://h:00", "https://h:65536", "https://h:99999999999999999999",
        "https://h:+443", "https://h:-1", "https://h:4 43", "https://h:443x", "https://h:0x1bb", "https://h:443:443",
        "https://h::443", "https://h:https", "https://h:%34", "https://h:٤",
        // Addresses in brackets.
        "https://[", "https://[]", "https://[::1", "https://::1", "https://::1]", "https://[::1]x", "https://[::1].",
        "https://[::1]443", "https://x[::1]", "https://[[::1]]", "https://[:]", "https://[:::]", "https://[1]",
        "https://[1::2::3]", "https://[1:2:3:4:5:6:7]", "https://[1:2:3:4:5:6:7:8:9]", "https://[1:2:3:4:5:6:7:8::]",
        "https://[::1:2:3:4:5:6:7:8]", "https://[12345::]", "https://[::g]", "https://[::1%25lo]", "https://[::1%lo]",
        "https://[fe80::1%25eth0]", "https://[::127.0.0.1]", "https://[::ffff:127.0.0.1]", "https://[1.2.3.4]",
        "https://[v1.x]", "https://[h]", "https://[::1]:", "https://[::1]:0", "https://[::1]:x", "https://[::1 ]",
        "https://[:1:2:3:4:5:6:7]", "https://[1:2:3:4:5:6:7:]",
        // What curl would take for a pattern.
        "https://h/{a,b}", "https://h/[1-9]", "https://h/{", "https://h/}", "https://h/a[", "https://h/]b",
        // White space and control characters, which some programs drop and others do not.
        " https://h", "https://h ", "https://h /x", "https:// h", "https://h/a b", "https://h\t", "ht\ttps://h",
        "https://h/a\tb", "https://h\n", "https://h\r\n", "https://h/\r\nX: y", "https://ev\nil.example", "https://h\0",
        "https://h\0.evil.example", "https://h/a\u{7f}", "https://h/\u{1b}[0m", "https://h/\u{a0}", "https://h/ü",
        "https://h?ü", "https://h\u{2028}", "https\u{200b}://h",
    ])
    func `A URL that two programs could read differently is refused`(text: String) {
        #expect(throws: ResourceError.self) { try ResourceURL(text) }
    }

    @Test(arguments: [
        ("https://alice:hunter22@h", "hunter22"), ("alice:hunter22@h", "hunter22"),
        ("ftp://alice:hunter22@h", "hunter22"),
        ("https://h:x/?token=hunter22", "hunter22"), ("https://h/../x?token=hunter22", "hunter22"),
        ("h?token=hunter22", "hunter22"), ("https://h./#hunter22", "hunter22"), ("https://h:hunter22 ", "hunter22"),
        ("https://al\\ice:hunter22@h", "hunter22"), ("https://alice:hunter22/@h", "hunter22"),
        ("hunter22", "hunter22"), ("hunter22://h", "hunter22"), ("https://hunter22.", "hunter22"),
        ("https://h:hunter22", "hunter22"), ("https://h/../hunter22", "hunter22"), ("https://h/{hunter22}", "hunter22"),
    ])
    func `A message says nothing of what may be a secret`(text: String, secret: String) throws {
        let error = #expect(throws: ResourceError.self) { try ResourceURL(text) }
        #expect(!"\(try #require(error))".contains(secret))
    }

    @Test(arguments: [
        ("https://api.github.com", "https://api.github.com/user"),
        ("https://api.github.com", "https://api.github.com"),
        ("https://api.github.com", "https://api.github.com/"),
        ("https://api.github.com/", "https://api.github.com"),
        ("https://api.github.com", "HTTPS://API.GITHUB.COM/user"),
        ("https://API.github.com", "https://api.github.com/user"),
        ("https://api.github.com", "https://api.github.com:443/user"),
        ("https://api.github.com:443", "https://api.github.com/user"),
        ("https://api.github.com", "https://api.github.com?x=https://evil.example"),
        ("https://api.github.com", "https://api.github.com#@evil.example"),
        ("http://h", "http://h:80/"), ("http://h:8080", "http://h:8080/x"), ("http://h:8080", "http://h:08080/x"),
        ("https://h/v1", "https://h/v1"), ("https://h/v1", "https://h/v1/"), ("https://h/v1/", "https://h/v1/x"),
        ("https://h/v1/", "https://h/v1"), ("https://h/v1", "https://h/v1/x/y"), ("https://h/v1", "https://h/v1?x"),
        ("https://h/v1", "https://h/v1//x"), ("https://h", "https://h//x"), ("https://h/a%20b", "https://h/a%20b/c"),
        ("https://h/v1", "https://h/v1/a;b"), ("https://[::1]", "https://[::1]:443/x"),
        // Two spellings of one address are one host.
        ("https://[2001:db8::1]", "https://[2001:DB8:0:0::0001]/x"), ("https://[::1]", "https://[0:0:0:0:0:0:0:1]"),
        ("https://[1:0:0:2:0:0:0:3]", "https://[1:0:0:2::3]"), ("https://[1::2:0:0:0:3]", "https://[1:0:0:2::3]"),
    ])
    func `Inside is the same scheme, host and port, and the path as far as it goes`(
        resource: String, url: String
    ) throws {
        #expect(try ResourceURL(resource).contains(ResourceURL(url)))
    }

    @Test(arguments: [
        ("https://api.github.com", "http://api.github.com"), ("http://h", "https://h"), ("http://h:443", "https://h"),
        ("https://api.github.com", "https://github.com"), ("https://github.com", "https://api.github.com"),
        ("https://api.github.com", "https://api.github.com.evil.example"),
        ("https://api.github.com", "https://evil.example/api.github.com"),
        ("https://api.github.com", "https://evil.example?https://api.github.com"),
        ("https://api.github.com", "https://evil.example/#https://api.github.com/"),
        ("https://api.github.com", "https://xapi.github.com"), ("https://api.github.com", "https://api-github.com"),
        ("https://api.github.com", "https://api.github.com:8443"), ("https://h:8443", "https://h"),
        ("https://h:8443", "https://h:8444"), ("https://h:80", "https://h"), ("http://h:443", "http://h"),
        ("https://h/v1", "https://h/v10"), ("https://h/v1", "https://h/v1.1"), ("https://h/v1", "https://h/v1-x"),
        ("https://h/v1", "https://h/v1%2e"), ("https://h/v1", "https://h/v1;x"), ("https://h/v1", "https://h"),
        ("https://h/v1/", "https://h/v10"), ("https://h/v1", "https://h/v2"), ("https://h/v1", "https://h/V1"),
        ("https://h/v1", "https://h//v1"), ("https://h/v1/x", "https://h/v1"), ("https://h/v1", "https://h/?/v1"),
        ("https://h/v1", "https://h/%761"), ("https://h/v1//x", "https://h/v1/x"),
        ("https://h/v1", "https://h/x/v1"), ("https://127.0.0.1", "https://localhost"),
        ("https://[::1]", "https://[::2]"), ("https://[::1]", "https://[1::]"), ("https://[::1]", "https://localhost"),
        ("https://[1:0:0:2::3]", "https://[1::2:0:0:3]"),
    ])
    func `Everything else is outside`(resource: String, url: String) throws {
        #expect(try !ResourceURL(resource).contains(ResourceURL(url)))
    }

    @Test(arguments: [
        "http://127.0.0.1", "http://127.0.0.1:8080/x", "http://127.255.255.254", "http://127.1.2.3", "http://[::1]",
        "http://[::1]:8080", "http://[0:0:0:0:0:0:0:1]", "http://[0::0:0001]", "http://localhost",
        "http://LOCALHOST:8080", "https://localhost",
    ])
    func `Loopback is what does not leave the machine`(text: String) throws {
        #expect(try ResourceURL(text).isLoopback)
    }

    @Test(arguments: [
        "http://localhost.evil.example", "http://127.0.0.1.evil.example", "http://127.example", "http://notlocalhost",
        "http://x.localhost", "http://128.0.0.1", "http://12.7.0.1", "http://0.0.0.0", "http://[::]", "http://[::2]",
        "http://[1::1]", "http://[::ffff:7f00:1]", "http://10.0.0.1", "http://evil.example/127.0.0.1",
        "http://localhost-x",
    ])
    func `Loopback is nothing else`(text: String) throws {
        #expect(try !ResourceURL(text).isLoopback)
    }

    @Test(arguments: [
        ("HTTPS://API.GitHub.com:443/", "https://api.github.com"), ("http://H:80", "http://h"),
        ("https://h:8443/V1/", "https://h:8443/V1/"), ("http://h:443/x?y#z", "http://h:443/x"),
        ("https://h:00443", "https://h"), ("https://[::1]:443", "https://[::1]"), ("https://h//", "https://h//"),
        // RFC 5952.
        ("https://[2001:0DB8:0:0:0:0:0:1]", "https://[2001:db8::1]"), ("https://[0:0:0:0:0:0:0:0]", "https://[::]"),
        ("https://[1:0:0:0:0:0:0:0]", "https://[1::]"), ("https://[2001:db8::0:1]", "https://[2001:db8::1]"),
        ("https://[2001:db8:0:1:1:1:1:1]", "https://[2001:db8:0:1:1:1:1:1]"),
        ("https://[2001:db8::1:1:1:1:1]", "https://[2001:db8:0:1:1:1:1:1]"),
        ("https://[2001:0:0:1:0:0:0:1]", "https://[2001:0:0:1::1]"),
        ("https://[2001:db8:0:0:1:0:0:1]", "https://[2001:db8::1:0:0:1]"),
        ("https://[1:2:3:4:5:6:7::]", "https://[1:2:3:4:5:6:7:0]"),
        ("https://[::2:3:4:5:6:7:8]", "https://[0:2:3:4:5:6:7:8]"),
        ("https://[::FFFF:7f00:1]", "https://[::ffff:7f00:1]"),
    ])
    func `A URL has one spelling, which reads as the same URL`(text: String, spelling: String) throws {
        let url = try ResourceURL(text)
        #expect(url.description == spelling)
        #expect(try ResourceURL(spelling).description == spelling)
        #expect(try ResourceURL(spelling).contains(url))
        #expect(try url.contains(ResourceURL(spelling)))
    }
}
