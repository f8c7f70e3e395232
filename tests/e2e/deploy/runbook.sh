# shellcheck shell=bash
# Sourced by `scenarios`: what is typed from the documents of the project, on the host, in the project and elsewhere.
# shellcheck disable=SC2154,SC2329 # of that script
unset CDPATH

# What the documents call `ssh root@HOST`, `cloudflared` and `curlimages/curl`.
on_call() {
	local folder=$scratch/image file base
	[ ! -f "$scratch/ssh_config" ] || return 0
	mkdir -p "$scratch/bin" "$scratch/elsewhere"
	# The name that the pages use stands for the host, with the key that is known.
	printf 'Host HOST\n\tHostName 127.0.0.1\n\tHostKeyAlias 127.0.0.1\n\tIdentityFile %s\n\tUserKnownHostsFile "%s"\n\tBatchMode yes\n' \
		"$DROPLET_KEY" "${DROPLET_KNOWN_HOSTS//%/%%}" >"$scratch/ssh_config"
	printf '#!/bin/sh\nexec /usr/bin/ssh -F %s "$@"\n' "$scratch/ssh_config" >"$scratch/bin/ssh"
	cp "$here/stand-ins/cloudflared-access" "$scratch/bin/cloudflared"
	chmod +x "$scratch/bin"/*
	(cd "$scratch" && python3 -c 'import pathlib, sys; sys.path.insert(0, sys.argv[1]); import edge; edge.authority(pathlib.Path("."))' "$here")
	printf 'cacert = "%s"\nconnect-to = "mcp.example.com:443:127.0.0.1:443"\n' "$scratch/ca.pem" >"$scratch/.curlrc"

	mkdir -p "$folder/usr/bin" "$folder/etc/ssl/certs"
	cp "$(command -v curl)" "$folder/usr/bin/"
	libraries "$folder" "$(command -v curl)"
	# For names.
	for file in /lib/x86_64-linux-gnu/libnss_{dns,files}.so.2 /lib/x86_64-linux-gnu/libresolv.so.2; do
		[ ! -f "$file" ] || install -D "$file" "$folder$file"
	done
	import "$folder" curlimages/curl 'ENV PATH=/usr/bin' 'ENTRYPOINT ["curl"]'

	# Servers trust the authority of the test.
	cat /etc/ssl/certs/ca-certificates.crt "$scratch/ca.pem" >"$scratch/authorities"
	in_host mkdir -p /root/trust
	in_host tee /root/trust/authorities <"$scratch/authorities" >/dev/null
	base=$(sed -n 's/^FROM \(gcr\.io[^ ]*\).*/\1/p' "$project/Dockerfile")
	printf 'FROM %s\nCOPY authorities /etc/ssl/certs/ca-certificates.crt\n' "$base" | in_host tee /root/trust/Dockerfile >/dev/null
	in_host docker build --quiet --tag "$base" /root/trust >/dev/null
}

the_runbook_works() {
	local status=0
	cp "$project/docker-compose.yml" "$scratch/compose-of-before"
	on_call
	edit
	typed runbook.py "$project" "$here/../../../src/docs/deployed.txt" || status=1
	cp "$scratch/compose-of-before" "$project/docker-compose.yml"
	settings https://team.cloudflareaccess.com
	deploy 0
	whole
	return "$status"
}

# typed SCRIPT PROJECT LAST: one of the scripts beside this file.
typed() {
	PYTHONDONTWRITEBYTECODE=1 python3 "$here/$1" "$2" "$scratch" "$server-with-emulator" "$3" nsenter --target "$(first)" --mount --pid -- docker
}

# For a person: the deployment stays, and sections of the runbook are run against it one by one, until this is killed.
it_stays() {
	on_call
	{
		echo 'set -euo pipefail'
		declare -px DROPLET_HOST DROPLET_KEY DROPLET_KNOWN_HOSTS HEALTH_TIMEOUT
		declare -p here scratch server project
		declare -f first typed
		# shellcheck disable=SC2016 # for the shell that runs it
		echo 'typed runbook.py "$project" "$here/../../../src/docs/deployed.txt"'
	} >"$scratch/sections"
	echo "stays   RUNBOOK_SECTIONS=roll-back nsenter --target $$ --net bash $scratch/sections" >&4
	sleep infinity
}

# In the place of what runs: a project with the other token store, under the same name.
the_migration_goes_and_comes_back() {
	local mcp_kit=${MCP_KIT:-${CARGO_TARGET_DIR:?}/debug/mcp-kit} other=$scratch/migration/my-server
	on_call
	in_host sh -c "cd $remote/current && docker compose down --volumes --timeout 5" >/dev/null 2>&1
	in_host rm -rf "$remote"
	mkdir "$scratch/migration"
	"$mcp_kit" new my-server --path "$other" --auth-mode cloudflare --token-store env --no-git --quiet
	prepare "$other"
	mkdir -m 700 "$other/secrets"
	random >"$other/secrets/coda_api_token"
	cp "$project/secrets/tunnel_token" "$other/secrets/"
	chmod 444 "$other/secrets"/*
	typed migration.py "$other" "$mcp_kit"
}
