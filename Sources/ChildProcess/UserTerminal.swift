internal import CLinux
internal import Glibc

/// The terminal that the user sits at, on standard input. Its settings are only changed by this type, and only while
/// this process is in the foreground: two that save and restore them at once would leave them wrong.
struct UserTerminal: ~Copyable {
    private let descriptor: Int32 = 0
    /// The settings to put back.
    private var saved: termios?

    /// Whether keys come as they are typed, for the child's terminal to make something of them.
    var isRaw: Bool { saved != nil }

    /// Whether this process is the one that the user talks to.
    var isForeground: Bool { tcgetpgrp(descriptor) == getpgrp() }

    /// Whether all standard descriptors are one terminal, and this process may use it.
    static func isWhole(_ descriptors: [StandardDescriptor]) -> Bool {
        descriptors.count == 3 && descriptors.allSatisfy { $0.isTerminal && $0.isSameFile(as: descriptors[0]) }
            && tcgetpgrp(0) == getpgrp()
    }

    /// Lets all keys through unchanged.
    mutating func makeRaw() {
        var settings = termios()
        if let saved {
            settings = saved
        } else {
            guard unsafe tcgetattr(descriptor, &settings) == 0 else { return }
            saved = settings
        }
        unsafe cfmakeraw(&settings)
        set(settings)
    }

    /// Puts the settings back.
    mutating func restore() {
        guard let settings = saved else { return }
        saved = nil
        // Whoever has the terminal now has its settings, too.
        if isForeground { set(settings) }
    }

    /// Puts the settings back, and what was typed for whoever comes next: the keys were shown already. Systems may forbid
    /// that (`dev.tty.legacy_tiocsti`), and then they are lost.
    mutating func restore(returning keys: [UInt8]) {
        if let saved, isForeground, !keys.isEmpty {
            var settings = saved
            settings.c_lflag &= ~tcflag_t(ECHO | ECHONL | ISIG)
            set(settings)
            for key in keys where clinux_type(descriptor, key) != 0 { break }
        }
        restore()
    }

    private func set(_ settings: termios) {
        var settings = settings
        // Should the terminal be lost at this very moment, this must not stop here.
        let before = SignalSet([SIGTTOU]).block()
        unsafe tcsetattr(descriptor, TCSANOW, &settings)
        before.install()
    }

    deinit {
        if let saved, isForeground { set(saved) }
    }
}
