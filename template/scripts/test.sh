#!/usr/bin/env bash
# Everything that CI runs, in the same order. --help says more.
set -euo pipefail
# With CDPATH set, cd may go to a folder of the same name elsewhere, and prints where it went.
unset CDPATH
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
	cat <<-'HELP'
		usage: scripts/test.sh [STEP]...

		Runs what CI runs and stops at the first failure. Without a STEP, all of them in this order:

		  fmt      formatting
		  clippy   lints, warnings are errors
		  test     all tests, examples in the documentation included
		  doc      documentation, warnings are errors
		  deny     advisories, licences, bans and sources of dependencies (skipped where cargo-deny is not installed)

		DENY_CHECKS="licenses bans sources" leaves out the advisories, which need the network.

		Example: scripts/test.sh fmt clippy
	HELP
}

die() {
	printf 'test.sh: %s\n' "$*" >&2
	exit 2
}

step() {
	printf '\n==> %s\n' "$*" >&2
	"$@"
}

run() {
	case $1 in
	fmt) step cargo fmt --check ;;
	clippy) step cargo clippy --locked --all-targets -- -D warnings ;;
	test) step cargo test --locked ;;
	doc) RUSTDOCFLAGS="${RUSTDOCFLAGS:-} -D warnings" step cargo doc --locked --no-deps ;;
	deny)
		if ! cargo deny --version >/dev/null 2>&1; then
			# In CI a check that did not run is a failure.
			[[ -z ${CI:-} ]] || die "cargo-deny is not installed: cargo install --locked cargo-deny"
			printf '\n==> deny: skipped, cargo-deny is not installed (cargo install --locked cargo-deny)\n' >&2
			return
		fi
		# Word splitting is meant: a list of checks.
		# shellcheck disable=SC2086
		step cargo deny --locked check ${DENY_CHECKS:-}
		;;
	*) die "unknown step '$1'; the steps are fmt, clippy, test, doc, deny" ;;
	esac
}

for argument; do
	case $argument in
	-h | --help)
		usage
		exit 0
		;;
	esac
done

command -v cargo >/dev/null || die "cargo is not installed: https://rustup.rs"
[[ $# -gt 0 ]] || set -- fmt clippy test doc deny
for name; do
	run "$name"
done
printf '\n==> passed: %s\n' "$*" >&2
