internal import CSodium
internal import Glibc
internal import Synchronization

/// Memory between closed pages, where the bytes of ``SecretBytes`` live.
///
/// libsodium's own `sodium_malloc` does the same with a dozen system calls for each region and its release, and does not
/// say whether the region could be locked. Most secrets are small, and most of a run's system calls would be theirs:
/// they share one reservation, in which each opens a page of its own between pages that stay closed.
enum GuardedMemory {
    private static let pageSize = Int(getpagesize())

    /// So many bytes in front of a region must still be zero when it ends.
    private static let canarySize = 16

    /// The largest region, in bytes, that takes one page, and so no mapping of its own.
    static let smallSize = pageSize - canarySize

    /// How many small regions there can be at once; more get a mapping each.
    private static let slotCount = 32

    /// The slots, from the least significant bit on.
    private struct Slots {
        var used: UInt32 = 0
        /// Those whose page is locked already, since it stays so.
        var locked: UInt32 = 0
    }

    private static let slots = Mutex(Slots())

    /// The regions that have a mapping of their own: their first page's address, and their size in bytes.
    private static let mappings = Mutex<[(address: UInt, size: Int)]>([])

    /// A closed page, then a page for each slot and a closed one behind it; nil when there is no memory.
    nonisolated(unsafe) private static let reservation = unsafe reserve(pages: 2 * slotCount + 1)

    /// A region of `count` bytes, all zero, that ends where a closed page begins.
    ///
    /// - Returns: Its first byte, and whether it is kept from being swapped out; nil when there is no memory.
    static func allocate(_ count: Int) -> (base: UnsafeMutablePointer<UInt8>, isLocked: Bool)? {
        if let slot = takeSlot(count), let page = unsafe page(of: slot) {
            guard unsafe mprotect(page, pageSize, PROT_READ | PROT_WRITE) == 0 else {
                giveBack(slot)
                return nil
            }
            return unsafe (page + (pageSize - count), lock(page, slot))
        }
        let size = pages(count) * pageSize
        guard let start = unsafe reserve(pages: pages(count) + 2) else { return nil }
        guard unsafe mprotect(start + pageSize, size, PROT_READ | PROT_WRITE) == 0 else {
            unsafe munmap(start, size + 2 * pageSize)
            return nil
        }
        let isLocked = unsafe mlock(start + pageSize, size) == 0
        let address = unsafe UInt(bitPattern: start + pageSize)
        mappings.withLock { $0.append((address, size)) }
        return unsafe (start + (pageSize + size - count), isLocked)
    }

    /// Wipes and closes a region. Ends the process when something was written in front of it.
    static func free(_ base: UnsafeMutablePointer<UInt8>, _ count: Int) {
        unsafe sodium_memzero(base, count)
        let size = pages(count) * pageSize
        let page = unsafe base - (size - count)
        guard unsafe sodium_is_zero(base - canarySize, canarySize) == 1 else {
            raise(SIGSEGV)
            abort()
        }
        guard let slot = unsafe slot(of: page) else {
            let address = UInt(bitPattern: page)
            mappings.withLock { $0.removeAll { $0.address == address } }
            unsafe munmap(page - pageSize, size + 2 * pageSize)
            return
        }
        _ = unsafe mprotect(page, pageSize, PROT_NONE)
        giveBack(slot)
    }

    /// Overwrites every region that there is.
    static func overwriteAll() {
        slots.withLock { slots in
            for slot in 0..<slotCount where slots.used & 1 << slot != 0 {
                if let page = unsafe page(of: slot) { unsafe sodium_memzero(page, pageSize) }
            }
        }
        mappings.withLock { mappings in
            for mapping in mappings {
                unsafe sodium_memzero(UnsafeMutableRawPointer(bitPattern: mapping.address), mapping.size)
            }
        }
    }

    private static func pages(_ count: Int) -> Int { (count + canarySize + pageSize - 1) / pageSize }

    private static func reserve(pages: Int) -> UnsafeMutablePointer<UInt8>? {
        let size = pages * pageSize
        let start = unsafe mmap(nil, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let start = unsafe start, unsafe start != MAP_FAILED else { return nil }
        _ = unsafe madvise(start, size, MADV_DONTDUMP)
        return unsafe start.assumingMemoryBound(to: UInt8.self)
    }

    // MARK: - Slots

    private static func takeSlot(_ count: Int) -> Int? {
        guard pages(count) == 1 else { return nil }
        return slots.withLock { slots in
            let slot = (~slots.used).trailingZeroBitCount
            guard slot < slotCount else { return nil }
            slots.used |= 1 << slot
            return slot
        }
    }

    private static func giveBack(_ slot: Int) {
        slots.withLock { $0.used &= ~(1 << slot) }
    }

    private static func page(of slot: Int) -> UnsafeMutablePointer<UInt8>? {
        guard let reservation = unsafe reservation else { return nil }
        return unsafe reservation + (2 * slot + 1) * pageSize
    }

    private static func slot(of page: UnsafeMutablePointer<UInt8>) -> Int? {
        guard let first = unsafe self.page(of: 0), unsafe page >= first else { return nil }
        let slot = unsafe (page - first) / (2 * pageSize)
        return slot < slotCount ? slot : nil
    }

    private static func lock(_ page: UnsafeMutablePointer<UInt8>, _ slot: Int) -> Bool {
        if slots.withLock({ $0.locked & 1 << slot != 0 }) { return true }
        guard unsafe mlock(page, pageSize) == 0 else { return false }
        slots.withLock { $0.locked |= 1 << slot }
        return true
    }
}
