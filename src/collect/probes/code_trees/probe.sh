# The section `code_trees`. A folder of a file server that is gone would hang: folders are looked through in a shell of its own. A tree
# inside another one is a part of that. Plain names only: they are words of a command.
code_trees_wait=0 code_trees_failed=0 code_trees_left= code_trees_new= code_trees_kept= code_trees_is=
# A text too, for root's shell.
code_trees_search='
# Whether a folder is in a tree.
code_trees_inside() {
    code_trees_in=$1
    while code_trees_in=${code_trees_in%/*} && [ "$code_trees_in" != /srv ]; do
        [ ! -e "$code_trees_in/.git" ] || return 0
    done
    return 1
}
code_trees_find() {
    set +f
    code_trees_length=0
    for code_trees_dir in /srv/*/.git /srv/*/*/.git /srv/*/*/*/.git; do
        [ -e "$code_trees_dir" ] || continue
        code_trees_dir=${code_trees_dir%/.git}
        case $code_trees_dir in *[!A-Za-z0-9._/-]*) continue ;; esac
        ! code_trees_inside "$code_trees_dir" || continue
        code_trees_length=$((code_trees_length + ${#code_trees_dir} + 1))
        if [ "$code_trees_length" -gt 32768 ]; then echo "@cut"; break; fi
        echo "$code_trees_dir"
    done
    # In these nobody sees a tree. With a slash at its end a pattern stands for folders only.
    code_trees_n=0
    for code_trees_dir in /srv/*/ /srv/*/*/ /srv/*/*/*/; do
        code_trees_dir=${code_trees_dir%/}
        [ -d "$code_trees_dir" ] || continue
        if [ -r "$code_trees_dir" ] && [ -x "$code_trees_dir" ]; then continue; fi
        # What can be entered and not listed shows whether it is a tree itself.
        if [ -x "$code_trees_dir" ] && [ -e "$code_trees_dir/.git" ]; then continue; fi
        ! code_trees_inside "$code_trees_dir" || continue
        # What fsck makes is always closed.
        case $code_trees_dir in */lost+found) continue ;; *[!A-Za-z0-9._/-]*) code_trees_dir="?" ;; esac
        echo "@closed $code_trees_dir"
        code_trees_n=$((code_trees_n + 1))
        [ "$code_trees_n" -lt 20 ] || break
    done
    return 0
}'
eval "$code_trees_search"
code_trees_list() {
    code_trees_seen=$(code_trees_find)
    case $code_trees_seen in
        *@closed*)
            if [ -n "$SUDO" ] && [ "$LIMIT" != jd_bounded ] &&
                code_trees_all=$($SUDO $LIMIT 1 sh -c "$code_trees_search${NL}code_trees_find" 2> /dev/null); then
                code_trees_seen=$code_trees_all
            fi ;;
    esac
    [ -z "$code_trees_seen" ] || echo "$code_trees_seen"
}
# Before 2.15 git knows no GIT_OPTIONAL_LOCKS.
code_trees_learn() {
    jd_ask 2 4096 git --version || return
    case $jd_got in
        'git version '2.1[5-9]*|'git version '2.[2-9][0-9]*|'git version '2.1[0-9][0-9]*) code_trees_is=new ;;
        'git version '[3-9].*|'git version '[1-9][0-9].*) code_trees_is=new ;;
        *) code_trees_is=old ;;
    esac
}
# The code is a text, so that the owner's shell can have it too. TREE, and whether git is new. A configuration that is included,
# or of one working tree, may name programs as well; a git that knows no --local (129) cannot tell.
code_trees_code='
code_trees_git() {
    # Git says of one that it may not look into that there is none.
    if [ -d "$1/.git" ] && [ ! -x "$1/.git" ]; then echo "$1/.git: permission denied"; return 128; fi
    if [ "$2" != new ] && { [ -w "$1/.git" ] || [ ! -d "$1/.git" ]; }; then echo "@old"; return 127; fi
    git -C "$1" config --local --get-regexp "^filter[.].*[.]clean\$|^filter[.].*[.]process\$|^include|^extensions[.]worktreeconfig\$" > /dev/null 2>&1
    case $? in 0|129) echo "@programs"; return 126 ;; esac
    GIT_OPTIONAL_LOCKS=0 GIT_NO_LAZY_FETCH=1 GIT_ALLOW_PROTOCOL=none GIT_TERMINAL_PROMPT=0 git -c core.fsmonitor=false -c core.hooksPath=/dev/null -C "$1" status --porcelain --branch --ignore-submodules=dirty 2>&1
}'
eval "$code_trees_code"
code_trees_owner() {
    code_trees_user=$(stat -c %U "$1/.git" || $SUDO $LIMIT 1 stat -c %U "$1/.git") || return
    $SUDO -u "$code_trees_user" $LIMIT 3 sh -c "$code_trees_code$NL"'code_trees_git "$1" "$2"' sh "$1" "$2"
}
# TREE: adds what git says of it.
code_trees_ask() {
    case $1 in '@'*) code_trees_new="$code_trees_new$1$NL"; return ;; esac
    jd_ask 3 4096 code_trees_git "$1" "${code_trees_is:-old}"
    code_trees_status=$?
    case $code_trees_status$jd_got in
        0*|124*) ;;
        *ubious*|*'is owned by someone else'*|*ermission*)
            if [ -n "$SUDO" ] && [ "$LIMIT" != jd_bounded ]; then
                jd_ask 4 4096 code_trees_owner "$1" "${code_trees_is:-old}"
                code_trees_status=$?
            fi ;;
    esac
    code_trees_n=0 code_trees_first= code_trees_branch= code_trees_warned= code_trees_path=$1
    IFS=$NL
    set -- $jd_got
    IFS=$jd_ifs
    for code_trees_row in "$@"; do
        case $code_trees_row in
            '## '*) code_trees_branch=$code_trees_row ;;
            ??' '*) code_trees_n=$((code_trees_n + 1)) ;;
            warning:*|hint:*|error:*) [ -n "$code_trees_warned" ] || code_trees_warned=$code_trees_row ;;
            *) [ -n "$code_trees_first" ] || code_trees_first=$code_trees_row ;;
        esac
    done
    code_trees_new="$code_trees_new@tree $code_trees_status $code_trees_n ${jd_cut:-no} $code_trees_path$NL$code_trees_branch$NL"
    code_trees_new="$code_trees_new${code_trees_first:-$code_trees_warned}$NL"
    if [ "$code_trees_status" = 0 ] && [ -n "$code_trees_warned" ]; then
        code_trees_new="$code_trees_new@warned $code_trees_path: $code_trees_warned$NL"
    fi
}
probe_code_trees() {
    if [ "$code_trees_wait" -gt 0 ]; then
        code_trees_wait=$((code_trees_wait - 1))
        jd_out=$code_trees_kept
        return "$code_trees_failed"
    fi
    if [ -z "$code_trees_left" ]; then
        apart code_trees 2 code_trees_list
        code_trees_status=$?
        # A folder that hangs is left alone for a while.
        if [ "$code_trees_status" != 0 ]; then
            code_trees_wait=11 code_trees_failed=$code_trees_status code_trees_kept=$jd_out
            return "$code_trees_failed"
        fi
        [ "$code_trees_failed" = 0 ] || code_trees_kept= code_trees_failed=0
        jd_out= code_trees_left=$jd_got code_trees_new= code_trees_took=0
        # Where there is no git either, a closed folder is none of a tree.
        case $NL$code_trees_left in *"$NL/"*) ;; *) command -v git > /dev/null || code_trees_left= ;; esac
        if [ -n "$code_trees_left" ]; then
            if lacks git; then code_trees_left=; return 127; fi
            [ -n "$code_trees_is" ] || code_trees_learn
        fi
    fi
    jd_clock
    code_trees_begun=$jd_up
    while [ -n "$code_trees_left" ]; do
        code_trees_ask "${code_trees_left%%"$NL"*}"
        case $code_trees_left in *"$NL"?*) code_trees_left=${code_trees_left#*"$NL"} ;; *) code_trees_left= ;; esac
        jd_clock
        [ "$((jd_up - code_trees_begun))" -lt 100 ] || break
    done
    code_trees_took=$((code_trees_took + jd_up - code_trees_begun))
    if [ -z "$code_trees_left" ]; then
        code_trees_wait=59
        [ "$code_trees_took" -gt 30 ] || code_trees_wait=11
        code_trees_kept="@all$NL$code_trees_new"
        jd_out=$code_trees_kept
    else
        jd_out=${code_trees_kept:-"@some$NL$code_trees_new"}
    fi
}
