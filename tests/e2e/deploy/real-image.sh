# shellcheck shell=bash
# Sourced by `scenarios`: the image as the Dockerfile and the compiler make it, rather than one around a server that was compiled
# before. README.md beside it says what holds. `run` has laid out what it is made of in the folder $real.
# Variables of `scenarios`, which calls these functions, and takes the list, by their names.
# shellcheck disable=SC2154,SC2034
unset CDPATH

# The images that the Dockerfile names: Debian's packages, this machine's toolchain, and the crates of the lock file, as there is no
# network. Of C there is what the official image has, gcc and libc6-dev.
real_images() {
	local folder=$scratch/image registry=${CARGO_HOME:-$HOME/.cargo}/registry toolchain crate
	toolchain=$(cd "$rendered" && rustc --print sysroot)
	cp -a "$real/rust/files" "$folder"
	mkdir -p "$folder/usr/local/cargo/registry"
	cp -a "$toolchain/bin" "$toolchain/lib" "$folder/usr/local/"
	cp -a "$registry/index" "$folder/usr/local/cargo/registry/"
	awk -F '"' '/^name = /{ name = $2 } /^version = /{ print name "-" $2 ".crate" }' "$rendered/Cargo.lock" | while read -r crate; do
		(cd "$registry" && find cache -name "$crate" -exec cp --parents {} "$folder/usr/local/cargo/registry/" \;)
	done
	import "$folder" rust:1.95-slim-bookworm 'ENV PATH=/usr/local/cargo/bin:/usr/local/bin:/usr/bin:/bin' \
		'ENV CARGO_HOME=/usr/local/cargo' 'ENV CARGO_NET_OFFLINE=true'
	cp -a "$real/distroless/files" "$folder"
	mkdir -p "$folder/etc/ssl/certs"
	cp /etc/ssl/certs/ca-certificates.crt "$folder/etc/ssl/certs/"
	import "$folder" gcr.io/distroless/base-nossl-debian12:nonroot 'USER 65532:65532'
}

# It looks for git, which the host does not have.
export BUILDX_GIT_INFO=0

# build TAG [OPTION]...: the image of /root/real on the host, with the seconds and the memory that it took.
build() {
	local tag=$1 start=$SECONDS status=0 watch
	shift
	python3 "$here/memory.py" "$(first)" >"$scratch/memory" &
	watch=$!
	in_host docker build --progress plain --tag "real:$tag" "$@" /root/real >"$scratch/build" 2>&1 || status=$?
	kill "$watch" && wait "$watch"
	[ "$status" = 0 ] || tail -50 "$scratch/build"
	printf 'the %s build took %d s, and at most %s\n' "$tag" $((SECONDS - start)) "$(<"$scratch/memory")"
	return "$status"
}

layers() { in_host docker image inspect --format '{{join .RootFS.Layers "\n"}}' "real:$1"; }
# compiles CRATE: it was compiled by the last build.
compiles() { grep -qE "Compiling $1 v" "$scratch/build"; }

