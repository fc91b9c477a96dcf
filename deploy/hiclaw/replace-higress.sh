#!/bin/sh
# Puts sluice in the place of Higress in a configuration of supervisord: takes its programs (higress-*) out and adds one.
# Safe to repeat; the file as it was is kept beside it.
#   replace-higress.sh /etc/supervisor/conf.d/supervisord.conf
set -eu
file=${1:?usage: replace-higress.sh SUPERVISORD.CONF}
[ -e "$file.higress" ] || cp -p "$file" "$file.higress"
awk '
	/^[ \t]*\[/ { out = $0 ~ /^[ \t]*\[program:(higress-|sluice\])/ }
	!out { print }
' "$file" >"$file.new"
cat >>"$file.new" <<'CONF'
[program:sluice]
command=/usr/local/bin/sluice serve --hiclaw --data /data/sluice --user root
environment=SLUICE_GATEWAY="0.0.0.0:8080",SLUICE_CONSOLE="0.0.0.0:8001",SLUICE_MONITOR="0.0.0.0:18080"
priority=500
autorestart=true
startsecs=1
stopwaitsecs=40
stdout_logfile=/var/log/hiclaw/sluice.log
stdout_logfile_maxbytes=10MB
redirect_stderr=true
CONF
mv "$file.new" "$file"
