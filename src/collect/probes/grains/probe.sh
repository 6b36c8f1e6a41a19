# Files of at most 128 KiB each; what is readable only with sudo is read with it. salt-call costs seconds of CPU: asked
# once, then every twentieth time this section is asked for.
grains_cat() {
    if [ -r "$1" ]; then cat "$1"
    elif [ -n "$SUDO" ]; then $SUDO cat "$1"
    else return 126
    fi
}
grains_file() {
    grains_text=$({ grains_cat "$2"; echo "$NL@status $?"; } | jd_head 131072)
    case $grains_text in
        *"$NL@status 0") grains_text=${grains_text%"$NL@status 0"}
            printf '%s\n' "@conf $1 $2" "$grains_text" ;;
        *"$NL@status "*)
            grains_text= grains_path=$2
            grains_why=$(jd_messages grains_cat "$2" | jd_head 1024)
            IFS=$NL; set -- 'Permission denied' $grains_why; IFS=$jd_ifs
            for grains_last in "$@"; do
                case $grains_last in *'unable to resolve host'*) ;; *) grains_why=$grains_last ;; esac
            done
            printf '%s\n' "@denied $grains_path $grains_why" ;;
        *) printf '%s\n' "@cut $2" ;;
    esac
}
grains_named() {
    # The files that `include` or `default_include` of the minion's file names: a pattern, or a list of them.
    grains_key= grains_default= grains_include=
    case $NL$grains_text in *"$NL"include:*|*"$NL"default_include:*) ;; *) return ;; esac
    IFS=$NL; set -- $grains_text; IFS=$jd_ifs
    for grains_line in "$@"; do
        case $grains_line in
            include:*|default_include:*) grains_key=${grains_line%%:*} grains_line=${grains_line#*:} ;;
            -*|' '*-*) [ -n "$grains_key" ] || continue; grains_line=${grains_line#*-} ;;
            '#'*) continue ;;
            *) grains_key=; continue ;;
        esac
        IFS=" ,[]'\"$jd_ifs"
        for grains_word in $grains_line; do
            case $grains_word in '') continue ;; '#'*) break ;; esac
            if [ "$grains_key" = include ]; then grains_include="$grains_include$grains_word$NL"
            else grains_default="$grains_default$grains_word$NL"
            fi
        done
        IFS=$jd_ifs
    done
}
grains_match() {
    grains_place=$1
    IFS=$NL; set -- $2; IFS=$jd_ifs
    for grains_pattern in "$@"; do
        case $grains_pattern in /*) ;; *) grains_pattern=$grains_dir/$grains_pattern ;; esac
        set +f
        for grains_found in $grains_pattern; do
            set -f
            [ ! -e "$grains_found" ] || grains_file "$grains_place" "$grains_found"
        done
        set -f
    done
}
grains_files() {
    grains_text= grains_default= grains_include=
    [ ! -e "$grains_dir/minion" ] || { grains_file main "$grains_dir/minion"; grains_named; }
    grains_match default "${grains_default:-minion.d/*.conf}"
    grains_match included "$grains_include"
    [ ! -e "$grains_dir/grains" ] || grains_file grains "$grains_dir/grains"
}
grains_call() {
    {
        grains_said=$({ $SUDO $LIMIT 4 "$grains_salt" --local --retcode-passthrough --out=json grains.item level roles 2>&1 >&3 3>&-
            echo "$NL@status $?" >&3; } | jd_head 8192)
        IFS=$NL; set -- $grains_said; IFS=$jd_ifs
        for grains_line in "$@"; do printf '%s\n' "!$grains_line"; done
    } 3>&1
}
grains_modules() {
    # Whether a grains module of the fleet's own speaks of what we want to know.
    [ -d "$grains_cache/extmods/grains" ] || return 1
    set +f
    set -- "$grains_cache"/extmods/grains/*.py
    set -f
    [ -e "$1" ] || return 1
    command -v grep > /dev/null || return 0
    grep -q -e level -e roles "$@"
}
probe_grains() {
    grains_dir=
    # The last is the bundle of SUSE's manager.
    for grains_try in /etc/salt /usr/local/etc/salt /etc/venv-salt-minion; do
        [ ! -e "$grains_try/grains" ] && [ ! -e "$grains_try/minion" ] && [ ! -d "$grains_try/minion.d" ] || {
            grains_dir=$grains_try
            break
        }
    done
    grains_salt= grains_cache=
    if command -v salt-call > /dev/null; then grains_salt=salt-call grains_cache=/var/cache/salt/minion
    elif command -v venv-salt-call > /dev/null; then grains_salt=venv-salt-call grains_cache=/var/cache/venv-salt-minion
    fi
    [ -n "$grains_dir$grains_salt" ] || { say @none; return 0; }
    if [ -n "$grains_dir" ] && { [ -z "$grains_salt" ] || ! grains_modules; }; then
        jd_ask 3 262144 grains_files
        grains_status=$?
        [ "$grains_status" = 0 ] || return "$grains_status"
        # Where no file has any, Salt is asked.
        case $NL$jd_got in
            *"$NL"grains:*|*"$NL@conf grains "*|*"$NL@denied "*|*"$NL@cut "*) grains_salt= ;;
        esac
        if [ -z "$grains_salt" ]; then
            say "@files$NL$jd_got"
            return 0
        fi
    fi
    if [ "${grains_turn:-0}" -gt 0 ]; then
        grains_turn=$((grains_turn - 1)) jd_out=$grains_answer
        return "$grains_answered"
    fi
    jd_ask 4 65536 grains_call
    grains_answered=$?
    [ "$grains_answered" = 127 ] || say "@salt-call$NL$jd_got"
    grains_answer=$jd_out grains_turn=20
    # Cut short because another section hung: asked again with the next report.
    [ "$jd_seconds" -ge 4 ] || [ "$grains_answered" != 124 ] || grains_turn=0
    return "$grains_answered"
}
