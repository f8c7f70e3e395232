# shellcheck shell=bash
# Sourced: a PostgreSQL of one's own.

# With CDPATH set, cd may go to a folder of the same name elsewhere, and prints where it went.
unset CDPATH

# start_postgres FOLDER: with the database mcp_auth, and an owner whose password is in FOLDER/owner. Sets $port; stop_postgres ends it.
start_postgres() {
	folder=$1 postgres_as=()
	for postgres_bin in "$(dirname "$(command -v initdb || true)")" /usr/lib/postgresql/*/bin; do
		if [ -x "$postgres_bin/initdb" ] && [ -x "$postgres_bin/createdb" ]; then break; fi
	done
	# PostgreSQL refuses to run as root.
	if [ "$(id -u)" = 0 ]; then
		chown nobody "$folder"
		postgres_as=(setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups)
	fi
	od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$folder/owner"
	chmod 444 "$folder/owner"
	# From there: its user may not enter the caller's folder.
	(
		cd "$folder" || exit
		"${postgres_as[@]}" "$postgres_bin/initdb" -D "$folder/data" -U postgres --auth-local=trust --auth-host=scram-sha-256 \
			--pwfile="$folder/owner" -E UTF8 >"$folder/log" 2>&1
	)
	port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	(
		cd "$folder" || exit
		"${postgres_as[@]}" "$postgres_bin/pg_ctl" -w -D "$folder/data" -l "$folder/server.log" \
			-o "-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories=$folder" start >"$folder/log" 2>&1
		"${postgres_as[@]}" "$postgres_bin/createdb" -h "$folder" -p "$port" -U postgres mcp_auth
	)
}

stop_postgres() {
	"${postgres_as[@]}" "$postgres_bin/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null 2>&1 || true
}
