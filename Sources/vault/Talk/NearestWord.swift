/// The word that somebody meant who wrote another one.
enum NearestWord {
    /// The one of `words` that is like `word` but for capitals, or one letter, or two of a longer word. Nil when none is, or
    /// more than one, and for a word so short that any other would be like it, or longer than anybody would type.
    static func among(_ words: [String], to word: String) -> String? {
        let word = word.lowercased()
        if let same = words.first(where: { $0.lowercased() == word }) { return same }
        guard (3...40).contains(word.utf8.count) else { return nil }
        var least = word.utf8.count < 8 ? 1 : 2
        var nearest: [String] = []
        for candidate in words where abs(candidate.utf8.count - word.utf8.count) <= least {
            guard let distance = distance(Array(word.utf8), Array(candidate.lowercased().utf8), atMost: least) else {
                continue
            }
            if distance < least { nearest = [] }
            least = distance
            nearest.append(candidate)
        }
        return nearest.count == 1 ? nearest[0] : nil
    }

    /// How many letters have to be put in, left out, changed, or swapped with the next one to make one of the other
    /// (Damerau and Levenshtein); nil when it is more than a limit.
    private static func distance(_ a: [UInt8], _ b: [UInt8], atMost limit: Int) -> Int? {
        var before: [Int] = []
        var row = Array(0...b.count)
        for i in a.indices {
            var next = [i + 1]
            for j in b.indices {
                next.append(min(row[j] + (a[i] == b[j] ? 0 : 1), next[j] + 1, row[j + 1] + 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                    next[j + 1] = min(next[j + 1], before[j - 1] + 1)
                }
            }
            // Both, since swapping reaches back to the row before the last.
            if row.min() ?? 0 > limit, next.min() ?? 0 > limit { return nil }
            (before, row) = (row, next)
        }
        return row[b.count] <= limit ? row[b.count] : nil
    }
}
