# What every script begins with: the shortest names for what most of them need.

# A vault, and an identity without a passphrase.
new_vault() { vault init --no-passphrase --quiet >/dev/null; }

# new_locked_vault PASSPHRASE: the same, behind a passphrase that costs next to nothing to try. What `vault` itself puts
# behind one takes most of a second each time.
new_locked_vault() { new_vault && lock-identity "$1" "$IDENTITY"; }

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

# The process of this home's agent, as the system tells who connects to it.
agent_id() {
    python3 - "$XDG_RUNTIME_DIR/vault/agent.sock" <<'END'
import socket, struct, sys
agent = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
agent.connect(sys.argv[1])
print(struct.unpack("3i", agent.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0])
END
}

# Waits until a process has no memory any more; its parent need not have noticed.
await_end() { while grep -q . "/proc/$1/maps" 2>/dev/null; do sleep 0.01; done; }

# add_strong NAME [OPTION…]: stores a resource with a token as services make them.
add_strong() {
    local name=$1
    shift
    openssl rand -hex 20 | vault add "$name" --url "https://$name.example" --quiet "$@"
}

# What the doctor has to say besides what is fine.
findings() {
    local status
    vault doctor "$@" >~/findings
    status=$?
    grep -v '^ok' ~/findings
    return $status
}
