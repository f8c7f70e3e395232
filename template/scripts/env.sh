# shellcheck shell=bash
# Reads .env, for the scripts beside this file, which say what goes wrong by their own `die`.

# Only NAME=value lines count: the file is data, not a script.
load_env() {
	local line name value file
	while IFS= read -r line || [[ -n $line ]]; do
		line=${line%$'\r'}
		[[ $line =~ ^[[:space:]]*(#|$) ]] && continue
		[[ $line =~ ^([A-Za-z_][A-Za-z0-9_]*)=(.*)$ ]] || die ".env holds a line that is not NAME=value: ${line%%=*}"
		name=${BASH_REMATCH[1]} value=${BASH_REMATCH[2]}
		case $value in
		\"*\" | \'*\') value=${value:1:${#value}-2} ;;
		esac
		# A secret that the shell gives as a file stays one.
		file=${name}_FILE
		if [[ -n $value && -z ${!name:-} && -z ${!file:-} ]]; then
			export "$name=$value"
		fi
	done <.env
}
