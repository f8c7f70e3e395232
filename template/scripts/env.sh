# shellcheck shell=bash
# Reads .env, for the scripts beside this file, which say what goes wrong by their own `die`.

# The file is data, not a script: only variables that .env.example names are exported, so that none can change what the
# scripts run (LD_PRELOAD, PATH, RUSTC_WRAPPER). Lines are read as docker compose reads them, and never printed: any may
# be a part of a secret. Variables that are set already win.
load_env() {
	local line name value file quote known number=0 begin
	known=$(sed -nE 's/^#? ?([A-Z][A-Z0-9_]*)=.*/\1/p' .env.example)
	while IFS= read -r line || [[ -n $line ]]; do
		number=$((number + 1))
		[[ $number -gt 1 ]] || line=${line#$'\xef\xbb\xbf'}
		line=${line%$'\r'}
		[[ $line =~ ^[[:space:]]*(#|$) ]] && continue
		[[ $line =~ ^[[:space:]]*(export[[:space:]]+)?([A-Za-z_][A-Za-z0-9_]*)[[:space:]]*=[[:space:]]*(.*)$ ]] ||
			die "line $number of .env is not NAME=value; a value of several lines needs quotes around it"
		name=${BASH_REMATCH[2]} value=${BASH_REMATCH[3]} quote=${BASH_REMATCH[3]:0:1}
		case $quote in
		\" | \')
			# Up to the closing quote, on this line or a later one.
			begin=$number
			value=${value:1}
			until [[ $value == *"$quote"* ]]; do
				IFS= read -r line || [[ -n $line ]] || die "the quote that opens on line $begin of .env is not closed"
				number=$((number + 1))
				value+=$'\n'${line%$'\r'}
			done
			[[ ${value#*"$quote"} =~ ^[[:space:]]*($|[[:space:]]#) ]] ||
				die "line $number of .env goes on after the closing quote"
			value=${value%%"$quote"*}
			;;
		*)
			# A comment begins after white space.
			[[ $value != \#* ]] || value=
			value=${value%%[[:space:]]\#*}
			value=${value%"${value##*[![:space:]]}"}
			;;
		esac
		# Compose reads more of the file than this project's programs do.
		[[ $'\n'$known$'\n' == *$'\n'"${name%_FILE}"$'\n'* || $'\n'$known$'\n' == *$'\n'"$name"$'\n'* ]] || continue
		# Compose puts variables in the place of $, and reads escapes between double quotes: two servers would have two values.
		[[ $quote == \' || ($value != *\$* && ($quote != \" || $value != *\\*)) ]] ||
			die "line $number of .env has a value that compose changes, as it has a \$ or a \\; put it in single quotes"
		# A secret that the shell gives as a file stays one.
		file=${name}_FILE
		if [[ -n $value && -z ${!name:-} && -z ${!file:-} ]]; then
			export "$name=$value"
		fi
	done <.env
}
