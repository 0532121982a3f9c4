internal import Resources
internal import VaultFile

/// Which resources a URL concerns. A token goes where exactly one of them covers it: it must not be guessed.
struct ResourceMatch {
    let url: ResourceURL
    private let names: [RecordName]
    /// Those of the names that were given that are there.
    private(set) var present: [RecordName] = []
    /// Those that the URL lies inside.
    private(set) var covering: [RecordName] = []
    /// Those of which a URL lies inside this one: what is asked for is wider than what they are for.
    private(set) var narrower: [RecordName] = []

    /// Compares a URL with the resources of a vault.
    ///
    /// - Parameters:
    ///   - url: The URL.
    ///   - names: Only these resources; all of them where there is none.
    ///   - reader: The vault.
    /// - Throws: What reading the vault throws.
    init(_ url: ResourceURL, among names: [RecordName], in reader: inout VaultReader) throws {
        self.url = url
        self.names = names
        var (present, covering, narrower): ([RecordName], [RecordName], [RecordName]) = ([], [], [])
        try reader.forEachRecord { line in
            let resource = try RecordView(line).resource
            guard names.isEmpty || names.contains(resource.name) else { return }
            if !names.isEmpty { present.append(resource.name) }
            if resource.covers(url) {
                covering.append(resource.name)
            } else if resource.urls.contains(where: { url.contains($0) }) {
                narrower.append(resource.name)
            }
        }
        (self.present, self.covering, self.narrower) = (present, covering, narrower)
    }

    /// The one resource that the URL lies inside; nil when there is none. More than one is refused.
    func only(hint: String = "name the one that is meant") throws -> RecordName? {
        guard covering.count < 2 else {
            throw Failure(
                .notAllowed, "\(url) lies inside more than one resource: \(Self.list(covering, ", "))",
                hint: hint)
        }
        return covering.first
    }

    /// What is said where there is none.
    var missing: Failure {
        let place = names.isEmpty ? "lies inside no resource" : "is not inside \(Self.list(names, " or "))"
        return Failure(
            .notAllowed, "\(url) \(place)",
            hint: "'\(Process.name) list' shows what there is, '\(Process.name) edit NAME --url …' sets the URLs of one"
        )
    }

    private static func list(_ names: [RecordName], _ separator: String) -> String {
        names.map(\.description).joined(separator: separator)
    }
}
