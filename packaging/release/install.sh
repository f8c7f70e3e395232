#!/bin/sh
# Installs a release of mcp-kit for this machine, after its checksum has been compared.
# usage: install.sh --version VERSION [--to DIR]
# MCP_KIT_RELEASES is the address of the folder with the release's files; the release workflow writes it below.
set -eu
releases=${MCP_KIT_RELEASES:-}
version='' to=$HOME/.local/bin
die() {
	printf 'install.sh: %s\n' "$1" >&2
	exit 1
}
while [ $# -gt 0 ]; do
	case $1 in
	--version) version=${2:-} && shift 2 ;;
	--to) to=${2:-} && shift 2 ;;
	--help)
		sed -n '2,4s/^# //p' "$0"
		exit 0
		;;
	*) die "there is no $1; --help says what there is" ;;
	esac
done
[ -n "$version" ] || die 'say which version: --version 0.1.0'
[ -n "$to" ] || die 'say where to: --to DIR'
[ -n "$releases" ] || die 'set MCP_KIT_RELEASES to the address of the releases'
case $releases in
https://* | file://*) ;;
*) die 'MCP_KIT_RELEASES must be an https address' ;;
esac
target=${MCP_KIT_TARGET:-}
if [ -z "$target" ]; then
	case $(uname -s)-$(uname -m) in
	Linux-x86_64) target=x86_64-unknown-linux-gnu ;;
	Linux-aarch64) target=aarch64-unknown-linux-gnu ;;
	Darwin-arm64) target=aarch64-apple-darwin ;;
	Darwin-x86_64) target=x86_64-apple-darwin ;;
	*) die "there is no release for $(uname -s) on $(uname -m): build it with cargo" ;;
	esac
fi
name=mcp-kit-$version-$target
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
get() {
	case $releases in
	file://*) cp "${releases#file://}/$1" "$work/$1" ;;
	*) curl --proto '=https' --tlsv1.2 --fail --silent --show-error --location --output "$work/$1" "$releases/$1" ;;
	esac || die "cannot get $1 from $releases"
}
get SHA256SUMS
get "$name.tar.gz"
grep "  $name.tar.gz\$" "$work/SHA256SUMS" >"$work/sum" || die "SHA256SUMS has no $name.tar.gz"
if command -v sha256sum >/dev/null; then
	(cd "$work" && sha256sum --check --status sum) || die "the checksum of $name.tar.gz is wrong: nothing was installed"
else
	(cd "$work" && shasum -a 256 --check --status sum) || die "the checksum of $name.tar.gz is wrong: nothing was installed"
fi
tar -xzf "$work/$name.tar.gz" -C "$work"
mkdir -p "$to"
cp "$work/$name/mcp-kit" "$to/.mcp-kit.new"
chmod 755 "$to/.mcp-kit.new"
mv "$to/.mcp-kit.new" "$to/mcp-kit"
printf 'installed %s in %s\n' "$("$to/mcp-kit" --version)" "$to"
