# Questions about leases, after place.sh: nothing is locked, and nothing made but an approval.

look() {
  place
  for folder in "$D"/*/; do show "${folder%/}"; done
}

# What came to a run's entries after so many bytes, at most half a megabyte.
tell() {
  place
  R=$D/$RUN
  enter "$R" && plain entries || { printf 'none\n'; return; }
  show "$R"
  printf 'size %s\n' "$(wc -c < entries | tr -cd 0-9)"
  tail -c "+$(($1 + 1))" entries | head -c 500000
}

# Says yes to a question of a run: a file of this account's. $1: the question's nonce, $2: JSON.
approve() {
  place
  [ "$kind" = group ] || { printf 'alone\n'; return; }
  R=$D/$RUN
  enter "$R" && plain holder || { printf 'none\n'; return; }
  [ "$owner" != "$me" ] || { printf 'same\n'; return; }
  cd -P yes && [ "$(pwd -P)" = "$up/$RUN/yes" ] || return
  new=new.$me.$$
  rm -f "$new"
  printf '%s\n' "$2" > "$new" && mv -f "$new" "$1.$me.$$" && printf 'done\n'
}
