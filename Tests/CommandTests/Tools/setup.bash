# What every script begins with: the shortest names for what most of them need.

# A vault, and an identity without a passphrase.
new_vault() { vault init --no-passphrase --quiet >/dev/null; }

# The token that `add` stores for a resource.
token_of() { printf '%s-token-0123456789' "$1"; }

# add NAME [OPTION…]: stores a resource with a token that is known.
add() {
    local name=$1
    shift
    token_of "$name" | vault add "$name" --url "https://$name.example" --quiet "$@"
}

# The id of a vault, as known_vaults has it.
id_of() { awk -v path="$1" '$3 == path { print $1 }' ~/.config/vault/known_vaults; }

# Runs a command as a user whom permissions bind, which they do not for root.
as_nobody() {
    if [ "$(id -u)" -ne 0 ]; then "$@"; else setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"; fi
}

SETUP=${BASH_SOURCE[0]}
VAULT=~/.local/share/vault/vault.age
IDENTITY=~/.config/vault/identity
STATE=~/.local/state/vault
KNOWN=~/.config/vault/known_vaults
