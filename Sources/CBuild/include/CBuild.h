// What is known of a build, and is not in the source.
#pragma once

/// The commit that this was built from, with ", modified" behind it where the tree was not that commit's; empty if unknown.
const char *cbuild_commit(void);
