#!/usr/bin/env bash
# Runs the server on this machine and says how to connect a client. --help says more.
set -euo pipefail
# With CDPATH set, cd may go to a folder of the same name elsewhere, and prints where it went.
unset CDPATH
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly NAME={{project-name}}
# shellcheck source=scripts/env.sh
source scripts/env.sh

usage() {
	cat <<-'HELP'
		usage: scripts/local-dev.sh [--demo [--once]] [--access] [--help]

		Builds the server and runs it until Ctrl-C. The first run creates .env from .env.example, with a random Bearer
		token that only you can read. Variables that are already set win over .env. The server takes Bearer tokens here,
		and its own token from the environment, whatever AUTH_MODE and TOKEN_STORE say in .env; set them in your shell
		to try others.
{% if example == "coda" %}
		  --demo   needs no Coda account: a stub of the Coda API with sample documents stands in, and a client connects and
		           lists them
		  --once   with --demo: stop after that
{%- else %}
		  --demo   a client connects, lists the tools and calls one
		  --once   with --demo: stop after that
{%- endif %}
		  --access  puts an emulator of Cloudflare Access before the server: clients log in under any address, service tokens work,
		            and a page has faults at a click. It listens on ACCESS_PORT, or 8788. With --demo no client connects by itself
		  --help   this text

		Example: scripts/local-dev.sh --demo
	HELP
}

say() { printf '==> %s\n' "$*" >&2; }
die() {
	printf 'local-dev.sh: %s\n' "$*" >&2
	exit 1
}

demo=false once=false access=false
for argument; do
	case $argument in
	--demo) demo=true ;;
	--once) once=true ;;
	--access) access=true ;;
	-h | --help)
		usage
		exit 0
		;;
	*)
		printf "local-dev.sh: unknown argument '%s'; see --help\n" "$argument" >&2
		exit 2
		;;
	esac
done
if $once && ! $demo; then
	printf 'local-dev.sh: --once goes with --demo\n' >&2
	exit 2
fi
if $once && $access; then
	printf 'local-dev.sh: --once does not go with --access, which waits for clients\n' >&2
	exit 2
fi

