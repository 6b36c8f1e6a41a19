# The section `mariadb`. See mariadb.rs for why it asks what it asks.
mariadb_have() {
    for mariadb_found in "$@"; do
        command -v "$mariadb_found" >/dev/null && return
    done
    mariadb_found=
    return 1
}
# The options undo what option files say of the output; they keep account, socket and TLS. Those that older clients do
# not know are loose. The client has its own limit, inside sudo where sudo allows that: nobody may end root's processes.
mariadb_call() {
    set -- "$mariadb_client" --batch --unbuffered --force --connect-timeout=2 --column-names --line-numbers --database= \
        '--delimiter=;' --max-allowed-packet=16777216 --default-character-set=utf8 --skip-table --skip-html --skip-xml --skip-vertical \
        --skip-raw --skip-reconnect --skip-named-commands --skip-safe-updates --skip-quick --loose-skip-auto-vertical-output \
        --loose-skip-show-warnings --loose-skip-column-type-info --loose-skip-binary-mode --loose-skip-binary-as-hex \
        --loose-skip-print-query-on-error --loose-skip-debug-info --loose-skip-debug-check
    # A second less than the question has: what came before a statement that hangs is passed on when the client ends.
    mariadb_seconds=3
    [ "$jd_seconds" -gt 3 ] || mariadb_seconds=$((jd_seconds - 1))
    [ "$mariadb_seconds" -ge 1 ] || mariadb_seconds=1
    case $mariadb_outer$LIMIT in
        yes*|jd_*) $LIMIT "$mariadb_seconds" $SUDO "$@" ;;
        *) $SUDO $LIMIT "$mariadb_seconds" "$@" ;;
    esac
}
# Our own limits, told as ours: a value, and all of it.
mariadb_bound() {
    if [ -n "$mariadb_awk" ]; then
        "$mariadb_awk" -F '\t' -v 'OFS=\t' '{
            if (length($0) > 24576) for (i = 1; i <= NF; i++) if (length($i) > 24576) $i = "\\jd-cut " length($i)
            all += length($0) + 1
            if (all > 122880) { print "@cut"; exit }
            print
        }'
    else
        head -c 122880
    fi
}
# Statements in, answers out; after them, behind a line of its own, what came on standard error.
mariadb_run() {
    {
        mariadb_said=$(
            {
                { mariadb_call 2>&3 3>&- 4>&-; echo "@status $?" >&3; } | mariadb_bound >&4 3>&- 4>&-
            } 3>&1
        )
    } 4>&1
    mariadb_ended=${mariadb_said##*@status }
    case $mariadb_ended in ''|*[!0-9]*) mariadb_ended=1 ;; esac
    mariadb_said=${mariadb_said%@status *}
    printf '\n@stderr\n%.8000s' "$mariadb_said"
    return "$mariadb_ended"
}
# A statement, behind a row that names it and the line it is on.
mariadb_part() {
    mariadb_line=$((mariadb_line + 2))
    jd_in="${jd_in}SELECT '$1' AS jd_part, $mariadb_line AS jd_line;$NL$2;$NL"
}
# One that takes a lock in the server: not again while an earlier one of its kind still waits for it.
mariadb_may_hang() {
    case $mariadb_hangs in
        *"$2"*) mariadb_part "$1" 'SELECT 1 AS jd_hangs' ;;
        *) mariadb_part "$1" "$2" ;;
    esac
}
mariadb_statements() {
    mariadb_replica='SHOW SLAVE STATUS' mariadb_hosts='SHOW SLAVE HOSTS' mariadb_binlog= mariadb_gtid=
    mariadb_group= mariadb_limits=', SESSION lock_wait_timeout=1'
    # Both times are of the session's zone, or the one of the table of the system's; so they are made the same.
    mariadb_open="SELECT trx_mysql_thread_id AS connection, UNIX_TIMESTAMP() - UNIX_TIMESTAMP(trx_started) AS age FROM information_schema.innodb_trx ORDER BY trx_started LIMIT 1"
    case $mariadb_version in
        [1-9].*[Mm]aria[Dd][Bb]*) ;;
        10.0.*[Mm]aria[Dd][Bb]*) mariadb_replica='SHOW ALL SLAVES STATUS' mariadb_gtid=gtid_current_pos ;;
        *[Mm]aria[Dd][Bb]*) mariadb_replica='SHOW ALL SLAVES STATUS' mariadb_gtid=gtid_current_pos
            mariadb_limits="$mariadb_limits, SESSION max_statement_time=1" ;;
        [1-4].*|5.[0-4].*) mariadb_binlog='SHOW MASTER STATUS' mariadb_limits= mariadb_open= ;;
        5.5.*) mariadb_binlog='SHOW MASTER STATUS' ;;
        5.6.*) mariadb_binlog='SHOW MASTER STATUS' mariadb_gtid=gtid_executed ;;
        *) mariadb_binlog='SHOW MASTER STATUS' mariadb_gtid=gtid_executed
            mariadb_group='SELECT * FROM performance_schema.replication_group_members'
            mariadb_limits="$mariadb_limits, SESSION max_execution_time=1000" ;;
    esac
    case $mariadb_version in
        *[Mm]aria[Dd][Bb]*|[1-7].*|8.0.[0-9]|8.0.[0-9]-*|8.0.1[0-9]|8.0.1[0-9]-*|8.0.2[01]|8.0.2[01]-*) ;;
        8.[01].*) mariadb_replica='SHOW REPLICA STATUS' mariadb_hosts='SHOW REPLICAS' ;;
        *) mariadb_replica='SHOW REPLICA STATUS' mariadb_hosts='SHOW REPLICAS' mariadb_binlog='SHOW BINARY LOG STATUS' ;;
    esac
    jd_in="SELECT 'as	batch' AS jumpdeck;${NL}SET SESSION wait_timeout=10, SESSION net_write_timeout=5, SESSION time_zone='SYSTEM'$mariadb_limits;$NL"
    mariadb_line=2
    mariadb_part session 'SELECT CONNECTION_ID() AS jd_session'
    mariadb_part variables "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('version','version_comment','server_id','port','read_only','log_bin','log_slave_updates','log_replica_updates','have_ssl','ssl_cert','wsrep_on','wsrep_provider','wsrep_cluster_name','group_replication_group_name','server_uuid','max_connections')"
    [ -z "$mariadb_gtid" ] || mariadb_part gtid "SELECT 1 AS known, @@GLOBAL.$mariadb_gtid AS gtid"
    mariadb_part status "SHOW GLOBAL STATUS WHERE Variable_name IN ('wsrep_local_state_comment','wsrep_cluster_status','wsrep_ready','wsrep_connected','wsrep_cluster_size','wsrep_cluster_state_uuid','Binlog_snapshot_file','Binlog_snapshot_position','Threads_connected','Connection_errors_max_connections','Aborted_connects','Slow_queries','Binlog_commits','Com_commit','Uptime')"
    [ -z "$mariadb_group" ] || mariadb_part group "$mariadb_group"
    mariadb_may_hang connections "$mariadb_replica"
    mariadb_may_hang replicas "$mariadb_hosts"
    [ -z "$mariadb_binlog" ] || mariadb_may_hang binlog "$mariadb_binlog"
    [ -z "$mariadb_open" ] || mariadb_may_hang transactions "$mariadb_open"
    jd_in="${jd_in}SELECT 'end' AS jd_part, 0 AS jd_line;$NL"
}
# Ends our own session in the server, when its client was ended while it waited: the server would keep it.
mariadb_end() {
    mariadb_id=${jd_out#*"$NL"jd_session"$NL"}
    mariadb_id=${mariadb_id%%"$NL"*}
    case $mariadb_id in ''|*[!0-9]*) return ;; esac
    mariadb_kept=$jd_out
    jd_in="KILL $mariadb_id;$NL"
    apart mariadb_kill 2 mariadb_run
    jd_out=$mariadb_kept
}
# The version, and which of our statements an earlier question left waiting in the server.
mariadb_greet() {
    mariadb_before=$jd_out
    jd_in="SELECT 'as	batch' AS jumpdeck;${NL}SELECT CONNECTION_ID() AS jd_session;${NL}SELECT VERSION() AS jd_version;${NL}SELECT INFO AS jd_waits FROM information_schema.processlist WHERE (INFO LIKE 'SHOW %' OR INFO LIKE 'SELECT trx_%') AND TIME > 2;$NL"
    apart mariadb 4 mariadb_run
    mariadb_status=$?
    [ "$mariadb_status" != 124 ] || mariadb_end
    mariadb_hangs=
    case $jd_out in *"$NL"jd_waits"$NL"*) mariadb_hangs=${jd_out#*"$NL"jd_waits"$NL"} mariadb_hangs=${mariadb_hangs%%@stderr*} ;; esac
    mariadb_version=${jd_out#*"$NL"jd_version"$NL"}
    mariadb_version=${mariadb_version%%"$NL"*}
    case $mariadb_status$mariadb_version in
        [01][1-9]*.*) mariadb_seen=yes jd_out=$mariadb_before ;;
        *) mariadb_version= ;;
    esac
}
jd_wanted="${jd_wanted}mariadbd mysqld mysqld-debug mysqld_safe mariadbd-safe "
# Whether a server that nobody expects may run: a process, where all can be seen, or a socket at a usual place.
mariadb_may_run() {
    [ -r /proc/1/comm ] || return 0
    jd_look
    case $jd_processes in *"$NL"mariadbd*|*"$NL"mysqld*) return 0 ;; esac
    for mariadb_socket in /run/mysqld/mysqld.sock /var/run/mysqld/mysqld.sock /var/lib/mysql/mysql.sock /tmp/mysql.sock; do
        [ ! -S "$mariadb_socket" ] || return 0
    done
    return 1
}
probe_mariadb() {
    if [ "${mariadb_idle:-0}" -gt 0 ]; then
        mariadb_idle=$((mariadb_idle - 1))
        return 127
    fi
    mariadb_have mariadbd mysqld /usr/libexec/mariadbd /usr/libexec/mysqld /usr/local/mysql/bin/mysqld ||
        [ "$DB_EXPECTED" = yes ] || return 127
    mariadb_server=$mariadb_found
    if [ "$DB_EXPECTED" != yes ] && [ -z "$mariadb_seen" ] && ! mariadb_may_run; then
        mariadb_idle=11
        return 127
    fi
    if ! mariadb_have mariadb mysql; then
        say "@server $mariadb_server"
        say '@no-client'
        return 127
    fi
    mariadb_client=$mariadb_found
    mariadb_have awk
    mariadb_awk=$mariadb_found
    say "@server $mariadb_server $mariadb_client"
    if [ -z "$mariadb_version" ]; then
        mariadb_greet
        # An account that may run the client as root, and nothing else.
        case $SUDO@$mariadb_outer@$jd_out in
            sudo*@@*'password is required'*|sudo*@@*'not allowed to execute'*)
                mariadb_outer=yes jd_out=$mariadb_before
                mariadb_greet ;;
        esac
        if [ -z "$mariadb_version" ]; then
            case $DB_EXPECTED$mariadb_seen$jd_out in
                no@*'ERROR 2002 '*) jd_out= mariadb_idle=11; return 127 ;;
            esac
            return "$mariadb_status"
        fi
    fi
    mariadb_statements
    apart mariadb 4 mariadb_run
    mariadb_status=$?
    case $jd_out in *"$NL"version"	$mariadb_version$NL"*) ;; *) mariadb_version= ;; esac
    if [ "$mariadb_status" = 124 ]; then
        mariadb_version=
        mariadb_end
    fi
    return "$mariadb_status"
}
