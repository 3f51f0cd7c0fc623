#!/bin/sh
# After a removal, which keeps the configuration and the ledger, and after
# Debian's purge, which keeps nothing.
set -e
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
if [ "$1" = purge ]; then
	rm -rf /etc/covebridge /var/lib/covebridge /etc/systemd/system/covebridge.service.d
	if getent passwd covebridge >/dev/null; then
		userdel covebridge
	fi
fi
