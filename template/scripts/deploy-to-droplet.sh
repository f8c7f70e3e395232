#!/usr/bin/env bash
# Builds and restarts the server on a droplet (or any host with Docker) over SSH. --help says more.
# What stands in single quotes here is meant for the shell on the other side.
# shellcheck disable=SC2016
set -euo pipefail
# With CDPATH set, cd may go to a folder of the same name elsewhere, and prints where it went.
unset CDPATH
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
	cat <<-'HELP'
		usage: scripts/deploy-to-droplet.sh [OPTION]...

		Copies the sources to a host with Docker, builds the image there, starts it with docker-compose.yml and waits until
		it is healthy. When it does not become healthy, the release before runs again, with its own image, settings and
		secrets. Running it twice with the same sources and settings changes nothing.

		  --host HOST          DROPLET_HOST         the host; the only setting without a default
		  --port PORT          DROPLET_PORT         22
		  --user USER          DROPLET_USER         root
		  --key FILE           DROPLET_KEY          private key; default: what ssh chooses
		  --known-hosts FILE   DROPLET_KNOWN_HOSTS  ~/.ssh/known_hosts; the host's key must be in it already
		  --dir DIR            DEPLOY_DIR           folder on the host, default /opt/PROJECT
		  --env-file FILE      DEPLOY_ENV_FILE      production settings, default .env.production
		  --health-timeout N   HEALTH_TIMEOUT       seconds until it must be healthy, default 90
		  --dry-run                                 check everything here, print what would be done, connect to nothing
		  --help

		Before the first time:

		  cp .env.example .env.production     and fill in what production needs; docker-compose.yml says what it reads
		  mkdir -m 700 secrets                and one file for each secret which docker-compose.yml lists
		  ssh-keyscan HOST                    compare with the key that the provider shows, then append to known_hosts

		Secrets travel over the encrypted connection on standard input: they appear in no command line and in no output.

		Example: DROPLET_HOST=203.0.113.7 DROPLET_KEY=~/.ssh/droplet scripts/deploy-to-droplet.sh --dry-run
	HELP
}

step=preparing
say() { printf '==> %s\n' "$*" >&2; }
die() {
	printf 'deploy-to-droplet.sh: %s: %s\n' "$step" "$*" >&2
	exit 1
}
wrong_usage() {
	printf 'deploy-to-droplet.sh: %s; see --help\n' "$*" >&2
	exit 2
}

name=$(sed -n 's/^name = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
host=${DROPLET_HOST:-}
port=${DROPLET_PORT:-22}
user=${DROPLET_USER:-root}
key=${DROPLET_KEY:-}
known_hosts=${DROPLET_KNOWN_HOSTS:-$HOME/.ssh/known_hosts}
dir=${DEPLOY_DIR:-/opt/$name}
env_file=${DEPLOY_ENV_FILE:-.env.production}
health_timeout=${HEALTH_TIMEOUT:-90}
dry_run=false

while [[ $# -gt 0 ]]; do
	case $1 in
	-h | --help)
		usage
		exit 0
		;;
	--dry-run)
		dry_run=true
		shift
		continue
		;;
	--host | --port | --user | --key | --known-hosts | --dir | --env-file | --health-timeout) ;;
	*) wrong_usage "unknown argument '$1'" ;;
	esac
	[[ -n ${2:-} ]] || wrong_usage "$1 needs a value"
	case $1 in
	--host) host=$2 ;;
	--port) port=$2 ;;
	--user) user=$2 ;;
	--key) key=$2 ;;
	--known-hosts) known_hosts=$2 ;;
	--dir) dir=$2 ;;
	--env-file) env_file=$2 ;;
	--health-timeout) health_timeout=$2 ;;
	esac
	shift 2
done

# --- Everything that can be wrong on this side, before anything is touched on the other -----------------------------

