import Foundation

/// Finds secrets in bytes: as they are or in the forms that programs give them, and of each form any part that says
/// something.
struct SecretSearch: Sendable {
    /// A secret as some program would write it.
    private struct Form {
        let name: String
        let bytes: [UInt8]
        /// How many of its bytes in a row are a find: about ten of the secret's own.
        let least: Int
    }

    private struct Place {
        let form: Int
        let offset: Int
    }

    /// What any identity is found as, whether it is known or not.
    static let anyKey = "a key"

    private static let keyPrefix = Array("AGE-SECRET-KEY-1".utf8)

    private var forms: [Form] = []
    /// Where in the forms eight bytes stand.
    private var places: [UInt64: [Place]] = [:]
    /// Which eight bytes need no look at `places`.
    private var isPossible = [Bool](repeating: false, count: 1 << 18)

    /// - Parameter secrets: What is searched for, by the names that finds are told by.
    init(_ secrets: [String: [UInt8]]) {
        for (name, secret) in secrets { for form in Self.forms(of: secret, name) { add(form) } }
        add(Form(name: Self.anyKey, bytes: Self.keyPrefix, least: Self.keyPrefix.count))
    }

    private mutating func add(_ form: Form) {
        // A secret with nothing to encode is the same in several of them.
        if forms.contains(where: { $0.name == form.name && $0.bytes == form.bytes }) { return }
        if form.bytes.count < form.least { return }
        for offset in 0...(form.bytes.count - form.least) {
            let key = form.bytes[offset..<offset + 8].withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
            places[key, default: []].append(Place(form: forms.count, offset: offset))
            isPossible[Self.hash(key)] = true
        }
        forms.append(form)
    }

    private static func hash(_ key: UInt64) -> Int { Int(truncatingIfNeeded: (key &* 0x9e37_79b9_7f4a_7c15) >> 46) }

    private static func forms(of secret: [UInt8], _ name: String) -> [Form] {
        var forms = [Form(name: name, bytes: secret, least: 10)]
        // Where something stands before it, as in `user:token`, base64 is another one; without what that takes part in.
        for shift in 0..<3 {
            let text = Data([UInt8](repeating: 0, count: shift) + secret).base64EncodedString().filter { $0 != "=" }
            let whole = Array(text.utf8.dropFirst(shift + (shift > 0 ? 1 : 0)).dropLast())
            forms.append(Form(name: name, bytes: whole, least: 14))
            let forURLs = whole.map {
                $0 == UInt8(ascii: "+") ? UInt8(ascii: "-") : $0 == UInt8(ascii: "/") ? 0x5f : $0
            }
            forms.append(Form(name: name, bytes: forURLs, least: 14))
        }
        func text(_ least: Int, _ change: (UInt8) -> String) {
            forms.append(Form(name: name, bytes: secret.flatMap { Array(change($0).utf8) }, least: least))
        }
        func digits(_ byte: UInt8, _ format: String = "%02x") -> String { String(format: format, Int(byte)) }
        func isAlphanumeric(_ byte: UInt8) -> Bool {
            Character(Unicode.Scalar(byte)).isASCII && isalnum(Int32(byte)) != 0
        }
        func raw(_ byte: UInt8) -> String { String(Unicode.Scalar(byte)) }
        text(20) { digits($0) }
        text(20) { digits($0, "%02X") }
        text(30) { digits($0, "%%%02X") }
        for format in ["%%%02x", "%%%02X"] {
            text(18) { isAlphanumeric($0) ? raw($0) : digits($0, format) }
            text(18) { isAlphanumeric($0) || "-._~".utf8.contains($0) ? raw($0) : digits($0, format) }
        }
        for escaped in ["\"\\", "\"\\/", "'", "\"\\$`"] {
            forms.append(
                Form(
                    name: name,
                    bytes: secret.flatMap { byte -> [UInt8] in
                        guard escaped.utf8.contains(byte) else { return [byte] }
                        return escaped == "'" ? Array(#"'\''"#.utf8) : [0x5c, byte]
                    }, least: 12))
        }
        text(36) { digits($0, "\\u%04x") }
        text(24) { digits($0, "\\x%02x") }
        // As other systems keep text.
        forms.append(Form(name: name, bytes: secret.flatMap { [$0, 0] }, least: 20))
        return forms
    }

    /// The names of the secrets that stand in these bytes.
    func found(in bytes: some ContiguousBytes) -> Set<String> {
        var found: Set<String> = []
        bytes.withUnsafeBytes { bytes in
            guard bytes.count >= 8 else { return }
            isPossible.withUnsafeBufferPointer { isPossible in
                var position = 0
                let end = bytes.count - 8
                while position <= end {
                    let key = bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
                    if isPossible[Self.hash(key)] {
                        check(key, bytes, position, &found)
                    }
                    position += 1
                }
            }
        }
        return found
    }

    private func check(_ key: UInt64, _ bytes: UnsafeRawBufferPointer, _ position: Int, _ found: inout Set<String>) {
        for place in places[key] ?? [] {
            let form = forms[place.form]
            let part = form.bytes[place.offset..<place.offset + form.least]
            guard position + form.least <= bytes.count, bytes[position..<position + form.least].elementsEqual(part)
            else {
                continue
            }
            if form.name == Self.anyKey {
                // Help and documentation name how a key begins; one of them goes on.
                let rest = bytes[(position + form.least)...].prefix(20)
                guard rest.count == 20, rest.allSatisfy({ "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L".utf8.contains($0) }) else {
                    continue
                }
            }
            found.insert(form.name)
        }
    }

    /// A file as it was at a moment.
    struct Version: Hashable {
        private let path: String
        private let numbers: [Int]

        fileprivate init(_ path: String, _ status: stat) {
            self.path = path
            // The time of a change of anything, which no program can set.
            numbers = [
                Int(status.st_ino), Int(status.st_size), status.st_ctim.tv_sec, status.st_ctim.tv_nsec,
                status.st_mtim.tv_nsec,
            ]
        }
    }

    /// The files below a folder that hold secrets, or have one for a name: path, and names of secrets.
    ///
    /// - Parameters:
    ///   - folder: The folder.
    ///   - known: What was found in files before, so that those that stayed the same are not read again.
    /// - Returns: What was found.
    func found(below folder: String, known: inout [Version: Set<String>]) -> [String: Set<String>] {
        var found: [String: Set<String>] = [:]
        for path in FileManager.default.enumerator(atPath: folder)?.compactMap({ $0 as? String }) ?? [] {
            let whole = folder + "/" + path
            var status = stat()
            guard lstat(whole, &status) == 0 else { continue }
            let version = Version(whole, status)
            let names = known[version] ?? self.found(inFile: whole, status)
            known[version] = names
            if !names.isEmpty { found[path] = names }
        }
        return found
    }

    private func found(inFile path: String, _ status: stat) -> Set<String> {
        let name = found(in: Data(URL(filePath: path).lastPathComponent.utf8))
        switch status.st_mode & S_IFMT {
        case S_IFREG: return name.union(found(in: FileManager.default.contents(atPath: path) ?? Data()))
        case S_IFLNK:
            let target = (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) ?? ""
            return name.union(found(in: Data(target.utf8)))
        default: return name
        }
    }
}
