# Outlives its owner just long enough to clean up after it (harness/processes/supervision.py).
#
# Run as `sh watchdog.sh`, with the owner's socket on standard input. Each line names a process group or a
# directory to own, or a group that has ended:
#
#     own group 4242 KILL      own directory /tmp/x      release group 4242
#
# End of file means that the owner has ended (`kill -9` included): all groups still owned are ended, and all
# directories removed. This is a shell script because a `pkill python` must not end it.

# Ctrl-C and a closing terminal are handled by the owner; this process ends with the socket.
trap '' INT HUP TERM
# The tools used below, whatever PATH the owner's user has.
PATH=$PATH:/usr/bin:/bin
newline='
'
IFS=$newline
set -f
groups= directories=

while read -r line; do
    case $line in
    'own group '*) groups=$groups${line#own group }$newline ;;
    'own directory '*) directories=$directories${line#own directory }$newline ;;
    'release group '*)
        kept=
        for group in $groups; do
            [ "${group% *}" = "${line#release group }" ] || kept=$kept$group$newline
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

# A process in the midst of its exec has no command line: it may become a resource tracker.
is_tracker() { grep -q 'resource_tracker import main' "/proc/$1/cmdline" || ! grep -q . "/proc/$1/cmdline"; }

has_tracker() {
    for process in $(running "$1"); do
        ! is_tracker "$process" || return 0
    done
    return 1
}

# Python's resource tracker unlinks what the other processes of its group shared, and ends when they are gone.
kill_all_but_trackers() {
    for process in $(running "$1"); do
        is_tracker "$process" || kill -s KILL "$process"
    done
}

# Groups that got SIGKILL are not waited for: nothing of them runs again, and with an init that is slow to reap
# orphans they would look alive.
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

# Free the shared memory of killed PostgreSQL servers: the pid file of each names its segment. At any depth: a
# directory of one supervision may be inside that of another.
free_segments() {
    for file in $(find "$1" -name postmaster.pid); do
        segment=$(sed -n 7p "$file") && [ "$segment" ] && ipcrm -m "${segment##* }"
    done
}

# The shared memory of PostgreSQL's processes in /dev/shm, which they would unlink: initdb has some before version 16.
shared_memory() {
    for process in $(running "$1"); do
        for mapped in $(cat "/proc/$process/maps") $(ls -l "/proc/$process/fd"); do
            case $mapped in */dev/shm/PostgreSQL.*) echo "/dev/shm/${mapped##*/}" ;; esac
        done
    done
}

# The System V segments that the processes of a group have created. The pid file names one too, but a moment later.
segments() {
    for process in $(running "$1"); do
        while IFS=' ' read -r _ segment _ _ creator _; do
            [ "$creator" != "$process" ] || echo "$segment"
        done </proc/sysvipc/shm
    done
}

shared= created=
for group in $groups; do
    if [ "${group#* }" = KILL ] && has_tracker "${group% *}"; then
        kill_all_but_trackers "${group% *}"
    elif [ "${group#* }" = KILL ]; then
        # A process that runs on might share more, or something else.
        kill -s STOP -- "-${group% *}"
        shared=$shared$(shared_memory "${group% *}")$newline
        created=$created$(segments "${group% *}")$newline
        kill -s KILL -- "-${group% *}"
    else
        created=$created$(segments "${group% *}")$newline
        kill -s "${group#* }" -- "-${group% *}"
    fi
done
for file in $shared; do
    rm -f -- "${file% (deleted)}"
done
tries=20
while [ $tries -gt 0 ] && waits; do
    sleep 0.1
    tries=$((tries - 1))
done
for group in $groups; do
    kill -s KILL -- "-${group% *}"
done
for segment in $created; do
    ipcrm -m "$segment"
done
for directory in $directories; do
    # A killed process may still be writing a last file.
    tries=20
    while [ -e "$directory" ] && [ $tries -gt 0 ]; do
        free_segments "$directory"
        rm -rf -- "$directory" || sleep 0.1
        tries=$((tries - 1))
    done
done
