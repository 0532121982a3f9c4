internal import Glibc

/// A line on standard error that grows with the work, on a terminal only.
struct ProgressBar {
    private let title: String
    private let total: Int
    /// Whether there is a terminal to show it on.
    static var isShown: Bool { isatty(2) == 1 }
    private let isShown = Self.isShown
    private var shownPercent = -1

    init(_ title: String, total: Int) {
        self.title = title
        self.total = max(total, 1)
    }

    mutating func update(_ done: Int) {
        let percent = min(done * 100 / total, 100)
        guard isShown, percent != shownPercent else { return }
        shownPercent = percent
        let filled = percent * 30 / 100
        let bar = String(repeating: "#", count: filled) + String(repeating: " ", count: 30 - filled)
        Messages.write("\r\(title) [\(bar)] \(percent)%")
    }

    func end() {
        if shownPercent >= 0 { Messages.write("\r\u{1b}[K") }
    }
}
