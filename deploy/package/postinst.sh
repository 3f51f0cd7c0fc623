#!/bin/sh
# After an installation or an upgrade. Debian calls it with "configure" and the
# version before, rpm with the number of versions that are now installed.
set -e
case "$1" in
configure) first=${2:+no} ;;
1) first= ;;
2) first=no ;;
*) exit 0 ;;
esac

if ! getent passwd covebridge >/dev/null; then
	useradd --system --user-group --no-create-home --home-dir /var/lib/covebridge \
		--shell /usr/sbin/nologin --comment covebridge covebridge
fi
install -d -o root -g covebridge -m 750 /etc/covebridge
install -d -o covebridge -g covebridge -m 700 /var/lib/covebridge
if [ ! -e /etc/covebridge/config.yaml ]; then
	install -o root -g covebridge -m 640 /usr/share/covebridge/config.yaml /etc/covebridge/config.yaml
fi

if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	systemctl try-restart covebridge.service
fi
if [ -z "$first" ]; then
	echo 'covebridge: to set it up, call: covebridge init -c /etc/covebridge/config.yaml'
	echo 'All else is in /usr/share/doc/covebridge/README.md, "Put it to work".'
fi