children=()
{%- if example == "coda" %}
scratch=
{%- endif %}
# Nothing is left behind, however the script ends.
clean_up() {
	local pid
	trap - EXIT INT TERM HUP
	for pid in ${children[@]+"${children[@]}"}; do
		kill -TERM "$pid" 2>/dev/null || true
	done
	for pid in ${children[@]+"${children[@]}"}; do
		wait "$pid" 2>/dev/null || true
	done
{%- if example == "coda" %}
	[[ -z $scratch ]] || rm -rf "$scratch"
{%- endif %}
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

random_token() {
	if command -v openssl >/dev/null; then
		openssl rand -hex 32
	else
		od -An -N32 -tx1 /dev/urandom | tr -d ' \n'
	fi
}

create_env() {
	local token
	token=$(random_token)
	[[ ${#token} -ge 64 ]] || die "no random token could be made: neither openssl nor /dev/urandom works"
	# Written beside and renamed, so that an interrupt leaves no half a file; never readable by others.
	(
		umask 077
		while IFS= read -r line || [[ -n $line ]]; do
			case $line in
			MCP_DEV_BEARER_TOKEN=) printf 'MCP_DEV_BEARER_TOKEN=%s\n' "$token" ;;
			*) printf '%s\n' "$line" ;;
			esac
		done <.env.example >.env.new
	)
	mv .env.new .env
	say "Created .env with a random Bearer token. It is yours alone: git ignores it."
}

port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
taken() { die "port $2 is taken: stop what listens there, or set $1 to another"; }

# The demo takes the next free port.
find_port() {
	local first=$PORT
	until port_is_free "$PORT"; do
		((++PORT < first + 100)) || die "ports $first to $PORT are all taken; set PORT to a free one"
	done
}

# Waits until the process answers on /health; no proxy of the environment gets between.
wait_for_health() {
	local pid=$1 url=$2 tries
	for ((tries = 0; tries < 150; tries++)); do
		kill -0 "$pid" 2>/dev/null || return 1
		if curl --silent --fail --noproxy '*' --max-time 2 --output /dev/null "$url"; then
			# Another program may have taken the port in between, and answer: then this one ends at once.
			sleep 0.2
			kill -0 "$pid" 2>/dev/null
			return
		fi
		sleep 0.2
	done
	return 1
}

command -v cargo >/dev/null || die "cargo is not installed: https://rustup.rs"
command -v curl >/dev/null || die "curl is not installed: use the package manager of your system"

token_is_from_env_file=true
[[ -z ${MCP_DEV_BEARER_TOKEN:-}${MCP_DEV_BEARER_TOKEN_FILE:-} ]] || token_is_from_env_file=false
mode=${AUTH_MODE:-bearer} store=${TOKEN_STORE:-env}
# The demo is for this machine only, and works whatever else is configured.
if $demo; then mode=bearer store=env; fi
if $access; then mode=cloudflare; fi
[[ -f .env ]] || create_env
load_env
export AUTH_MODE=$mode TOKEN_STORE=$store
[[ $AUTH_MODE != *bearer* && $AUTH_MODE != both || -n ${MCP_DEV_BEARER_TOKEN:-}${MCP_DEV_BEARER_TOKEN_FILE:-} ]] ||
	die "MCP_DEV_BEARER_TOKEN is empty in .env: put a random one there (openssl rand -hex 32), or delete .env to start over"

export HOST=${HOST:-127.0.0.1} PORT=${PORT:-8080}
[[ $PORT =~ ^[1-9][0-9]{0,4}$ && $PORT -le 65535 ]] || die "PORT is '$PORT', which is not a port number"
if $demo; then
	export HOST=127.0.0.1
	if [[ -n ${MCP_DEV_BEARER_TOKEN_FILE:-} ]]; then
		MCP_DEV_BEARER_TOKEN=$(<"$MCP_DEV_BEARER_TOKEN_FILE")
		export MCP_DEV_BEARER_TOKEN
		unset MCP_DEV_BEARER_TOKEN_FILE
	fi
	find_port
{%- if example == "coda" %}
elif [[ $TOKEN_STORE == env && -z ${CODA_API_TOKEN:-}${CODA_API_TOKEN_FILE:-} ]]; then
	die "CODA_API_TOKEN is empty in .env. Get one from https://coda.io/account/settings/api, or try scripts/local-dev.sh --demo"
{%- endif %}
fi
port_is_free "$PORT" || taken PORT "$PORT"
if $access; then
	access_port=${ACCESS_PORT:-8788}
	[[ $access_port =~ ^[1-9][0-9]{0,4}$ && $access_port -le 65535 && $access_port != "$PORT" ]] || die "ACCESS_PORT is '$access_port', which is no port of its own"
	port_is_free "$access_port" || taken ACCESS_PORT "$access_port"
	# The team is the emulator, whatever .env says; server and emulator read the same settings.
	edge=http://127.0.0.1:$access_port
	export HOST=127.0.0.1 CF_ACCESS_TEAM_DOMAIN=$edge CF_ACCESS_ALLOWED_SERVICE_TOKENS=emulator.access
	CF_ACCESS_AUD=acce55$(printf '%058d' 0)
	export CF_ACCESS_AUD
	unset CF_ACCESS_CERTS_URL PUBLIC_URL
fi

say "Building. The first time takes minutes, later ones seconds."
targets=(--bin "$NAME")
if $demo; then targets+=(--examples); fi
# Only here is the emulator a part of the program: the image is built without.
if $access; then targets+=(--features mcp-server-runtime/access-emulator); fi
# What was built is run itself: `cargo run` of the server alone would build its libraries again, without the features that
# only the examples need, and take longer than anybody waits below.
built=$(cargo build --locked --message-format=json-render-diagnostics "${targets[@]}")
# It may have taken minutes, in which somebody else took the port.
if $demo; then find_port; fi
port_is_free "$PORT" || taken PORT "$PORT"
! $access || port_is_free "$access_port" || taken ACCESS_PORT "$access_port"
program() {
	local path
	# A string of JSON, in which quotes and backslashes of a path are escaped.
	path=$(sed -nE "s/.*\"name\":\"$1\",.*\"executable\":\"(([^\"\\]|\\\\.)*)\".*/\1/p" <<<"$built")
	path=$(sed -E 's/\\(["\\])/\1/g' <<<"$path")
	[[ -x $path ]] || die "cargo did not say where it has put $1"
	printf '%s' "$path"
}
{%- if example == "coda" %}

if $demo; then
	say "Starting the stub of the Coda API"
	scratch=$(mktemp -d)
	# It is read below, perhaps before the stub has begun to write.
	: >"$scratch/stub"
	stub_coda=$(program stub_coda)
	"$stub_coda" --port 0 >>"$scratch/stub" &
	stub=$!
	children+=("$stub")
	base=
	for ((tries = 0; tries < 150; tries++)); do
		base=$(sed -n 's/^stub Coda API listening on //p' "$scratch/stub")
		[[ -z $base ]] || break
		kill -0 "$stub" 2>/dev/null || die "the stub of the Coda API stopped; its message stands above"
		sleep 0.2
	done
	[[ -n $base ]] || die "the stub of the Coda API did not say where it listens"
	# For this run only. The stub accepts any token.
	export CODA_API_BASE=$base CODA_API_TOKEN=demo
	unset CODA_API_TOKEN_FILE
fi
{%- endif %}

program=$(program "$NAME")
if $access; then
	say "Starting the Access emulator"
	"$program" access-emulator &
	emulator=$!
	children+=("$emulator")
	wait_for_health "$emulator" "$edge/cdn-cgi/access/certs" || die "the Access emulator did not come up; the reason stands above"
fi

say "Starting $NAME"
if $demo; then
	# Everything is on this machine: a proxy for the internet has no part in it.
	export NO_PROXY="127.0.0.1,localhost${NO_PROXY:+,$NO_PROXY}"
	export no_proxy=$NO_PROXY
fi
"$program" &
server=$!
children+=("$server")
address=127.0.0.1
case $HOST in
0.0.0.0 | 127.*) ;;
::) address='[::1]' ;;
*:*) address="[$HOST]" ;;
*) address=$HOST ;;
esac
wait_for_health "$server" "http://$address:$PORT/health" || die "$NAME did not come up; the reason stands above"
say "$NAME is up: http://$address:$PORT/health"

