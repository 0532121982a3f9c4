// The wrappers whose headers, seen with _GNU_SOURCE, would contradict what other modules have of them.
#include "CLinux.h"

#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/wait.h>

pid_t clinux_ended_child(void) {
    siginfo_t info;
    info.si_pid = 0;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 ? info.si_pid : -1;
}

long clinux_file_system(int descriptor) {
    struct statfs system;
    return fstatfs(descriptor, &system) == 0 ? (long)system.f_type : -1;
}

int clinux_open_leader(int flags) { return posix_openpt(flags); }

int clinux_unlock(int leader) { return unlockpt(leader); }

int clinux_spawn_in_foreground(void *actions, int terminal) {
    return posix_spawn_file_actions_addtcsetpgrp_np(actions, terminal);
}

int clinux_peer(int descriptor, uid_t *user, pid_t *process) {
    struct ucred credentials;
    socklen_t size = sizeof credentials;
    int result = getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size);
    if (result == 0) {
        *user = credentials.uid;
        *process = credentials.pid;
    }
    return result;
}

int clinux_is_listening(int descriptor) {
    int listens = 0, type = 0;
    socklen_t size = sizeof(int);
    return getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens &&
           getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

int clinux_accept(int descriptor) { return accept4(descriptor, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK); }
