// The few Linux calls that Swift's Glibc module hides: variadic, behind _GNU_SOURCE, or a mutable global.
// Thin wrappers only; what they are for is decided by their callers. Each returns what the call returns and sets errno.
#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

extern char **environ;

/// prctl(PR_SET_DUMPABLE): 0 forbids core files and other processes of the user to attach or to read /proc/PID/mem.
static inline int clinux_set_dumpable(int dumpable) {
    return prctl(PR_SET_DUMPABLE, (unsigned long)dumpable, 0, 0, 0);
}

/// memfd_create without MFD_CLOEXEC, so that a child inherits the descriptor, and with sealing allowed.
static inline int clinux_memfd_create_sealable(const char *name) {
    return memfd_create(name, MFD_ALLOW_SEALING);
}

/// fcntl(F_ADD_SEALS) with every seal: neither size nor content can change any more.
static inline int clinux_seal(int descriptor) {
    return fcntl(descriptor, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
}

/// The process's environment block.
static inline char **clinux_environ(void) { return environ; }

/// The width of a terminal in columns, or -1.
static inline int clinux_terminal_columns(int descriptor) {
    struct winsize size;
    return ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : -1;
}

/// memmem: where `needle` first stands in `haystack`, or null.
static inline const void *clinux_find(const void *haystack, size_t size, const void *needle, size_t needle_size) {
    return memmem(haystack, size, needle, needle_size);
}

/// fcntl(F_DUPFD): the same file under the lowest free number from `lowest` on.
static inline int clinux_duplicate_from(int descriptor, int lowest) { return fcntl(descriptor, F_DUPFD, lowest); }

/// pipe2(O_CLOEXEC).
static inline int clinux_pipe(int descriptors[2]) { return pipe2(descriptors, O_CLOEXEC); }

/// Whether a signal has a handler of its own.
static inline int clinux_is_handled(int number) {
    struct sigaction action;
    return sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN;
}

/// Whether a signal is ignored.
static inline int clinux_is_ignored(int number) {
    struct sigaction action;
    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}