[[ -n $host ]] || wrong_usage "no host: give --host or DROPLET_HOST"
[[ $host =~ ^[A-Za-z0-9:._-]+$ && $host != -* ]] || wrong_usage "'$host' is not a host name or address"
[[ $user =~ ^[A-Za-z0-9._-]+$ && $user != -* ]] || wrong_usage "'$user' is not a user name"
[[ $port =~ ^[0-9]+$ ]] || wrong_usage "'$port' is not a port number"
[[ $health_timeout =~ ^[0-9]+$ ]] || wrong_usage "'$health_timeout' is not a number of seconds"
[[ $dir == /* && $dir != / ]] || wrong_usage "'$dir' is not an absolute folder"
[[ $dir =~ ^[A-Za-z0-9/._-]+$ ]] || wrong_usage "'$dir' holds a character that is neither a letter, a digit nor one of / . _ -"

for tool in ssh scp tar; do
	command -v "$tool" >/dev/null || die "$tool is not installed"
done
if command -v sha256sum >/dev/null; then
	sha256() { sha256sum "$@"; }
elif command -v shasum >/dev/null; then
	sha256() { shasum -a 256 "$@"; }
else
	die "neither sha256sum nor shasum is installed"
fi
[[ -z $key || -r $key ]] || die "the key $key cannot be read"
[[ -r $known_hosts ]] || die "$known_hosts cannot be read; the host's key must be known before the first connection"
[[ -r $env_file ]] || die "$env_file is missing: cp .env.example $env_file, and fill in what production needs"

# What the image is made of, and nothing else: the same list as in .dockerignore.
sources=(Cargo.toml Cargo.lock Dockerfile .dockerignore docker-compose.yml crates src)
for path in "${sources[@]}"; do
	[[ -e $path ]] || die "$path is missing"
done

# The secrets which docker-compose.yml names.
secrets=()
while IFS= read -r secret; do
	[[ -s secrets/$secret ]] || die "secrets/$secret is missing or empty; docker-compose.yml says what belongs there"
	secrets+=("$secret")
done < <(sed -n 's|^ *file: \./secrets/||p' docker-compose.yml)

# The tag says what is in the image: the same sources, the same tag, no second build.
tag=$(find "${sources[@]}" -type f ! -path '*/target/*' -print | LC_ALL=C sort |
	while IFS= read -r file; do sha256 "$file"; done | sha256 | cut -c 1-12)
[[ $tag =~ ^[0-9a-f]{12}$ ]] || die "no checksum of the sources could be made"

target=$user@$host
[[ $host != *:* ]] || scp_target=$user@[$host]
scp_target=${scp_target:-$target}
options=(-o BatchMode=yes -o StrictHostKeyChecking=yes -o "UserKnownHostsFile=$known_hosts" -o ConnectTimeout=15
	-o ServerAliveInterval=15)
[[ -z $key ]] || options+=(-i "$key" -o IdentitiesOnly=yes)

if $dry_run; then
	say "Dry run: nothing is sent. The checks on this side have passed; a deployment would"
	cat <<-PLAN
		  1. connect to $target, port $port, whose key is in $known_hosts, and look for docker and docker compose
		  2. copy the sources (${sources[*]}) to $dir/incoming
		  3. copy $env_file as .env, and the secrets (${secrets[*]}) to $dir/incoming/secrets, mode 0444 in a folder of mode 0700
		  4. build the image $name:$tag, unless the host has it
		  5. make it a release in $dir/releases, unless the current one is equal
		  6. start the server and wait up to $health_timeout s until it is healthy, then start cloudflared
		  7. on failure, start the release before; on success, remove releases and images older than that
	PLAN
	exit 0
fi

# --- The other side -------------------------------------------------------------------------------------------------

# Runs a command there. ssh joins its words into one line for the shell of the other side: each is put into single quotes,
# which mean the same to every shell.
there() {
	local word line='' quote="'\\''"
	for word; do
		line+="'${word//\'/$quote}' "
	done
	ssh -p "$port" "${options[@]}" "$target" "$line"
}

# Standard input becomes a file that nobody else can read, not even for a moment.
put() { there sh -c 'umask 077 && cat >"$1"' sh "$1"; }

step="connecting to $target"
say "Connecting to $target, port $port"
there true || die "no connection. Is the host's key in $known_hosts, and is your key allowed to log in?"
there docker version --format '{{.Server.Version}}' >/dev/null ||
	die "docker does not answer there: install Docker Engine, and let $user use it"
there docker compose version --short >/dev/null || die "docker compose is missing there: install the compose plugin"

step="copying the sources"
say "Copying the sources"
archive=$(mktemp)
export COPYFILE_DISABLE=1 # macOS: no extra files for extended attributes
trap 'rm -f "$archive"' EXIT
tar -czf "$archive" --exclude target "${sources[@]}"
there sh -c 'umask 077 && mkdir -p "$1/releases" && rm -rf "$1/incoming" && mkdir -p "$1/incoming/secrets"' sh "$dir" ||
	die "$dir cannot be created there; choose another with --dir"
scp -q -P "$port" "${options[@]}" "$archive" "$scp_target:$dir/incoming/sources.tar.gz"
there sh -c 'cd "$1/incoming" && tar -xzmf sources.tar.gz && rm sources.tar.gz' sh "$dir"

step="copying settings and secrets"
say "Copying settings and secrets"
put "$dir/incoming/.env" <"$env_file"
for secret in "${secrets[@]}"; do
	put "$dir/incoming/secrets/$secret" <"secrets/$secret"
done
printf '%s\n' "$tag" | put "$dir/incoming/image-tag"
# The server reads them as user 65532; the folder keeps everybody else on the host out.
there sh -c 'chmod 0444 "$1"/* && chmod 0700 "$1"' sh "$dir/incoming/secrets"

step="building the image"
if there docker image inspect "$name:$tag" >/dev/null 2>&1; then
	say "The host has the image $name:$tag already"
else
	say "Building the image $name:$tag; the first time takes minutes"
	there docker build --build-arg "VERSION=$version" --build-arg "REVISION=$tag" --tag "$name:$tag" "$dir/incoming" ||
		die "the build failed; what is running goes on unchanged"
fi

step="starting the release"
say "Starting the release"
# One connection from here on: what it does is finished even if this side goes away.
remote='
set -eu
dir=$1 name=$2 timeout=$3
cd "$dir"
say() { printf "    %s\n" "$*" >&2; }

# compose RELEASE ARGUMENT...
compose() {
	folder=$dir/releases/$1
	shift
	IMAGE_TAG=$(cat "$folder/image-tag") docker compose --project-directory "$folder" --file "$folder/docker-compose.yml" "$@"
}

# start RELEASE: the server first, the tunnel only once the server is healthy.
start() {
	# The tables first, where this project keeps tokens in PostgreSQL: a new server may need what an old one did not
	# know. What they change leaves them usable for the release before.
	if grep -q "^  db-init:" "$dir/releases/$1/docker-compose.yml"; then
		compose "$1" run --rm --no-TTY db-init <"$dir/releases/$1/secrets/postgres_password" >&2 || {
			say "The token store could not be set up; the reason stands above"
			return 1
		}
	fi
	compose "$1" up --detach --no-build --remove-orphans server || return 1
	waited=0
	while :; do
		container=$(compose "$1" ps --all --quiet server)
		state=$(docker inspect --format "{{.State.Status}}/{{if .State.Health}}{{.State.Health.Status}}{{end}}" "$container" 2>/dev/null) || state=unknown
		case $state in
		running/healthy) break ;;
		running/unhealthy | exited/* | dead/*) waited=$timeout ;;
		esac
		# A wrong setting makes it exit at once, again and again: no use waiting for the end.
		restarts=$(docker inspect --format "{{.RestartCount}}" "$container" 2>/dev/null) || restarts=0
		[ "${restarts:-0}" -lt 3 ] || waited=$timeout
		if [ "$waited" -ge "$timeout" ]; then
			say "The server is not healthy ($state). Its last lines:"
			compose "$1" logs --no-color --no-log-prefix --tail 20 server >&2 || true
			return 1
		fi
		sleep 1
		waited=$((waited + 1))
	done
	compose "$1" up --detach --no-build || return 1
}

previous=
[ ! -L current ] || previous=$(basename "$(readlink current)")
if [ -n "$previous" ] && diff -r incoming "releases/$previous" >/dev/null 2>&1; then
	rm -rf incoming
	release=$previous
	say "Nothing has changed since release $release"
else
	release=$(date -u +%Y%m%dT%H%M%SZ)-$(cat incoming/image-tag)
	mv incoming "releases/$release"
fi

if start "$release"; then
	ln -sfn "releases/$release" current
	say "Release $release is healthy"
elif [ -n "$previous" ] && [ "$previous" != "$release" ]; then
	say "Going back to release $previous"
	if start "$previous"; then
		rm -rf "releases/$release"
		say "Release $previous runs again; the new one is not in use"
		exit 3
	fi
	exit 4
else
	compose "$release" stop server >/dev/null 2>&1 || true
	exit 5
fi

# The current release and the one before stay; disks of droplets are small.
keep=" $release $previous "
[ "$previous" != "$release" ] || keep=" $release $(ls -1 releases | grep -vxF "$release" | sort | tail -n 1) "
for old in $(ls -1 releases); do
	case $keep in *" $old "*) ;; *) rm -rf "releases/$old" ;; esac
done
for image in $(docker image ls --format "{{.Tag}}" "$name"); do
	grep -qxF "$image" releases/*/image-tag || docker image rm "$name:$image" >/dev/null 2>&1 || true
done
'
status=0
there sh -c "$remote" sh "$dir" "$name" "$health_timeout" || status=$?
case $status in
0) say "Deployed: $name:$tag on $host" ;;
3) die "the new release did not become healthy; the one before runs again. The reason stands above" ;;
4) die "neither the new release nor the one before became healthy: THE SERVER IS DOWN. Log in and look at docker ps" ;;
5) die "the release did not become healthy, and there is none before it to go back to. The reason stands above" ;;
*) die "the commands on the host failed (status $status); their message stands above" ;;
esac