the_real_image() {
	local secret=$scratch/secret size crate
	# A folder as it is at work, with secrets in several places.
	random >"$secret"
	in_host mkdir -p /root/real
	tar -C "$project" -c . >"$scratch/sources"
	in_host tar -C /root/real -x <"$scratch/sources"
	printf 'CODA_API_TOKEN=%s\n' "$(<"$secret")" | in_host tee /root/real/.env >/dev/null
	in_host sh -c 'mkdir -p /root/real/.git /root/real/target && cp /root/real/.env /root/real/.git/config && cp /root/real/.env /root/real/target/'

	build cold
	compiles axum
	# What is built stays in the cache of the builder, where nobody looks for secrets.
	in_host docker build --quiet --target build --tag real:stage /root/real >/dev/null
	same "files beside the sources in the build" '' \
		"$(in_host docker run --rm real:stage find /build -maxdepth 2 '(' -name '.env*' -o -name secrets -o -name .git -o -name scripts ')')"
	in_host docker image rm real:stage >/dev/null

	# One line, which changes nothing of the program: its dependencies are there, and the image is the same.
	in_host sh -c 'echo "// edited" >>/root/real/src/main.rs'
	build edited
	compiles my-server
	! compiles axum || return 1
	same "the layers after a comment" "$(layers cold)" "$(layers edited)"
	# One line of a handler, as on any day: neither dependencies nor the two libraries are compiled again.
	in_host sed -i 's/"Lists the tables and views of a Coda document\."/"Lists the tables and the views of a Coda document."/' /root/real/src/handlers/tools.rs
	build handler
	compiles my-server
	for crate in axum mcp-auth-middleware mcp-server-runtime; do
		! compiles "$crate" || return 1
	done
	differ "the layers after another line" "$(layers cold)" "$(layers handler)"
	in_host tar -C /root/real -x ./src <"$scratch/sources"

	in_host docker history --no-trunc --human=false --format '{{.Size}} {{.CreatedBy}}' real:cold | cut -c 1-110
	size=$(in_host docker image inspect --format '{{.Size}}' real:cold)
	printf 'the image has %d bytes\n' "$size"
	[ "$size" -le 40000000 ]
	same "the user" 65532:65532 "$(in_host docker image inspect --format '{{.Config.User}}' real:cold)"
	local shell
	for shell in /bin/sh /bin/bash /bin/busybox /usr/bin/apt-get; do
		if in_host docker run --rm --entrypoint="$shell" real:cold -c true 2>"$scratch/said"; then return 1; fi
		said "no such file or directory"
	done
	{
		in_host docker save real:cold | tar -xO
		in_host docker history --no-trunc real:cold
		in_host docker image inspect real:cold
	} >"$scratch/layers"
	for secret in "$secret" "$project"/secrets/*; do
		! grep -qaF "$(<"$secret")" "$scratch/layers" || same "the image" "without $(basename "$secret")" "with it"
	done
	rm "$scratch/layers"

	the_real_image_runs
}

# Alone, with as little as docker-compose.yml gives it.
the_real_image_runs() {
	local process started listening address load tries
	random | in_host sh -c 'umask 022 && cat >/root/real/token'
	local options=(--read-only --cap-drop ALL --security-opt no-new-privileges --pids-limit 128 --memory 128m --memory-swap 128m --cpus 1
		--volume /root/real/token:/run/secrets/token:ro --env AUTH_MODE=bearer --env MCP_DEV_BEARER_TOKEN_FILE=/run/secrets/token
		--env CODA_API_TOKEN_FILE=/run/secrets/token --env ALLOWED_HOSTS=mcp.example.com)
	if in_host docker run --rm "${options[@]}" real:cold healthcheck >"$scratch/said" 2>&1; then return 1; fi
	said "unhealthy"
	in_host docker run --detach --name alone "${options[@]}" real:cold >/dev/null
	for ((tries = 0; tries < 100; tries++)); do
		if in_host docker exec alone /usr/local/bin/my-server healthcheck; then break; fi
		sleep 0.1
	done
	in_host docker exec alone /usr/local/bin/my-server healthcheck
	started=$(in_host docker inspect --format '{{.State.StartedAt}}' alone)
	listening=$(in_host docker logs --timestamps alone 2>&1 | grep -m 1 -F 'listening on http://' | cut -d' ' -f1)
	printf 'it listens %d ms after its start\n' $((($(date -d "$listening" +%s%N) - $(date -d "$started" +%s%N)) / 1000000))
	address=$(in_host docker inspect --format '{{.NetworkSettings.IPAddress}}' alone)
	process=$(in_host docker inspect --format '{{.State.Pid}}' alone)
	printf 'memory at rest: %s\n' "$(in_host grep VmRSS "/proc/$process/status" | tr -s '\t ' ' ')"
	python3 "$here/load.py" "$address" 8080 >"$scratch/load" &
	load=$!
	until grep -q begun "$scratch/load" 2>/dev/null; do sleep 0.1; done
	printf 'memory under load: %s\n' "$(in_host grep VmHWM "/proc/$process/status" | tr -s '\t ' ' ')"
	in_host docker stop alone >/dev/null
	wait "$load" || {
		cat "$scratch/load"
		return 1
	}
	tail -n 1 "$scratch/load"
	same "how it ended" "0 false" "$(in_host docker inspect --format '{{.State.ExitCode}} {{.State.OOMKilled}}' alone)"
	in_host docker rm alone >/dev/null
}

# Over SSH, as `--image` and `--build-here` send it.
the_real_image_is_sent() {
	local before sent
	docker_here
	in_host docker tag real:cold ours:1.0
	before=$(transmitted)
	local start=$SECONDS
	PATH=$scratch/bin:$PATH deploy 0 --image ours:1.0
	sent=$(($(transmitted) - before))
	said "Sending the image"
	printf -- '--image took %d s and sent %d bytes\n' $((SECONDS - start)) "$sent"
	whole
	same "the image" "$(in_host docker image inspect --format '{{.Id}}' ours:1.0)" "$(inspect server '{{.Image}}')"
	edit
	start=$SECONDS
	PATH=$scratch/bin:$PATH deploy 0 --build-here
	printf -- '--build-here took %d s\n' $((SECONDS - start))
	whole
}

# Two containers behind a balancer, and clients that call all the time: ../rotation.py, with the image in place of the program. The token
# moves from the environment into PostgreSQL, and its key is replaced, with each restart that this takes.
the_key_is_replaced_under_load() {
	local helpers stub team tries
	helpers=$(dirname "$server")
	mkdir -p "$scratch/rotation"
	printf '%s' "$(random)" >"$scratch/rotation/owner"
	in_host tee /root/owner <"$scratch/rotation/owner" >/dev/null
	in_host docker run --detach --name rotation --network host --user postgres --tmpfs /run/postgresql:uid=999,gid=999 \
		--env POSTGRES_DB=mcp_auth --env POSTGRES_PASSWORD_FILE=/owner --volume /root/owner:/owner:ro postgres:18 >/dev/null
	for ((tries = 0; tries < 300; tries++)); do
		if in_host docker exec rotation pg_isready --quiet --host 127.0.0.1 --username postgres; then break; fi
		sleep 0.1
	done
	"$helpers/stub_coda" --port 0 >"$scratch/rotation/stub" 2>&1 &
	stub=$!
	"$helpers/access_team" >"$scratch/rotation/team.json" &
	team=$!
	until grep -q 'listening on' "$scratch/rotation/stub" && [ -s "$scratch/rotation/team.json" ]; do sleep 0.1; done
	# Of each variable the name, so that no value is in a command line.
	{
		printf '#!/usr/bin/env bash\nhost=%s\n' "$(first)"
		cat <<-'SERVER'
			options=(--rm --interactive --network host --no-healthcheck --read-only --cap-drop ALL --security-opt no-new-privileges
				--pids-limit 128 --memory 128m --memory-swap 128m)
			for name in $(compgen -e); do
				case $name in PATH | PWD | SHLVL | _) ;; *) options+=(--env "$name") ;; esac
			done
			options+=(--env LOG_FORMAT=text)
			exec nsenter --target "$host" --mount -- docker run "${options[@]}" real:cold "$@"
		SERVER
	} >"$scratch/rotation/server"
	chmod +x "$scratch/rotation/server"
	CODA_API_BASE=$(sed -nE 's/.*listening on (http:[^ ]+).*/\1/p' "$scratch/rotation/stub") POSTGRES_PORT=5432 \
		python3 "$here/../rotation.py" "$scratch/rotation/server" "$scratch/rotation/team.json" "$scratch/rotation/owner" "$scratch/rotation"
	kill "$stub" "$team"
	in_host docker rm --force --volumes rotation >/dev/null
}

