#!/usr/bin/env bash
# Backs up, restores and upgrades the token store in the PostgreSQL of docker-compose.yml. --help says more.
set -euo pipefail
# With CDPATH set, cd may go to a folder of the same name elsewhere, and prints where it went.
unset CDPATH
# A name given on the command line is from where it was typed.
from=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
	cat <<-'HELP'
		usage: scripts/database.sh backup [FILE]
		       scripts/database.sh restore [--replace] [FILE]
		       scripts/database.sh upgrade FILE

		The database of docker-compose.yml, where its containers run: here, or on the host in /opt/PROJECT/current.

		  backup    writes tokens, encrypted, and the audit log into FILE, or to standard output. Servers go on meanwhile.
		            The encryption key is not in it: without secrets/mcp_auth_encryption_key, kept elsewhere, no token of it
		            can be read
		  restore   takes them from FILE, or from standard input. It begins with an empty volume, too. A database that holds
		            tokens already stays, and with --replace it is kept under another name; nothing changes before all of
		            FILE has been read
		  upgrade   after docker-compose.yml names a newer major version of PostgreSQL than the one that runs: makes a backup
		            in FILE, starts the new version and restores it there. What the old version stored stays in the volume,
		            and comes back when something fails. Servers use the tokens that they know meanwhile.
		            scripts/deploy-to-droplet.sh does this by itself

		Afterwards, the audit log is verified.

		Examples:
		  ssh root@203.0.113.7 /opt/PROJECT/current/scripts/database.sh backup >tokens.dump
		  ssh root@203.0.113.7 /opt/PROJECT/current/scripts/database.sh restore <tokens.dump
		  0 3 * * * /opt/PROJECT/current/scripts/database.sh backup /var/backups/PROJECT.dump       in a crontab of the host
	HELP
}

say() { printf '%s\n' "$*" >&2; }
die() {
	printf 'database.sh: %s\n' "$*" >&2
	exit 1
}
wrong_usage() {
	printf 'database.sh: %s; see --help\n' "$*" >&2
	exit 2
}

replace=false action=${1:-} file=
case $action in
-h | --help)
	usage
	exit 0
	;;
backup | restore | upgrade) shift ;;
*) wrong_usage "backup, restore or upgrade?" ;;
esac
while [[ $# -gt 0 ]]; do
	case $1 in
	--replace) replace=true ;;
	-*) wrong_usage "unknown option '$1'" ;;
	*)
		[[ -z $file ]] || wrong_usage "one FILE, not '$1' as well"
		file=$1
		;;
	esac
	shift
