# Questions about leases: nothing is made or locked. Sent to /bin/sh after lines that set PLACES and RUN.

exec 2>/dev/null
set -C
umask 022
PATH="$PATH:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
LC_ALL=C
export PATH LC_ALL

plain() { [ -f "$1" ] && [ ! -L "$1" ]; }

look() {
  for D in $PLACES; do
    for file in "$D"/*.holder; do
      plain "$file" || continue
      printf 'holder %s %s\n' "$(date +%s)" "$(head -c 8000 "$file" | head -n 1)"
    done
  done
}

# What came to a run's entries after so many bytes, at most half a megabyte.
tell() {
  for D in $PLACES; do
    plain "$D/$RUN.jsonl" || continue
    if plain "$D/$RUN.holder"; then
      printf 'holder %s %s\n' "$(date +%s)" "$(head -c 8000 "$D/$RUN.holder" | head -n 1)"
    fi
    printf 'size %s\n' "$(wc -c < "$D/$RUN.jsonl" | tr -cd 0-9)"
    tail -c "+$(($1 + 1))" "$D/$RUN.jsonl" | head -c 500000
    return
  done
  printf 'none\n'
}

# Says yes to a question of a run: a file of this account's. $1: the question's nonce, $2: JSON.
approve() {
  me=$(id -un | tr -cd 'A-Za-z0-9_.@-')
  for D in $PLACES; do
    plain "$D/$RUN.holder" || continue
    set -- "$1" "$2" $(ls -ld "$D/$RUN.holder")
    [ "$5" != "$me" ] || { printf 'same\n'; return; }
    new=$D/new.$RUN.$$
    rm -f "$new"
    printf '%s\n' "$2" > "$new" && mv -f "$new" "$D/$RUN.approve.$1.$me.$(date +%s).$$" && printf 'done\n'
    return
  done
  printf 'none\n'
}
