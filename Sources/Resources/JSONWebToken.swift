internal import Sodium
public import VaultFile

/// JSON Web Tokens (RFC 7519), of which only the expiry is of interest. Nothing is verified.
public enum JSONWebToken {
    /// The `exp` of a token that is a JWT; nil for any other token, or when it has none.
    public static func expiry(of bytes: Span<UInt8>) -> Timestamp? {
        var dots: [Int] = []
        for index in bytes.indices where bytes[index] == UInt8(ascii: ".") { dots.append(index) }
        guard dots.count == 2,
            let header = Base64.decodeSecret(bytes.extracting(..<dots[0]), .urlUnpadded),
            let claims = Base64.decodeSecret(bytes.extracting(dots[0] + 1..<dots[1]), .urlUnpadded),
            header.withBytes({ member("alg", of: $0) }) != nil
        else { return nil }
        return claims.withBytes { claims in
            guard let range = member("exp", of: claims) else { return nil }
            // A number without sign and exponent, of which a fraction is dropped.
            let number = claims.extracting(range).text
            guard number.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }),
                let seconds = Int(number.prefix { $0 != "." }), (0...253_402_300_799).contains(seconds)
            else { return nil }
            return Timestamp(seconds: seconds)
        }
    }

    /// Where the value of a member of a JSON object stands.
    private static func member(_ name: StaticString, of bytes: Span<UInt8>) -> Range<Int>? {
        var found: Range<Int>?
        var cursor = JSONCursor()
        do throws(JSONError) {
            try cursor.readObject(bytes) { (key, cursor) throws(JSONError) in
                let value = try cursor.readValue(bytes)
                if key.equals(name, in: bytes) { found = value }
            }
            try cursor.readEnd(bytes)
        } catch {
            return nil
        }
        return found
    }
}
