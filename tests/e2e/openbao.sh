# shellcheck shell=bash
# Sourced: an OpenBao of one's own, in memory. MCP_TEST_OPENBAO names its program; scripts/test installs it.

# start_openbao FOLDER: unsealed, with KV version 2 at secret/ and Transit. Sets $bao_address and $bao_root; stop_openbao ends it.
start_openbao() {
	local port
	bao_root=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
	port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	bao_address=http://127.0.0.1:$port
	HOME=$1 BAO_DEV_ROOT_TOKEN_ID=$bao_root "$MCP_TEST_OPENBAO" server -dev -dev-no-store-token -log-level=error \
		-dev-listen-address="127.0.0.1:$port" >"$1/openbao.log" 2>&1 &
	bao_process=$!
	for _ in $(seq 300); do
		! bao read secret/config >/dev/null 2>&1 || break
		kill -0 "$bao_process" 2>/dev/null || {
			tail -5 "$1/openbao.log"
			return 1
		}
		sleep 0.1
	done
	bao secrets enable transit >/dev/null
}

# bao ARGUMENT...: as its administrator.
bao() { BAO_ADDR=$bao_address BAO_TOKEN=$bao_root HOME=/nonexistent "$MCP_TEST_OPENBAO" "$@"; }

stop_openbao() {
	[ -z "${bao_process:-}" ] || { kill "$bao_process" && wait "$bao_process"; } >/dev/null 2>&1 || true
}