done
[[ $action == restore ]] || ! $replace || wrong_usage "--replace belongs to restore"
[[ -n $file || $action != upgrade ]] || wrong_usage "upgrade needs a FILE for its backup"
[[ -z $file || $file == /* ]] || file=$from/$file
grep -q '^  postgres:' docker-compose.yml || die "docker-compose.yml has no PostgreSQL; another database has backups of its own"
command -v docker >/dev/null || die "docker is not installed: https://docs.docker.com/engine/install/"

umask 077
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Over the socket in the container, which asks for no password.
inside() { docker compose exec -T postgres "$@"; }
sql() { inside psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 --username postgres "$@"; }
container() { docker compose ps --all --quiet postgres; }

# start: the database, and waits until it is healthy.
start() {
	local tries state
	docker compose "$@" up --detach --no-build postgres >"$scratch/said" 2>&1 || {
		cat "$scratch/said" >&2
		return 1
	}
	for ((tries = 0; tries < 120; tries++)); do
		state=$(docker inspect --format '{{.State.Health.Status}} {{.RestartCount}}' "$(container)" 2>/dev/null) || break
		[[ $state != healthy* ]] || return 0
		# It ends at once, again and again: no use waiting.
		[[ ${state#* } -lt 3 ]] || break
		sleep 1
	done
	say "PostgreSQL does not become healthy. Its last lines:"
	docker compose logs --no-log-prefix --tail 20 postgres >&2
	return 1
}

# has_audit_log LIST: of a backup. The first version of the tables was in the schema public.
has_audit_log() { grep -qE 'TABLE DATA (mcp_auth_store|public) audit_log' "$1"; }

# The schema that the tables are in, or nothing.
schema() {
	sql --dbname mcp_auth --command "SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.oid = coalesce(to_regclass('mcp_auth_store.audit_log'), to_regclass('public.audit_log'))"
}

# dump FILE: whole, or not at all.
dump() {
	inside pg_dump --username postgres --format custom --dbname mcp_auth >"$1.part" &&
		inside pg_restore --list <"$1.part" >"$scratch/list" &&
		has_audit_log "$scratch/list" && mv "$1.part" "$1" && return
	rm -f "$1.part"
	return 1
}

# Into a database beside the one that is used; then the two change places.
restore() {
	local kept tokens schema
	inside pg_restore --list <"$1" >"$scratch/list" 2>"$scratch/said" ||
		die "that is no backup which this PostgreSQL can read: $(head -n 1 "$scratch/said")"
	has_audit_log "$scratch/list" || die "that is a backup of something else: it has no audit log"
	schema=$(schema) tokens=f
	[[ -z $schema ]] ||
		tokens=$(sql --dbname mcp_auth --command "SELECT EXISTS (SELECT FROM $schema.tokens) OR EXISTS (SELECT FROM $schema.audit_log)")
	[[ $tokens == f ]] || $replace || die "the database holds tokens already; with --replace it is kept under another name"
	sql --dbname postgres >/dev/null <<-'SQL'
		SELECT 'CREATE ROLE mcp_auth LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'mcp_auth') \gexec
		SELECT 'CREATE ROLE mcp_auth_keeper NOLOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'mcp_auth_keeper') \gexec
		DROP DATABASE IF EXISTS mcp_auth_restored WITH (FORCE);
		CREATE DATABASE mcp_auth_restored TEMPLATE template0;
	SQL
	inside pg_restore --username postgres --exit-on-error --single-transaction --dbname mcp_auth_restored <"$1" || {
		sql --dbname postgres --command 'DROP DATABASE mcp_auth_restored' || true
		die "the backup could not be restored; nothing has changed"
	}
	kept=mcp_auth_until_$(date -u +%Y%m%dt%H%M%Sz)
	sql --dbname postgres >/dev/null <<-SQL
		ALTER DATABASE mcp_auth ALLOW_CONNECTIONS false;
		SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = 'mcp_auth';
		ALTER DATABASE mcp_auth RENAME TO $kept;
		ALTER DATABASE mcp_auth_restored RENAME TO mcp_auth;
		ALTER DATABASE $kept ALLOW_CONNECTIONS true;
	SQL
	if [[ $tokens == f ]]; then
		sql --dbname postgres --command "DROP DATABASE $kept"
	else
		say "What was there before is the database $kept now"
	fi
	# Tables of a newer server, and the role's password. On standard input: on a command line it would be for everybody to see.
	docker compose run --rm --no-TTY db-init <"$(secrets)/postgres_password" >"$scratch/said" 2>&1 || {
		cat "$scratch/said" >&2
		die "the data are restored, but the tables could not be set up; the reason stands above"
	}
}

secrets() {
	local folder
	folder=$(sed -n 's/^SECRETS_DIR=//p' .env 2>/dev/null | tail -n 1)
	printf '%s' "${folder:-secrets}"
}

# verify: by the server's own program, and as the role that it has.
verify() {
	docker compose run --rm --no-TTY --no-deps server tokens audit verify >&2 ||
		die "the audit log is not as it was written; the reason stands above"
}

# major WORD...: the first number of `postgres (PostgreSQL) 18.1`, as the command prints it.
major() { "$@" | sed -nE 's/^postgres \(PostgreSQL\) ([0-9]+).*/\1/p'; }

case $action in
backup)
	[[ -n $file || ! -t 1 ]] || die "name a FILE, or send standard output somewhere: a backup is nothing to look at"
	[[ -n $(docker compose ps --status running --quiet postgres) ]] || die "PostgreSQL is not running: docker compose up --detach postgres"
	dump "$scratch/dump" || die "the backup failed; the reason stands above"
	if [[ -z $file ]]; then
		cat "$scratch/dump"
	else
		# An older backup of that name goes when the new one is whole.
		if ! cp "$scratch/dump" "$file.part" || ! mv "$file.part" "$file"; then
			rm -f "$file.part"
			die "$file cannot be written"
		fi
	fi
	schema=$(schema)
	say "$(sql --dbname mcp_auth --command "SELECT format('%s tokens, %s entries in the audit log', (SELECT count(*) FROM $schema.tokens), (SELECT count(*) FROM $schema.audit_log))"). The key is not in the backup: keep it elsewhere"
	;;
restore)
	if [[ -z $file ]]; then
		[[ ! -t 0 ]] || die "name a FILE, or send a backup to standard input"
		file=$scratch/dump
		cat >"$file"
	fi
	[[ -s $file ]] || die "$file is missing or empty"
	start || die "nothing has changed"
	restore "$file"
	verify
	say "Restored"
	;;
upgrade)
	old=$(docker inspect --format '{{.Config.Image}}' "$(docker compose ps --status running --quiet postgres)" 2>/dev/null) ||
		die "PostgreSQL is not running; start the version that it had: without, nothing can be taken from it"
	new=$(docker compose config --images postgres | grep -E '(^|/)postgres[:@]' | head -n 1)
	was=$(major inside postgres --version)
	becomes=$(major docker run --rm --network none --entrypoint postgres "$new" --version) || true
	[[ $was =~ ^[0-9]+$ ]] || die "the version of $old is not known"
	[[ $becomes =~ ^[0-9]+$ ]] || die "the image $new could not be had, or is not PostgreSQL"
	if [[ $was == "$becomes" ]]; then
		say "PostgreSQL $was runs, and is what docker-compose.yml names: nothing to upgrade"
		exit 0
	fi
	[[ $becomes -gt $was ]] || die "PostgreSQL $was runs; it does not go back to $becomes. Name $was or newer in docker-compose.yml"
	say "PostgreSQL $was becomes $becomes"
	# Cut off, so that no server stores what would not come along.
	for network in $(docker inspect --format '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}' "$(container)"); do
		docker network disconnect "$network" "$(container)"
	done
	printf 'services:\n  postgres:\n    image: %s\n' "$old" >"$scratch/old.yml"
	back() {
		say "PostgreSQL $was comes back, with what it had"
		docker compose rm --stop --force postgres >/dev/null 2>&1 || true
		start --file docker-compose.yml --file "$scratch/old.yml" || true
		rm -rf "$scratch"
	}
	trap back EXIT
	trap 'exit 130' INT TERM HUP
	dump "$file" || die "no backup could be made"
	start || die "PostgreSQL $becomes could not be started"
	restore "$file"
	verify
	trap 'rm -rf "$scratch"' EXIT
	say "PostgreSQL $becomes has the tokens. The backup is $file; what $was stored is still in the volume, for you to remove"
	;;
esac
