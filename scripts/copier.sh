# shellcheck shell=bash
# For `.`: leaves in $copier the path of copier, which is installed into the cache, or nothing where it cannot be.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/mcp-kit/compare-new
copier=$cache/venv/bin/copier
if [ ! -x "$copier" ]; then
	mkdir -p "$cache"
	if ! { python3 -m venv "$cache/venv" && "$cache/venv/bin/pip" install --quiet copier; } >"$cache/log" 2>&1; then
		echo "note: copier could not be installed (see $cache/log); comparing without it"
		rm -rf "$cache/venv"
		copier=
	fi
fi
