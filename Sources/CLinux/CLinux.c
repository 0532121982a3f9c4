// The wrappers whose headers, seen with _GNU_SOURCE, would contradict what other modules have of them.
#include "CLinux.h"

#include <spawn.h>
#include <stdlib.h>
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
