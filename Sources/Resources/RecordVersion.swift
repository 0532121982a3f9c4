internal import Sodium
internal import VaultFile

/// One version of a record among others, whose lines stand one behind the other in one region.
struct RecordVersion {
    /// A member that this version of the program does not know.
    struct Unknown {
        /// Its name, as bytes: differently composed characters are different names.
        let name: [UInt8]
        /// Where in the lines its value stands.
        let value: Range<Int>
    }

    /// Where its line stands.
    let place: Range<Int>
    /// All that is no secret.
    let resource: Resource
    /// Where in its line the rest is.
    let layout: RecordLayout
    /// What stands for the token and, behind it, for the earlier ones: the same in all versions for the same value.
    let marks: [[UInt8]]
    /// Where in ``marks`` a mark first stands.
    let numbers: [[UInt8]: Int]

    /// Reads a version, and checks all of it.
    ///
    /// - Parameters:
    ///   - lines: All the lines.
    ///   - place: Where this one stands.
    ///   - key: 32 random bytes, without which the marks say nothing about the tokens.
    /// - Throws: ``ResourceError/malformedRecord(name:_:)``.
    init(_ lines: Span<UInt8>, at place: Range<Int>, key: borrowing SecretBytes) throws(ResourceError) {
        self.place = place
        let line = lines.extracting(place)
        let (resource, layout) = try RecordLayout.parseStored(line)
        var marks: [[UInt8]] = []
        for number in layout.tokens.indices {
            layout.withToken(number, of: line) { token in
                marks.append(BLAKE2b.hash(token, key: key, personalization: "vault/v1 merge"))
            }
        }
        numbers = Dictionary(zip(marks, marks.indices)) { first, _ in first }
        (self.resource, self.layout, self.marks) = (resource, layout, marks)
    }

    /// The dates of the token (0) or of an earlier one (from 1).
    func dates(_ number: Int) -> Resource.TokenDates {
        number == 0 ? resource.token : resource.history[number - 1]
    }

    /// The unknown members of the record.
    func unknown(in lines: Span<UInt8>) -> [Unknown] { located(layout.unknown, lines) }

    /// The unknown members of the token (0) or of an earlier one (from 1).
    func unknown(ofToken number: Int, in lines: Span<UInt8>) -> [Unknown] {
        located(layout.tokens[number].unknown, lines)
    }

    private func located(_ members: [RecordLayout.Member], _ lines: Span<UInt8>) -> [Unknown] {
        let line = lines.extracting(place)
        return members.map { member in
            let start = place.lowerBound + member.value.lowerBound
            return Unknown(name: Array(member.name.text(in: line).utf8), value: start..<start + member.value.count)
        }
    }
}
