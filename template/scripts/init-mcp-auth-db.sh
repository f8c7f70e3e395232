#!/usr/bin/env bash
# Sets up the token store in PostgreSQL. --help says more.
set -euo pipefail
# With CDPATH set, cd may go to a folder of the same name elsewhere, and prints where it went.
unset CDPATH
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
	cat <<-'HELP'
		usage: scripts/init-mcp-auth-db.sh [--compose | OPTION...]

		Makes the tables of the token store, or updates them, and on demand a database role for servers, which can use them
		but not change the audit log. Repeating it changes nothing.

		  --compose            the database of docker-compose.yml: starts it and takes the passwords from secrets/

		Without --compose, the database is that of DATABASE_URL, or of POSTGRES_HOST, POSTGRES_USER and so on, from the
		environment or from .env. The user has to be its owner, who may create tables and roles. Further options:

		  --role ROLE          make a role for servers
		  --role-password      give it a password, from standard input or a prompt
		  --format json        report for programs
		  --help               this text

		Examples:
		  scripts/init-mcp-auth-db.sh --compose
		  POSTGRES_USER=postgres scripts/init-mcp-auth-db.sh --role mcp_auth --role-password
	HELP
}

die() {
	printf 'init-mcp-auth-db.sh: %s\n' "$*" >&2
	exit 1
}
# shellcheck source=scripts/env.sh
source scripts/env.sh

name=$(sed -n 's/^name = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
case ${1:-} in
-h | --help) usage ;;
--compose)
	[[ $# -eq 1 ]] || die "--compose takes no other option; see --help"
	grep -q '^  db-init:' docker-compose.yml ||
		die "docker-compose.yml has no PostgreSQL: this project was made with another token store"
	command -v docker >/dev/null || die "docker is not installed: https://docs.docker.com/engine/install/"
	[[ -s secrets/postgres_password ]] || die "secrets/postgres_password is missing; docker-compose.yml says what belongs into secrets/"
	docker compose build db-init
	# On standard input: a password on a command line is for everybody to see.
	docker compose run --rm --no-TTY db-init <secrets/postgres_password
	;;
*)
	command -v cargo >/dev/null || die "cargo is not installed: https://rustup.rs"
	[[ ! -f .env ]] || load_env
	cargo build --quiet --locked --bin "$name"
	exec cargo run --quiet --locked --bin "$name" -- db init "$@"
	;;
esac
