# Questions about leases, after place.sh: nothing is locked, and nothing made but an approval.

look() {
  place
  for file in "$D"/*/holder; do show "$file"; done
}

# What came to a run's entries after so many bytes, at most half a megabyte.
tell() {
  place
  R=$D/$RUN
  owned "$R" && plain "$R/entries" || { printf 'none\n'; return; }
  show "$R/holder"
  printf 'size %s\n' "$(wc -c < "$R/entries" | tr -cd 0-9)"
  tail -c "+$(($1 + 1))" "$R/entries" | head -c 500000
}

# Says yes to a question of a run: a file of this account's. $1: the question's nonce, $2: JSON.
approve() {
  place
  [ "$kind" = group ] || { printf 'alone\n'; return; }
  R=$D/$RUN
  owned "$R" && plain "$R/holder" || { printf 'none\n'; return; }
  [ "$owner" != "$me" ] || { printf 'same\n'; return; }
  [ -d "$R/yes" ] && [ ! -L "$R/yes" ] || return
  new=$R/yes/new.$me.$$
  rm -f "$new"
  printf '%s\n' "$2" > "$new" && mv -f "$new" "$R/yes/$1.$me.$$" && printf 'done\n'
}
