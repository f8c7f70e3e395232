#!/usr/bin/env bash
# Moves tokens from the environment into the token store in PostgreSQL. --help says more.
set -euo pipefail
# With CDPATH set, cd may go to a folder of the same name elsewhere, and prints where it went.
unset CDPATH
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
	cat <<-'HELP'
		usage: scripts/migrate-env-to-postgres.sh [--compose] [--dry-run] [--replace] [--from FILE] [NAME]...

		Writes tokens, encrypted, into the token store and reads them back. Nothing is written before all of them are found,
		a token that is stored already with the same value is left alone, and values are never shown. At the end stand the
		number of tokens and a hash, which is equal for equal tokens under one key.

		  NAME         variable that holds a token, which keeps that name; default CODA_API_TOKEN
		  --dry-run    say what would be done
		  --replace    replace tokens that are stored with another value
		  --from FILE  take them from an .env or a compose file; default: the environment, and .env for what is not there
		  --compose    the database of docker-compose.yml, after scripts/init-mcp-auth-db.sh --compose; a token may also
		               be a file in secrets/ with the variable's name in lower case
		  --help       this text

		Without --compose, the database is that of DATABASE_URL, or of POSTGRES_HOST and so on, and the key is
		MCP_AUTH_ENCRYPTION_KEY or MCP_AUTH_KEY_FILE, from the environment or from .env.

		Examples:
		  scripts/migrate-env-to-postgres.sh --dry-run
		  scripts/migrate-env-to-postgres.sh --from docker-compose.yml
	HELP
}

die() {
	printf 'migrate-env-to-postgres.sh: %s\n' "$*" >&2
	exit 1
}
# shellcheck source=scripts/env.sh
source scripts/env.sh

compose=false from=
options=() names=()
while [[ $# -gt 0 ]]; do
	case $1 in
	-h | --help)
		usage
		exit 0
		;;
	--compose) compose=true ;;
	--dry-run | --replace) options+=("$1") ;;
	--from)
		[[ -n ${2:-} ]] || die "--from needs a file; see --help"
		from=$2
		shift
		;;
	*)
		# The name only: a value on a command line is for everybody to see.
		[[ $1 =~ ^[A-Za-z_][A-Za-z0-9_]*$ ]] || die "that is neither an option nor the name of a variable; see --help"
		names+=("$1")
		;;
	esac
	shift
done
[[ ${#names[@]} -gt 0 ]] || names=(CODA_API_TOKEN)

[[ ! -f .env ]] || load_env
name=$(sed -n 's/^name = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
if ! $compose; then
	command -v cargo >/dev/null || die "cargo is not installed: https://rustup.rs"
	[[ -z $from ]] || options+=(--from "$from")
	cargo build --quiet --locked --bin "$name"
	exec cargo run --quiet --locked --bin "$name" -- migrate-env ${options[@]+"${options[@]}"} "${names[@]}"
fi

[[ -z $from ]] || die "--from goes without --compose: the container does not see your files"
command -v docker >/dev/null || die "docker is not installed: https://docs.docker.com/engine/install/"
passed=()
for variable in "${names[@]}"; do
	file=secrets/$(tr '[:upper:]' '[:lower:]' <<<"$variable")
	if [[ -z ${!variable:-} && -s $file ]]; then
		value=$(<"$file")
		export "$variable=$value"
	fi
	# By name: docker takes the value from this script's environment.
	passed+=(--env "$variable")
done
exec docker compose run --rm --no-TTY "${passed[@]}" server migrate-env ${options[@]+"${options[@]}"} "${names[@]}"