if $access; then
	cat <<-CONNECT

		Connect Claude Code, in another terminal, and log in with /mcp, under any address:

		  claude mcp add --transport http $NAME $edge/mcp

		Service tokens, and faults at a click: $edge/cdn-cgi/access/emulator

	CONNECT
	say "Serving until Ctrl-C"
	wait "$server"
	exit
fi

if $demo; then
	say "A client connects"
	client=$(program client)
	# The server takes several tokens, a client has one.
	MCP_DEV_BEARER_TOKEN=${MCP_DEV_BEARER_TOKEN%%,*} "$client" \
		"http://$address:$PORT/mcp" || die "the client failed; the reason stands above"
fi

# The shell that runs this line puts the token in: it appears neither here nor in a log.
if $token_is_from_env_file; then
	# Without what may stand around the first token: a mark, export, quotes, others, a comment, a line end of Windows.
	secret="\$(sed -nE 's|^[^A-Z#]*MCP_DEV_BEARER_TOKEN *= *[^A-Za-z0-9._~+/=-]?([A-Za-z0-9._~+/=-]+).*|\\1|p' $(printf %q "$PWD/.env"))"
else
	secret="\$MCP_DEV_BEARER_TOKEN"
fi
cat <<CONNECT

Connect Claude Code, in another terminal:

  claude mcp add --transport http $NAME http://$address:$PORT/mcp --header "Authorization: Bearer $secret"

CONNECT
if $once; then
	exit 0
fi
say "Serving until Ctrl-C"
wait "$server"
