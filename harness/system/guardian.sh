# The process that outlives its owner just long enough to clean up after it (harness/system/supervision.py).
#
# Run as `sh guardian.sh`, with the owner's socket on standard input. Each line names what to hold, or a group
# to let go of:
#
#     hold group 4242 KILL      hold directory /tmp/x      drop group 4242
#
# End of file means that the owner has gone, however it went (`kill -9` included): whatever is still held is
# ended and removed. A shell, because whatever ends every Python of a machine must not end this one with them.

# Ctrl-C and a closing terminal are the owner's business; this process ends with the socket.
trap '' INT HUP TERM
# The tools below, whatever programs the owner's user can find.
PATH=$PATH:/usr/bin:/bin
newline='
'
IFS=$newline
set -f
groups= directories=

while read -r line; do
    case $line in
    'hold group '*) groups=$groups${line#hold group }$newline ;;
    'hold directory '*) directories=$directories${line#hold directory }$newline ;;
    'drop group '*)
        kept=
        for group in $groups; do
            [ "${group% *}" = "${line#drop group }" ] || kept=$kept$group$newline
        done
        groups=$kept
        ;;
    esac
done

# The processes of a group that have not ended.
running() (
    set +f
    sed -n "s/^\([0-9]*\) (.*) [^ZX] [0-9]* $1 .*/\1/p" /proc/[0-9]*/stat
)

# In the midst of its exec a process has no command line: it may become one.
is_tracker() { grep -q 'resource_tracker import main' "/proc/$1/cmdline" || ! grep -q . "/proc/$1/cmdline"; }

has_tracker() {
    for process in $(running "$1"); do
        ! is_tracker "$process" || return 0
    done
    return 1
}

# Python's resource tracker unlinks what the others of its group shared, and ends when they are gone.
kill_all_but_trackers() {
    for process in $(running "$1"); do
        is_tracker "$process" || kill -s KILL "$process"
    done
}

# Groups that were sent SIGKILL are not waited for: nothing of them runs again, and an init that is slow to
# reap their orphans would keep them looking alive.
waits() {
    for group in $groups; do
        if [ "${group#* }" != KILL ]; then
            ! kill -s 0 -- "-${group% *}" || return 0
        elif has_tracker "${group% *}"; then
            kill_all_but_trackers "${group% *}"
            return 0
        fi
    done
    return 1
}

# What a PostgreSQL that was killed could not remove: its pid file names its segment of shared memory. However
# deep: one custody's directory may lie in that of another.
free_segments() {
    for file in $(find "$1" -name postmaster.pid); do
        segment=$(sed -n 7p "$file") && [ "$segment" ] && ipcrm -m "${segment##* }"
    done
}

for group in $groups; do
    if [ "${group#* }" = KILL ] && has_tracker "${group% *}"; then
        kill_all_but_trackers "${group% *}"
    else
        kill -s "${group#* }" -- "-${group% *}"
    fi
done
tries=20
while [ $tries -gt 0 ] && waits; do
    sleep 0.1
    tries=$((tries - 1))
done
for group in $groups; do
    kill -s KILL -- "-${group% *}"
done
for directory in $directories; do
    # Whoever was killed may be leaving a last file.
    tries=20
    while [ -e "$directory" ] && [ $tries -gt 0 ]; do
        free_segments "$directory"
        rm -rf -- "$directory" || sleep 0.1
        tries=$((tries - 1))
    done
done
