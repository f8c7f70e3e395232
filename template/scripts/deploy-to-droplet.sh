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

		From the build on, the host works by itself: it finishes, or goes back, even if the connection is lost. Of two
		deployments at the same time, the second waits for the first.

		  --host HOST          DROPLET_HOST         the host, or its name in ~/.ssh/config; the only setting without a default
		  --port PORT          DROPLET_PORT         default: that of ~/.ssh/config, or 22
		  --user USER          DROPLET_USER         default: that of ~/.ssh/config, or root
		  --key FILE           DROPLET_KEY          private key; default: what ssh chooses
		  --known-hosts FILE   DROPLET_KNOWN_HOSTS  where the host's key must be already; default: where ssh looks
		  --dir DIR            DEPLOY_DIR           folder on the host, default /opt/PROJECT
		  --env-file FILE      DEPLOY_ENV_FILE      production settings, default .env.production
		  --health-timeout N   HEALTH_TIMEOUT       seconds until it must be healthy, default 90
		  --image IMAGE                             run this image instead of building one: NAME@sha256:…, which the host
		                                            pulls, or one that Docker has here, which is sent over the connection
		  --build-here                              build here and send it: takes 1.7 GB of memory and 4 GB of disk here
		                                            instead of on the host, and Docker on both sides
		  --dry-run                                 check everything here, print what would be done, connect to nothing
		  --status                                  show what runs on the host, and how the last deployment ended
		  --rollback                                run the release before the current one again
		  --help

		Before the first time:

		  cp .env.example .env.production     and fill in what production needs; docker-compose.yml says what it reads
		  mkdir -m 700 secrets                and one file for each secret which docker-compose.yml lists
		  ssh-keyscan HOST                    compare with the key that the provider shows, then append to known_hosts;
		                                      with another port than 22: ssh-keyscan -p PORT HOST

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
port=${DROPLET_PORT:-}
user=${DROPLET_USER:-}
key=${DROPLET_KEY:-}
known_hosts=${DROPLET_KNOWN_HOSTS:-}
dir=${DEPLOY_DIR:-/opt/$name}
env_file=${DEPLOY_ENV_FILE:-.env.production}
health_timeout=${HEALTH_TIMEOUT:-90}
dry_run=false
action=deploy
image=
build=there

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
	--build-here)
		build=here
		shift
		continue
		;;
	--status | --rollback)
		[[ $action == deploy ]] || wrong_usage "--status and --rollback exclude each other"
		action=${1#--}
		shift
		continue
		;;
	--host | --port | --user | --key | --known-hosts | --dir | --env-file | --health-timeout | --image) ;;
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
	--image) image=$2 ;;
	esac
	shift 2
done

# --- Everything that can be wrong on this side, before anything is touched on the other -----------------------------

[[ $action == deploy ]] || ! $dry_run || wrong_usage "--dry-run goes with neither --status nor --rollback"
[[ $action == deploy || -z $image && $build == there ]] || wrong_usage "--image and --build-here go with neither --status nor --rollback"
[[ -z $image || $build == there ]] || wrong_usage "--image and --build-here exclude each other"
[[ -z $image || $image =~ ^[a-z0-9][A-Za-z0-9._/:-]*(@sha256:[0-9a-f]{64})?$ ]] ||
	wrong_usage "'$image' is not the name of an image, with a digest of 64 digits or without one"
[[ -n $host ]] || wrong_usage "no host: give --host or DROPLET_HOST"
[[ $host =~ ^[A-Za-z0-9:._-]+$ && $host != -* ]] || wrong_usage "'$host' is not a host name or address"
# With a colon, it is an IPv6 address.
[[ $host != *:* || $host =~ ^[0-9A-Fa-f:.]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*$ ]] ||
	wrong_usage "'$host' is not a host name or address; a port belongs to --port"