# In the file that the container has mounted, as docs/DEPLOY.md has it.
the_bearer_token_is_replaced_under_load() {
	local address tries
	random | in_host sh -c 'umask 022 && cat >/root/bearer'
	in_host docker run --detach --name bearer --read-only --cap-drop ALL --security-opt no-new-privileges --pids-limit 128 --memory 128m \
		--volume /root/bearer:/run/secrets/bearer:ro --env AUTH_MODE=bearer --env MCP_DEV_BEARER_TOKEN_FILE=/run/secrets/bearer \
		--env CODA_API_TOKEN=of-nobody --env ALLOWED_HOSTS=mcp.example.com real:cold >/dev/null
	for ((tries = 0; tries < 100; tries++)); do
		if in_host docker exec bearer /usr/local/bin/my-server healthcheck >/dev/null 2>&1; then break; fi
		sleep 0.1
	done
	address=$(in_host docker inspect --format '{{.NetworkSettings.IPAddress}}' bearer)
	python3 "$here/bearer.py" "$address" 8080 "/proc/$(first)/root/root/bearer"
	in_host docker rm --force bearer >/dev/null
}

# Bytes over the loopback device, which is all that there is.
transmitted() { awk '$1 == "lo:" { print $10 }' /proc/net/dev; }

real_scenarios=(the_real_image the_bearer_token_is_replaced_under_load the_key_is_replaced_under_load first_deployment unchanged every_variant
	the_key_is_replaced the_server_ends_under_load the_real_image_is_sent)
