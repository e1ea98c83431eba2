#!/bin/sh
# Bring a replica back into an empty data folder, before the server starts: fail-over.sh
#
# QUILLIUM_DATA_DIR is the folder, REPLICA_URL the replica. Where the folder has a database, or there
# is no replica yet, nothing is done. `quillium restore` checks the copy and lets the numbers of frames
# go on far behind the old ones, so that every client lists everything again and misses nothing.
set -eu
quillium=${QUILLIUM:-/venv/bin/python /app/quillium.py}
copy=$QUILLIUM_DATA_DIR/replica.db

rm -f "$copy"  # of an attempt that was interrupted
[ ! -e "$QUILLIUM_DATA_DIR/quillium.db" ] || exit 0
litestream restore -if-replica-exists -o "$copy" "$REPLICA_URL"
[ -e "$copy" ] || exit 0
$quillium restore "$copy" --data-dir "$QUILLIUM_DATA_DIR"
rm "$copy"
