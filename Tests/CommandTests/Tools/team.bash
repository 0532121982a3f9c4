# A team: people with identities and settings of their own, each with a clone of one repository.

git config --global init.defaultBranch main
git config --global advice.detachedHead false

# as NAME COMMAND…: what somebody does in their clone.
as() {
    local name=$1
    shift
    (cd ~/"$name/${CLONE:-repo}" && env XDG_CONFIG_HOME=~/"$name/config" XDG_DATA_HOME=~/"$name/data" \
        XDG_STATE_HOME=~/"$name/state" GIT_AUTHOR_NAME="$name" GIT_COMMITTER_NAME="$name" \
        GIT_AUTHOR_EMAIL="$name@team.example" GIT_COMMITTER_EMAIL="$name@team.example" GIT_EDITOR=true \
        VAULT_FILE="${TEAM_VAULT:-team.age}" "$@")
}
alice() { as alice "$@"; }
bob() { as bob "$@"; }

# change NAME COMMAND…: a change of the vault by somebody, and a commit with the command as its message.
change() {
    local name=$1
    shift
    as "$name" vault "$@" --quiet >/dev/null && as "$name" git commit --quiet --all --message "$*"
}

# store NAME RESOURCE: somebody adds or rotates a resource, and commits that; the token is NAME-RESOURCE-NUMBER.
STORED=0
store() {
    local verb=rotate
    if ! as "$1" vault show "$2" >/dev/null 2>&1; then verb="add --url https://$2.example"; fi
    set -- "$1" "$2" "${verb% --url*}" ${verb#"${verb% --url*}"}
    STORED=$((STORED + 1))
    printf '%s-%s-%08d' "$1" "$2" $STORED | as "$1" vault "$3" "$2" "${@:4}" --quiet &&
        as "$1" git commit --quiet --all --message "$3 $2"
}

# enrol ROLE NAME: somebody gets a clone and an identity, and becomes a member.
enrol() {
    local keys
    mkdir -p ~/"$2"
    git clone --quiet ~/team.git ~/"$2/repo" 2>/dev/null
    read -r -a keys <<<"$(as "$2" vault identity new 2>/dev/null | tr '\n' ' ')"
    change alice member add --role "$1" "$2" "${keys[@]}"
    as alice git push --quiet
    as "$2" git pull --quiet
    know "$2"
}

# know NAME: somebody trusts the vault of their clone, and sets git up.
know() {
    local id
    id=$(id_of_team)
    mkdir -p ~/"$1/config/vault"
    echo "$id git $(as "$1" pwd)/${TEAM_VAULT:-team.age}" >>~/"$1/config/vault/known_vaults"
    as "$1" vault git setup --quiet
}
id_of_team() { head -n 1 ~/alice/config/vault/known_vaults | cut -d ' ' -f 1 | cut -d : -f 1; }

# new_team: alice has made a vault with two resources, which bob may write.
new_team() {
    git init --quiet --bare ~/team.git
    mkdir -p ~/alice
    git clone --quiet ~/team.git ~/alice/repo 2>/dev/null
    mkdir -p "$(dirname ~/alice/repo/"${TEAM_VAULT:-team.age}")"
    alice vault init --no-passphrase --quiet >/dev/null
    alice vault git setup --quiet
    alice git add .
    store alice github
    store alice gitlab
    alice git push --quiet origin HEAD
    enrol writer bob
}

# sync NAME: somebody's clone is as the repository is.
sync() { as "$1" git fetch --quiet && as "$1" git reset --quiet --hard origin/main; }

# tokens NAME: all that the vault of somebody's clone has, by resource: the token, and behind it the earlier ones.
tokens() {
    as "$1" vault export --format jsonl | jq -r '[.name, .token.value, (.history // [] | map(.value) | join(" "))] | join(" ") | rtrimstr(" ")'
}
