#!/bin/sh
# A vehicle and a charger as two processes in two network namespaces, and the powerline between them as a third:
#
#   [pyplc-ev] ev0 ---- lev0 [pyplc-line: pyplc modem emulate lev0 --peer lse0] lse0 ---- se0 [pyplc-se]
#
# Usage: netns.sh up | run [arguments of ev] | down | all        PYPLC: the command, TCP_PORT: the charger's port,
# DRIVER: packet or pcap, OUT: folder for logs and recordings, EV and EVSE: their files
set -u
PYPLC=${PYPLC:-pyplc}
TCP_PORT=${TCP_PORT:-0}
DRIVER=${DRIVER:-auto}
OUT=${OUT:-$(mktemp -d)}
TAG=${TAG:-pyplc}
HERE=$(cd "$(dirname "$0")" && pwd)
EV=${EV:-$HERE/ev.toml}
EVSE=${EVSE:-$HERE/evse.toml}

up() {
    down
    for n in ev se line; do ip netns add "$TAG-$n" || return 1; done
    ip link add ev0 netns "$TAG-ev" type veth peer name lev0 netns "$TAG-line" &&
    ip link add se0 netns "$TAG-se" type veth peer name lse0 netns "$TAG-line" || return 1
    for i in lev0 lse0; do
        # the powerline is no host: it must not answer with an address of its own
        ip netns exec "$TAG-line" sysctl -qw "net.ipv6.conf.$i.disable_ipv6=1"
        ip -n "$TAG-line" link set "$i" up
    done
    ip netns exec "$TAG-ev" sysctl -qw net.ipv6.conf.ev0.accept_dad=0
    ip netns exec "$TAG-se" sysctl -qw net.ipv6.conf.se0.accept_dad=0
    ip -n "$TAG-ev" link set ev0 up && ip -n "$TAG-se" link set se0 up
}

down() {
    for n in ev se line; do
        for p in $(ip netns pids "$TAG-$n" 2>/dev/null); do kill "$p" 2>/dev/null; done
        ip netns del "$TAG-$n" 2>/dev/null
    done
    return 0
}

run() {
    mkdir -p "$OUT"
    ip netns exec "$TAG-line" $PYPLC modem emulate lev0 --peer lse0 --fast >"$OUT/modem.log" 2>&1 &
    modem=$!
    for i in $(seq 100); do grep -q ready "$OUT/modem.log" && break; sleep 0.1; done
    (cd "$OUT" && exec ip netns exec "$TAG-se" $PYPLC evse "$EVSE" --interface se0 --driver "$DRIVER" \
        --port "$TCP_PORT" --once) >"$OUT/evse.log" 2>&1 &
    evse=$!
    sleep 1
    (cd "$OUT" && ip netns exec "$TAG-ev" $PYPLC ev "$EV" --interface ev0 --driver "$DRIVER" "$@") \
        >"$OUT/ev.log" 2>&1
    code=$?
    wait $evse; ecode=$?
    kill $modem 2>/dev/null; wait $modem 2>/dev/null
    tail -1 "$OUT/ev.log"; tail -1 "$OUT/evse.log"
    [ $code = 0 ] && [ $ecode = 0 ]
}

case "${1:-all}" in
    up) up ;;
    run) shift; run "$@" ;;
    down) down ;;
    all) up && run; code=$?; down; exit $code ;;
    *) sed -n '2,8p' "$0"; exit 2 ;;
esac
