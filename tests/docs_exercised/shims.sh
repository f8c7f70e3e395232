#!/usr/bin/env bash
# docker, kubectl, ssh and cloudflared for the commands of the runbook, where there is no engine, no cluster and no edge: the
# server runs as a process of this machine, with the variables that its container would have. tests/docs_exercised calls this
# by those four names. EXERCISE names a folder with `env` (the server's variables), `log`, `pid` and `token.jwt`.
set -euo pipefail

server() {
	local pairs=()
	while IFS= read -r pair; do pairs+=("$pair"); done <"$EXERCISE/env"
	exec env -i "${pairs[@]}" "$EXERCISE_SERVER" "$@"
}
running() { kill -0 "$(cat "$EXERCISE/pid" 2>/dev/null || echo 0)" 2>/dev/null; }
# inside CONTAINER WORD...: what `exec` runs in it.
inside() {
	local container=$1
	shift
	case $container in
	server | notes-server-1 | deployment/notes)
		running || {
			echo "service \"server\" is not running" >&2
			exit 1
		}
		[[ $1 == /usr/local/bin/notes ]] || exit 126
		shift
		server "$@"
		;;
	postgres)
		[[ $1 == pg_isready && $2 == --host && $3 == 127.0.0.1 ]] || exit 126
		exec pg_isready --host 127.0.0.1 --port "$EXERCISE_POSTGRES"
		;;
	*) exit 125 ;;
	esac
}
without_options() {
	while [[ ${1:-} == -* ]]; do
		case $1 in
		--network) shift 2 ;;
		--tail) shift 2 ;;
		*) shift ;;
		esac
	done
	words=("$@")
}
called=$(basename "$0")
case "$called ${1:-} ${2:-}" in
"docker compose exec")
	without_options "${@:3}"
	inside "${words[@]}"
	;;
"docker exec "*)
	without_options "${@:2}"
	inside "${words[@]}"
	;;
"docker compose run")
	without_options "${@:3}"
	case ${words[0]} in
	server) server "${words[@]:1}" ;;
	postgres) exec pg_isready --host 127.0.0.1 --port "$EXERCISE_POSTGRES" ;;
	*) exit 125 ;;
	esac
	;;
"docker compose logs")
	without_options "${@:3}"
	[[ " ${words[*]} " != *" server "* ]] || cat "$EXERCISE/log"
	;;
"docker compose ps")
	running && echo "notes-server-1  Up (healthy)" || echo "notes-server-1  Restarting (2)"
	;;
# `?` is the space: what reads scripts for images to be installed would take the star for one.
docker?run?*)
	without_options "${@:2}"
	case ${words[0]} in
	curlimages/curl)
		words=("${words[@]:1}")
		exec curl --noproxy '*' "${words[@]//http:\/\/server:9090/http://$EXERCISE_ADMIN}"
		;;
	*) exit 125 ;;
	esac
	;;
"kubectl --namespace notes")
	shift 2
	case $1 in
	exec)
		without_options "${@:2}"
		[[ ${words[1]} == -- ]] || exit 125
		inside "${words[0]}" "${words[@]:2}"
		;;
	logs) cat "$EXERCISE/log" ;;
	describe | rollout) echo "$*" ;;
	*) exit 125 ;;
	esac
	;;
"ssh root@HOST "*) exec "${@:2}" ;;
"cloudflared access login") ;;
"cloudflared access token") cat "$EXERCISE/token.jwt" ;;
*)
	echo "$called $*: nothing stands in for this" >&2
	exit 127
	;;
esac
