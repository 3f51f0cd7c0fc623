#!/bin/sh
# Before a removal: "remove" for Debian, no version left for rpm. An upgrade
# restarts the service once the new version is there.
set -e
case "$1" in
remove | 0)
	if [ -d /run/systemd/system ]; then
		systemctl disable --now covebridge.service
	else
		rm -f /etc/systemd/system/multi-user.target.wants/covebridge.service
	fi
	;;
esac
