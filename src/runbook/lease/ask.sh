# Questions about leases, after place.sh: nothing is locked, and nothing made but an approval.

look() {
  place
  for folder in "$J"/*/; do show "${folder%/}"; done
}

# R: of the folders of a run the one with the most entries. Whoever took it over copied the entries before it.
current() {
  most=-1 R=$J/$RUN
  for folder in "$J/$RUN" "$J/$RUN".*; do
    size=$(enter "$folder" && of_run "$folder" && plain entries && wc -c < entries | tr -cd 0-9)
    [ "${size:--1}" -gt "$most" ] || continue
    most=$size R=$folder
  done
}

# Runs that may have left changes in effect, and are not over: each folder with the size of its entries.
left() {
  place
  for left in "$J"/*/; do
    left=${left%/}
    RUN=$(enter "$left" && plain open && plain entries && printf '%s' "${left##*/}") || continue
    case $RUN in ''|*[!A-Za-z0-9._-]*) continue ;; esac
    facts "$left"
    RUN=${RUN%.$owner}
    ended && continue
    current
    [ "$R" = "$left" ] || continue
    printf 'left %s\t%s\t%s\t%s\n' "$owner" "$(named "$left")" "$most" "$RUN"
    show "$left"
  done
  printf 'all\n'
}

# The entries of a run from byte $1 on, at most $2 bytes of them.
tell() {
  place
  current
  if ended; then printf 'over\n'; fi
  enter "$R" && plain entries || { printf 'none\n'; return; }
  show "$R"
  printf 'size %s\n' "$(wc -c < entries | tr -cd 0-9)"
  tail -c "+$(($1 + 1))" entries | head -c "$2"
}

# Says yes to a question of a run: a file of this account's. $1: the question's nonce, $2: JSON.
approve() {
  place
  [ "$kind" = group ] || { printf 'alone\n'; return; }
  current
  enter "$R" && plain holder || { printf 'none\n'; return; }
  [ "$owner" != "$me" ] || { printf 'same\n'; return; }
  cd -P yes && [ "$(pwd -P)" = "$up/${R##*/}/yes" ] || return
  new=new.$me.$$
  rm -f "$new"
  printf '%s\n' "$2" > "$new" && mv -f "$new" "$1.$me.$$" && printf 'done\n'
}