[[ -z $user || $user =~ ^[A-Za-z0-9._-]+$ && $user != -* ]] || wrong_usage "'$user' is not a user name"
[[ -z $port || $port =~ ^[1-9][0-9]{0,4}$ && $port -le 65535 ]] || wrong_usage "'$port' is not a port number between 1 and 65535"
[[ $health_timeout =~ ^[1-9][0-9]{0,4}$ ]] || wrong_usage "'$health_timeout' is not a number of seconds"
[[ $dir == /* && $dir != / ]] || wrong_usage "'$dir' is not an absolute folder"
[[ $dir =~ ^[A-Za-z0-9/._-]+$ ]] || wrong_usage "'$dir' holds a character that is neither a letter, a digit nor one of / . _ -"

for tool in ssh tar; do
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
# What ~/.ssh/config says of the host counts where nothing else is said. For lack of a user there, ssh would take that of this machine.
asked=$(mktemp)
printf '%s\n' 'Include ~/.ssh/config' 'Include /etc/ssh/ssh_config' 'Match all' 'User root' >"$asked"
configured=$(ssh -G -F "$asked" "$host" 2>/dev/null) || configured=
rm -f "$asked"
configured() { sed -n "s/^$1 //p" <<<"$configured" | head -n 1; }
user=${user:-$(configured user)} && user=${user:-root}
port=${port:-$(configured port)} && port=${port:-22}
if [[ -n $known_hosts ]]; then
	known=$known_hosts files=("$known_hosts")
else
	known=$(configured userknownhostsfile)
	known=${known:-$HOME/.ssh/known_hosts}
	read -r -a files <<<"$known $(configured globalknownhostsfile)"
	files+=("$HOME/.ssh/known_hosts")
fi
readable=false
for file in "${files[@]}"; do
	[[ ! -r $file ]] || readable=true
done
$readable || die "$known cannot be read; the host's key must be known before the first connection"
[[ $known_hosts != *\"* ]] || die "the name of $known_hosts holds a quotation mark, which ssh cannot take"

# setting NAME FILE: the value of a variable in the settings, without quotes and comment.
setting() {
	local value
	value=$(sed -nE "s/^[[:space:]]*(export[[:space:]]+)?$1[[:space:]]*=[[:space:]]*//p" "$2" | tail -n 1)
	[[ $value != \#* ]] || value=
	value=${value%%[[:space:]]#*}
	value=${value%"${value##*[![:space:]]}"}
	case $value in \"*\" | \'*\') value=${value:1:${#value}-2} ;; esac
	printf '%s' "$value"
}

# What the image is made of, and nothing else: the same list as in .dockerignore.
sources=(Cargo.toml Cargo.lock Dockerfile .dockerignore docker-compose.yml src)
[ ! -d vendor ] || sources+=(vendor)
# For the host, and not in the image.
tools=()
[ ! -f scripts/database.sh ] || tools+=(scripts/database.sh)
secrets=()
tag=
if [[ $action == deploy ]]; then
	[[ -r $env_file ]] || die "$env_file is missing: cp .env.example $env_file, and fill in what production needs"
	for path in "${sources[@]}"; do
		[[ -e $path ]] || die "$path is missing"
	done

	# All that is wrong, at once. Names only: a value may be a secret.
	problems=()

	# The settings without which the server does not start, by the mode and the store that docker-compose.yml names.
	needed=() empty=()
	! grep -qE '^ +AUTH_MODE: "?(cloudflare|both)' docker-compose.yml || needed+=(CF_ACCESS_TEAM_DOMAIN CF_ACCESS_AUD)
	! grep -qE '^ +TOKEN_STORE: "?infisical' docker-compose.yml || needed+=(INFISICAL_CLIENT_ID INFISICAL_PROJECT_ID)
	! grep -qE '^ +TOKEN_STORE: "?vault' docker-compose.yml || needed+=(VAULT_ADDR VAULT_ROLE_ID)
	for variable in ${needed[@]+"${needed[@]}"}; do
		[[ -n $(setting "$variable" "$env_file") ]] || empty+=("$variable")
	done
	[[ ${#empty[@]} -eq 0 ]] || problems+=("empty or missing in $env_file: ${empty[*]}; the server does not start without")

	# What stands in docker-compose.yml wins. Where the settings have another value, which is not that of .env.example either,
	# somebody expects it to count.
	ignored=()
	while IFS=: read -r variable value; do
		value=${value# } value=${value#\"} value=${value%\"}
		given=$(setting "$variable" "$env_file")
		[[ $value == *\$* || -z $given || $given == "$value" || $given == "$(setting "$variable" .env.example)" ]] || ignored+=("$variable")
	done < <(awk '/^  [a-z]/ { server = /^  server:/ } server' docker-compose.yml | sed -nE 's/^      ([A-Z][A-Z0-9_]*: .*)/\1/p')
	[[ ${#ignored[@]} -eq 0 ]] ||
		problems+=("docker-compose.yml contradicts $env_file, and would win: ${ignored[*]}; make them equal, or take them out of $env_file")

	# The secrets which docker-compose.yml names.
	while IFS= read -r secret; do
		[[ -s secrets/$secret ]] || problems+=("secrets/$secret is missing or empty; docker-compose.yml says what belongs there")
		secrets+=("$secret")
	done < <(sed -nE 's#^ *file: (\./secrets|\$\{SECRETS_DIR:-\./secrets\})/##p' docker-compose.yml)
	if [[ ${#problems[@]} -gt 1 ]]; then
		printf '  - %s\n' "${problems[@]}" >&2
		die "${#problems[@]} things are to be put right, above; nothing was sent"
	fi
	[[ ${#problems[@]} -eq 0 ]] || die "${problems[0]}"
	[[ ${#secrets[@]} -gt 0 ]] || die "docker-compose.yml names no secret below ./secrets"

	# The tag says what is in the image: the same sources, the same tag, no second build.
	tag=$(find "${sources[@]}" -type f ! -path 'vendor/*/target/*' -print | LC_ALL=C sort |
		while IFS= read -r file; do sha256 "$file"; done | sha256 | cut -c 1-12)
	[[ $tag =~ ^[0-9a-f]{12}$ ]] || die "no checksum of the sources could be made"

	# Where the image comes from: built there, pulled there, or sent from here.
	from=build
	if [[ $image == *@* ]]; then
		from=pull tag=${image##*:} && tag=${tag:0:12}
	elif [[ -n $image || $build == here ]]; then
		from=send
		command -v docker >/dev/null || die "docker is not installed here, and the image is to come from here"
		[[ -n $image ]] || docker buildx version >/dev/null 2>&1 || die "docker buildx is missing here, and the build takes it: install the buildx plugin"
		here=$(docker version --format '{{.Server.Os}}/{{.Server.Arch}}') || die "docker does not answer here, and the image is to come from here"
		if [[ -n $image ]]; then
			tag=$(docker image inspect --format '{{.Id}}' "$image" 2>/dev/null) ||
				die "Docker has no image $image here; one of a registry needs its digest: NAME@sha256:…"
			tag=${tag#sha256:} && tag=${tag:0:12}
		fi
	fi
	case $from:$image in
	build:) what="build the image $name:$tag there (1.7 GB of memory, 4 GB of disk), unless the host has it" ;;
	pull:*) what="pull the image $image there, as $name:$tag" ;;
	send:) what="build the image here (1.7 GB of memory, 4 GB of disk), and send it as $name:$tag, unless the host has it" ;;
	send:*) what="send the image $image of Docker here, as $name:$tag, unless the host has it" ;;
	esac
fi

target=$user@$host
options=(-o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=15 -o ServerAliveInterval=15)
# Quoted, or ssh takes a name with a space for two; % begins a variable of ssh.
[[ -z $known_hosts ]] || options+=(-o "UserKnownHostsFile=\"${known_hosts//%/%%}\"")
[[ -z $key ]] || options+=(-i "$key" -o IdentitiesOnly=yes)

if $dry_run; then
	say "Dry run: nothing is sent. The checks on this side have passed; a deployment would"
	cat <<-PLAN
		  1. connect to $target, port $port, whose key is in $known, and look for docker and docker compose
		  2. copy the sources (${sources[*]}), $env_file as .env, and the secrets (${secrets[*]}) to a new folder in $dir
		  3. have the host do the rest by itself, and show what it says:
		  4. wait until no other deployment is running
		  5. $what
		  6. make it a release in $dir/releases, unless the current one is equal
		  7. put the secrets into a new folder in $dir/secrets, mode 0444 in a folder of mode 0700, unless the current ones are equal
		  8. start the server and wait up to $health_timeout s until it is healthy, then cloudflared, likewise
		  9. on failure, start the release before; on success, remove what is older than that and no container uses
	PLAN
	exit 0
fi

# --- The other side -------------------------------------------------------------------------------------------------

# Runs a command there, with the standard input of here. ssh joins its words into one line for the shell of the other side:
# each is put into single quotes, which mean the same to every shell.
send() {
	local word line='' quote="'\\''"
	for word; do
		line+="'${word//\'/$quote}' "
	done
	ssh -p "$port" "${options[@]}" "$target" "$line"
}

there() { send "$@" </dev/null; }

# Standard input becomes a file that nobody else can read, not even for a moment.
put() { send sh -c 'umask 077 && cat >"$1"' sh "$1"; }

incoming=
handed_over=false
said=$(mktemp)
# What was sent goes again, unless the host is at work with it.
clean_up() {
	rm -f "$said"
	[[ -z $incoming ]] || $handed_over || there rm -rf "$incoming" 2>/dev/null || true
}
interrupted() {
	local what="what is running on the host goes on unchanged"
	! $handed_over || what="the host goes on by itself, and --status tells how it ended"
	printf 'deploy-to-droplet.sh: %s: interrupted; %s\n' "$step" "$what" >&2
	exit 130
}
trap clean_up EXIT
trap interrupted INT TERM HUP

step="connecting to $target"
say "Connecting to $target, port $port"
there true || die "no connection. Is the host's key in $known, and is your key allowed to log in?"
# What can be wrong there, before anything is changed.
found=$(there sh -c '
	docker version --format "docker={{.Server.Os}}/{{.Server.Arch}}" 2>&1 | tail -n 1
	echo "compose=$(docker compose version --short 2>/dev/null)"
	if docker buildx version >/dev/null 2>&1; then echo "buildx=there"; fi
	echo "clock=$(date +%s)"
	awk "/^(MemAvailable|SwapFree):/ { n += \$2 } END { print \"memory=\" int(n / 1024) }" /proc/meminfo 2>/dev/null
	# The space of the nearest folder that is there, in MiB.
	space() {
		folder=$1
		while [ ! -d "$folder" ]; do folder=$(dirname "$folder"); done
		df -Pk "$folder" 2>/dev/null | awk "NR == 2 { print int(\$4 / 1024) }"
	}
	echo "disk=$(space "$1")"
	echo "layers=$(space "$(docker info --format "{{.DockerRootDir}}" 2>/dev/null || echo /)")"
	if docker image inspect "$2" >/dev/null 2>&1; then echo "present=there"; fi
' sh "$dir" "$name:$tag") || die "no connection, or no shell there"
found() { sed -n "s/^$1=//p" <<<"$found" | head -n 1; }
there_is=$(found docker)
[[ $there_is == */* ]] || die "docker does not answer there: install Docker Engine, and let $user use it"
compose=$(found compose)
[[ -n $compose ]] || die "docker compose is missing there: install the compose plugin"
IFS=. read -r major minor _ <<<"${compose#v}"
minor=${minor%%[!0-9]*}
[[ $major =~ ^[0-9]+$ && $minor =~ ^[0-9]+$ && $((major * 1000 + minor)) -ge 2024 ]] ||
	die "docker compose is $compose there, and docker-compose.yml needs 2.24: upgrade the compose plugin"
if [[ $action == deploy ]]; then
	late=$(($(date +%s) - $(found clock)))
	[[ ${late#-} -le 60 ]] ||
		die "the clock there is ${late#-} seconds $([[ $late -gt 0 ]] && echo behind || echo ahead), and tokens would be judged by it: set one of both clocks (timedatectl set-ntp true)"
	[[ $from != build || $(found present) == there || $(found buildx) == there ]] ||
		die "docker buildx is missing there, and the build takes it: install the buildx plugin, or build here with --build-here"
	wanted=600 memory=0
	[[ $from != build || $(found present) == there ]] || wanted=4000 memory=1600
	[[ $(found disk) -ge 100 ]] || die "only $(found disk) MiB are free there for $dir; make room (docker system df) or choose another with --dir"
	[[ $(found layers) -ge $wanted ]] ||
		die "only $(found layers) MiB are free there for images, and $wanted are needed: docker system prune, $([[ $from == build ]] && echo "--build-here, ")or a larger disk"
	[[ ! $(found memory) =~ ^[0-9]+$ || $(found memory) -ge $memory ]] ||
		die "only $(found memory) MiB of memory are free there, and the build takes 1600: it would end what runs. --build-here builds here"
	[[ $from != send || $build == here ]] || platform=$(docker image inspect --format '{{.Os}}/{{.Architecture}}' "$image")
	[[ ${platform:-$there_is} == "$there_is" ]] || die "the image is for $platform, and the host is $there_is: build it with --platform $there_is"
fi

if [[ $action == status ]]; then
	step="looking at $target"
	status=0
	there sh -c '
		cd "$1" 2>/dev/null || { echo "Nothing is deployed in $1"; exit 1; }
		if flock -n lock true; then echo "No deployment is running."; else echo "A deployment is running."; fi
		[ ! -f last-deployment ] || cat last-deployment
		for link in current previous; do
			[ ! -L "$link" ] || printf "%-9s %s\n" "$link" "$(basename "$(readlink "$link")")"
		done
		[ -L current ] || exit 1
		docker compose --project-directory current --file current/docker-compose.yml ps --all
		server=$(docker compose --project-directory current --file current/docker-compose.yml ps --quiet server)
		[ "$(docker inspect --format "{{.State.Health.Status}}" "$server" 2>/dev/null)" = healthy ]
	' sh "$dir" || status=$?
	[[ $status -ne 255 ]] || die "the connection was lost"
	[[ $status -eq 0 ]] || die "the server is not healthy"
	exit 0
fi

if [[ $action == deploy && $from == send && $(found present) != there ]]; then
	if [[ -z $image ]]; then
		step="building here"
		say "Building the image $name:$tag here; it takes minutes, and 1.7 GB of memory"
		[[ $here == "$there_is" ]] || say "Docker here is $here, the host $there_is: this takes QEMU, and longer"
		# Not what lies beside: the same files as for a build on the host.
		tar -czf - --exclude 'vendor/*/target' "${sources[@]}" |
			docker build --load --platform "$there_is" --build-arg "VERSION=$version" --build-arg "REVISION=$tag" --tag "$name:$tag" - ||
			die "the build failed; what is running goes on unchanged"
	else
		docker tag "$image" "$name:$tag"
	fi
	step="sending the image"
	say "Sending the image $name:$tag, $(($(docker image inspect --format '{{.Size}}' "$name:$tag") / 1000000)) MB"
	docker save "$name:$tag" | gzip -1 | send sh -c 'gzip -dc | docker load' >/dev/null ||
		die "the image did not arrive; what is running goes on unchanged"
fi

step="copying"
incoming=$(there sh -c 'umask 077 && mkdir -p "$1/releases" "$1/secrets" && mktemp -d "$(cd "$1" && pwd -P)/incoming.XXXXXX"' sh "$dir") ||
	die "$dir cannot be created there; choose another with --dir"
[[ $incoming == /*/incoming.* ]] || die "$target did not name the new folder in $dir, but said: $incoming"
if [[ $action == deploy ]]; then
	step="copying the sources"
	say "Copying the sources"
	export COPYFILE_DISABLE=1 # macOS: no extra files for extended attributes
	[[ -z $image ]] || sources=(docker-compose.yml)
	tar -czf - --exclude 'vendor/*/target' "${sources[@]}" ${tools[@]+"${tools[@]}"} |
		send sh -c 'umask 077 && cd "$1" && mkdir release secrets && tar -xzmof - -C release' sh "$incoming" ||
		die "the sources did not arrive; what is running goes on unchanged"

	step="copying settings and secrets"
	say "Copying settings and secrets"
	put "$incoming/release/.env" <"$env_file"
	for secret in "${secrets[@]}"; do
		put "$incoming/secrets/$secret" <"secrets/$secret"
	done
	printf '%s\n' "$tag" | put "$incoming/release/image-tag"
	# The server reads them as user 65532; the folder keeps everybody else on the host out.
	there sh -c 'chmod 0444 "$1"/* && chmod 0700 "$1"' sh "$incoming/secrets"
fi

# What the host does by itself, as a script for its sh.
IFS= read -r -d '' on_the_host <<'HOST' || true
set -eu
umask 077
incoming=$1 dir=${1%/*} name=$2 version=$3 timeout=$4 action=$5 from=$6 image=$7
cd "$dir"
say() { printf "    %s\n" "$*"; }
# How it ended, for --status; a caller that waits learns it from the exit status.
end() {
	printf "Last deployment, %s: %s\n" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$2" >last-deployment
	say "$2"
	exit "$1"
}
leave() {
	rm -rf "$incoming/release" "$incoming/secrets"
	[ "$1" -le 10 ] || set -- 1
	echo "$1" >"$incoming/status.new"
	mv "$incoming/status.new" "$incoming/status"
}
trap 'leave "$?"' EXIT
trap "" HUP INT

exec 9>lock
flock -n 9 || {
	say "Another deployment is running on this host; this one waits for its end"
	flock 9
}

target() { [ ! -L "$1" ] || basename "$(readlink "$1")"; }

# compose RELEASE ARGUMENT...
compose() {
	folder=$dir/releases/$1
	shift
	[ ! -f "$folder/docker-compose.override.yml" ] || set -- --file "$folder/docker-compose.override.yml" "$@"
	IMAGE_TAG=$(cat "$folder/image-tag") docker compose --project-directory "$folder" --file "$folder/docker-compose.yml" "$@"
}

# Where the secrets of a release are.
secrets_of() {
	folder=$(sed -n "s/^SECRETS_DIR=//p" "releases/$1/.env" | tail -n 1)
	echo "${folder:-$dir/releases/$1/secrets}"
}

# state RELEASE SERVICE: such as running/healthy.
state() {
	container=$(compose "$1" ps --all --quiet "$2" 2>/dev/null) && [ -n "$container" ] || { echo none; return; }
	docker inspect --format "{{.State.Status}}/{{if .State.Health}}{{.State.Health.Status}}{{end}}" "$container" 2>/dev/null || echo none
}

# healthy RELEASE SERVICE: waits until it is.
healthy() {
	waited=0 before=
	while :; do
		state=$(state "$1" "$2")
		[ "$state" != running/healthy ] || return 0
		case $2:$state in *:none | *:exited/* | *:dead/* | server:running/unhealthy) waited=$timeout ;; esac
		# A wrong setting makes it exit at once, again and again: no use waiting for the end.
		restarts=$(docker inspect --format "{{.RestartCount}}" "$(compose "$1" ps --all --quiet "$2")" 2>/dev/null) || restarts=0
		before=${before:-$restarts}
		[ "$((restarts - before))" -lt 3 ] || waited=$timeout
		if [ "$waited" -ge "$timeout" ]; then
			say "The service $2 is not healthy ($state). Its last lines:"
			compose "$1" logs --no-color --no-log-prefix --tail 20 "$2" || true
			return 1
		fi
		sleep 1
		waited=$((waited + 1))
	done
}

# A newer major version of PostgreSQL takes over what the one before has stored; an older one cannot, so the newer one stays.
versions() {
	new=$(compose "$1" config --images postgres | head -n 1)
	running=$(compose "$1" ps --all --quiet postgres)
	if [ -n "$running" ]; then
		old=$(docker inspect --format "{{.Config.Image}}" "$running") || return 1
		[ "$old" != "$new" ] || return 0
		docker start "$running" >/dev/null || return 1
		was=$(docker exec "$running" postgres --version | sed -nE "s/^postgres \(PostgreSQL\) ([0-9]+).*/\1/p")
	elif ! docker volume inspect "${name}_postgres" >/dev/null 2>&1; then
		return 0
	fi
	becomes=$(docker run --rm --network none --entrypoint postgres "$new" --version | sed -nE "s/^postgres \(PostgreSQL\) ([0-9]+).*/\1/p")
	[ -n "$becomes" ] || {
		say "The image $new could not be had, or is not PostgreSQL"
		return 1
	}
	if [ -z "$running" ]; then
		# The image keeps its data in a folder of the version.
		stored=$(docker run --rm --network none --volume "${name}_postgres:/stored:ro" --entrypoint ls "$new" /stored) || return 1
		case " $(echo $stored) " in
		"  " | *" $(echo "$new" | sed -E "s/@.*//; s/.*://; s/[^0-9].*//") "* | *" $becomes "*) return 0 ;;
		esac
		say "The volume ${name}_postgres holds data of PostgreSQL $stored and none of $becomes. Deploy with the image that it had, then with $new"
		return 1
	fi
	if [ "$becomes" -lt "$was" ]; then
		say "PostgreSQL $was stays: what it has stored cannot go back to $becomes"
		printf "services:\n  postgres:\n    image: %s\n" "$old" >"releases/$1/docker-compose.override.yml"
	elif [ "$becomes" -gt "$was" ]; then
		mkdir -p backups
		bash "releases/$1/scripts/database.sh" upgrade "$dir/backups/postgres-$was-$(date -u +%Y%m%dT%H%M%SZ).dump"
	fi
}

# The tables and roles, where this project keeps tokens in PostgreSQL: a new server may need what an old one did not know.
# What they change leaves them usable for the release before.
database() {
	grep -q "^  db-init:" "releases/$1/docker-compose.yml" || return 0
	if grep -q "^  postgres:" "releases/$1/docker-compose.yml"; then
		versions "$1" || return 1
		compose "$1" up --detach --no-build postgres || return 1
		healthy "$1" postgres || return 1
		# The image reads the owner's password only when it sets up an empty database; this is how a new one counts. Over
		# the socket inside of the container, where it asks for none.
		compose "$1" exec --no-TTY postgres psql --quiet --no-password --set ON_ERROR_STOP=1 --username postgres --dbname mcp_auth <<'SQL' || say "The owner's password could not be set; trying the one that is"
\set password `cat /run/secrets/postgres_owner_password`
SET log_statement = 'none';
SET log_min_duration_statement = -1;
SET log_min_error_statement = 'panic';
ALTER ROLE postgres PASSWORD :'password';
SQL
	fi
	compose "$1" run --rm --no-TTY db-init <"$(secrets_of "$1")/postgres_password"
}

# start RELEASE: the server first, the tunnel only once the server is healthy.
start() {
	database "$1" || {
		say "The token store could not be set up; the reason stands above"
		return 1
	}
	compose "$1" up --detach --no-build --remove-orphans server || return 1
	healthy "$1" server || return 1
	compose "$1" up --detach --no-build || return 1
	healthy "$1" cloudflared
}

# go_back RELEASE: whatever else fails, its server and its tunnel are started.
go_back() {
	database "$1" || say "The token store is not as it was; the server starts without"
	compose "$1" up --detach --no-build --remove-orphans server || return 1
	healthy "$1" server || return 1
	compose "$1" up --detach --no-build || return 1
	healthy "$1" cloudflared || say "The server is healthy, the tunnel is not"
}

# Removes what is neither current nor previous, as disks of droplets are small; but nothing that a container has mounted: it
# could not be started again after a crash or a reboot.
remove_old() {
	keep=" $(target current) $(target previous) "
	containers=$(docker ps --all --quiet) || return 0
	mounted=
	for container in $containers; do
		mounted="$mounted
$(docker inspect --format "{{range .Mounts}}{{println .Source}}{{end}}" "$container")" || return 0
	done
	for old in releases/*; do
		case $keep in *" ${old#releases/} "*) continue ;; esac
		case $mounted in *"
$dir/$old/"*) continue ;; esac
		rm -rf "$old"
	done
	for old in secrets/*; do
		! grep -qxF "SECRETS_DIR=$dir/$old" releases/*/.env || continue
		case $mounted in *"
$dir/$old/"*) continue ;; esac
		rm -rf "$old"
	done
	docker image ls --format "{{.Tag}}" "$name" | while read -r image; do
		grep -qxF "$image" releases/*/image-tag || docker image rm "$name:$image" >/dev/null 2>&1 || true
	done
	# What connections that were lost left behind.
	find . -maxdepth 1 -name "incoming.*" -mmin +180 -exec rm -rf {} +
}

current=$(target current)
[ -d "releases/$current" ] || current=
if [ "$action" = rollback ]; then
	release=$(target previous)
	[ -n "$release" ] && [ -d "releases/$release" ] || end 7 "There is no release to go back to"
else
	tag=$(cat "$incoming/release/image-tag")
	if docker image inspect "$name:$tag" >/dev/null 2>&1; then
		say "The host has the image $name:$tag already"
	elif [ "$from" = pull ]; then
		say "Pulling the image $image"
		timeout 600 docker pull --quiet "$image" || end 8 "The image could not be pulled; what is running goes on unchanged"
		platform=$(docker image inspect --format "{{.Os}}/{{.Architecture}}" "$image")
		[ "$platform" = "$(docker version --format "{{.Server.Os}}/{{.Server.Arch}}")" ] ||
			end 8 "The image is for $platform, and this host is not; what is running goes on unchanged"
		# By one name, as an image goes with its last one: its release has this one, and nothing would remove the other.
		docker tag "$image" "$name:$tag"
		docker image rm "$image" >/dev/null 2>&1 || true
	elif [ "$from" = send ]; then
		end 8 "The image that was sent is gone again; what is running goes on unchanged"
	else
		say "Building the image $name:$tag; the first time takes minutes"
		docker build --build-arg "VERSION=$version" --build-arg "REVISION=$tag" --tag "$name:$tag" "$incoming/release" ||
			end 8 "The build failed; what is running goes on unchanged"
	fi

	id=$(date -u +%Y%m%dT%H%M%SZ)-$tag
	while [ -e "releases/$id" ] || [ -e "secrets/$id" ]; do
		sleep 1
		id=$(date -u +%Y%m%dT%H%M%SZ)-$tag
	done
	# The folder of the secrets is in the configuration of each container that has some. So it changes when they do, and only
	# then; its name tells nothing of them, as a checksum would.
	secrets=$dir/secrets/$id
	if [ -n "$current" ]; then
		old=$(secrets_of "$current")
		case $old in
		"$dir/secrets/"*) ! diff -r "$incoming/secrets" "$old" >/dev/null 2>&1 || secrets=$old ;;
		esac
	fi
	[ -e "$secrets" ] || mv "$incoming/secrets" "$secrets"
	# So that `docker compose` in this folder means the same image and secrets.
	printf "\nIMAGE_TAG=%s\nSECRETS_DIR=%s\n" "$tag" "$secrets" >>"$incoming/release/.env"
	if [ -n "$current" ] && diff -r "$incoming/release" "releases/$current" >/dev/null 2>&1; then
		release=$current
		say "Nothing has changed since release $release"
	else
		release=$id
		mv "$incoming/release" "releases/$release"
	fi
fi

say "Starting release $release"
was=$(state "$release" server)
if start "$release"; then
	if [ "$release" != "$current" ]; then
		[ -z "$current" ] || ln -sfn "releases/$current" previous
		ln -sfn "releases/$release" current
	fi
	remove_old
	end 0 "Release $release is healthy"
fi
if [ -n "$current" ] && [ "$current" != "$release" ]; then
	say "Going back to release $current"
	if go_back "$current"; then
		remove_old
		end 3 "Release $release did not become healthy; release $current runs again"
	fi
	[ "$(state "$current" server)" != running/healthy ] ||
		end 6 "Neither release $release nor release $current could be started as a whole; the server answers"
	end 4 "Neither release $release nor release $current became healthy"
fi
[ "$(state "$release" server)" != running/healthy ] ||
	end 6 "Release $release could not be started as a whole; the server is healthy and goes on"
[ -z "$current" ] || end 10 "Release $release is not healthy, and nothing has changed since it was"
# No use restarting for ever what never was healthy. What was may be again.
[ "$was" = running/healthy ] || compose "$release" stop server >/dev/null 2>&1 || true
end 5 "Release $release did not become healthy, and there is none before it"
# The end of this script: without this line, not all of it has arrived.
HOST

# Shows what the host says from the given byte on, until it has ended, with its status.
look_on='
cd "$1" || exit 9
seen=$2
while :; do
	status=
	[ ! -f status ] || status=$(cat status)
	size=$(wc -c <log)
	if [ "$size" -gt "$seen" ]; then
		tail -c "+$((seen + 1))" log | head -c "$((size - seen))" || exit 255
		seen=$size
	fi
	[ -z "$status" ] || exit "$status"
	kill -0 "$(cat pid)" 2>/dev/null || [ -f status ] || exit 9
	sleep 1
done'

step="starting the release"
[[ $action == deploy ]] || step="going back"
# In a session of its own, with a file for output: neither the end of this connection nor a closed pipe stops it.
handed_over=true
printf '%s' "$on_the_host" | send sh -c '
	cd "$1" && cat >run.sh && : >log || exit 1
	case $(tail -n 1 run.sh) in "# The end"*) ;; *) exit 1 ;; esac
	session=$(command -v setsid || command -v nohup) || exit 1
	"$session" sh run.sh "$@" >log 2>&1 </dev/null &
	echo "$!" >pid
' sh "$incoming" "$name" "$version" "$health_timeout" "$action" "${from:-}" "$image" ||
	die "the order to begin did not reach the host, or its answer was lost; --status shows whether it is at work"

lost=0
while :; do
	status=0
	there sh -c "$look_on" sh "$incoming" "$(($(wc -c <"$said")))" | tee -a "$said" >&2 || status=${PIPESTATUS[0]}
	# The host ends with 10 at most; anything above is the end of the connection, and not of the work.
	[[ $status -gt 10 && $lost -lt 10 ]] || break
	lost=$((lost + 1))
	say "The connection was lost; the host goes on by itself. Connecting again"
	sleep 3
done
[[ $status -gt 10 ]] || there rm -rf "$incoming" || true
case $status in
0)
	if [[ $action == rollback ]]; then
		say "The release before runs again on $host"
	else
		say "Deployed: $name:$tag on $host"
	fi
	;;
1 | 2) die "the commands on the host failed (status $status); their message stands above" ;;
3) die "the new release did not become healthy; the one before runs again. The reason stands above" ;;
4) die "neither the new release nor the one before became healthy: THE SERVER IS DOWN. Log in and look at docker ps" ;;
5) die "the release did not become healthy, and there is none before it to go back to. The reason stands above" ;;
6) die "not everything could be started; the server that runs is healthy and was not stopped. The reason stands above" ;;
7) die "there is no release before the current one on $host" ;;
8) die "$([[ $from == build ]] && echo "the build failed" || echo "the image could not be had"); what is running goes on unchanged" ;;
9) die "the host stopped in the middle; was it restarted? Run this again, or look at it with --status" ;;
10) die "the current release is not healthy, and there is nothing new to start; nothing was stopped. --rollback starts the one before" ;;
*) die "the connection is lost; the host goes on by itself, and --status tells how it ended" ;;
esac
