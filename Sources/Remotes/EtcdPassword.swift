internal import Sodium

/// The password of a user of etcd, as it stands in a request.
enum EtcdPassword {
    /// Appends the characters of a JSON string, without its quotation marks.
    static func append(_ password: Span<UInt8>, to output: inout SecretBuffer) {
        let digits: StaticString = "0123456789abcdef"
        for index in password.indices {
            let byte = password[index]
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                output.append("\\")
                output.append(password.extracting(index..<index + 1))
            case ..<0x20:
                output.append("\\u00")
                let hexadecimal = [byte >> 4, byte & 15].map { unsafe digits.utf8Start[Int($0)] }
                output.append(hexadecimal.span)
            default: output.append(password.extracting(index..<index + 1))
            }
        }
    }
}
