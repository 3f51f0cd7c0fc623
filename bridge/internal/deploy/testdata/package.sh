# A package's life: installed, run to its first mail, upgraded, removed, purged.
# Called by package_test.go with deb or rpm and the packages of 1.0.0 and 1.0.1,
# in namespaces of its own: all happens in a copy of this machine's files, and
# files and programs are gone when this ends.
set -eu
kind=$1 first=$2 second=$3

fail() {
	echo "FAILED: $*" >&2
	exit 1
}

# is WHAT WANT GOT
is() { [ "$2" = "$3" ] || fail "$1: $3, want $2"; }

mount -t tmpfs scratch /mnt
mkdir /mnt/upper /mnt/work /mnt/root /mnt/packages
cp "$first" "$second" /mnt/packages
mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work overlay /mnt/root
mount -t proc proc /mnt/root/proc
mount --bind /dev /mnt/root/dev
mkdir -p /mnt/root/mnt
mount --bind /mnt/packages /mnt/root/mnt
first=/mnt/$(basename "$first") second=/mnt/$(basename "$second")

root() { chroot /mnt/root "$@"; }

case $kind in
deb)
	put() { root dpkg --install "$1"; }
	drop() { root dpkg --remove covebridge; }
	root dpkg --purge covebridge >/dev/null 2>&1 || true # this machine's own
	;;
rpm)
	put() { root rpm --upgrade --nodeps "$1"; } # Debian's packages are not in its database
	drop() { root rpm --erase covebridge; }
	root rpm --erase covebridge >/dev/null 2>&1 || true
	;;
esac
root userdel covebridge >/dev/null 2>&1 || true
root rm -rf /etc/covebridge /var/lib/covebridge

echo "== install"
put "$first" </dev/null
is 'the folder of the configuration' '750 root covebridge' "$(root stat -c '%a %U %G' /etc/covebridge)"
is 'the configuration' '640 root covebridge' "$(root stat -c '%a %U %G' /etc/covebridge/config.yaml)"
is 'the folder of the ledger' '700 covebridge covebridge' "$(root stat -c '%a %U %G' /var/lib/covebridge)"
is 'the folder of the manual pages' 755 "$(root stat -c %a /usr/share/man/man1)"
is 'the version' v1.0.0 "$(root covebridge version | cut -d ' ' -f 2)"
[ "$(root id -u covebridge)" -lt 1000 ] || fail 'covebridge is no system user'
[ ! -e /mnt/root/etc/systemd/system/multi-user.target.wants/covebridge.service ] || fail 'it is enabled before it is configured'
for file in /usr/share/man/man1/covebridge.1.gz /usr/share/man/man1/covebridge-once.1.gz \
	/usr/share/bash-completion/completions/covebridge /usr/share/fish/vendor_completions.d/covebridge.fish; do
	[ -s "/mnt/root$file" ] || fail "$file is not there"
done

unit=/mnt/root/usr/lib/systemd/system/covebridge.service
user=$(sed -n 's/^User=//p' "$unit")
start=$(sed -n 's/^ExecStart=//p' "$unit")
cb() { root runuser -u "$user" -- covebridge -c /etc/covebridge/config.yaml "$@"; }

echo "== the configuration as it comes lacks the two secrets, and nothing else"
cb check >/mnt/check 2>&1 && fail 'check passes without secrets'
cat /mnt/check
is 'things told' 2 "$(grep -c 'config.yaml:[0-9]*: ' /mnt/check)"
grep -q 'cove\[0\].password_file: .*/etc/covebridge/cove-password' /mnt/check || fail 'it does not ask for cove-password'
grep -q 'delivery.imap.password_file: .*/etc/covebridge/imap-password' /mnt/check || fail 'it does not ask for imap-password'

echo "== run it as the unit does, to the first mails"
chroot /mnt/root covebridge sim --listen 127.0.0.1:0 --speed 0 --plain --devices 5 >/mnt/sim &
sim=$!
until grep -q 'answers at' /mnt/sim; do
	kill -0 $sim || fail 'the simulator ended'
	sleep 0.1
done
address=$(sed -n 's/.*answers at http:\([^ ]*\)\. .*/\1/p' /mnt/sim)
root install -d -o covebridge /var/lib/covebridge/mails
# Set it up as root at a terminal; no mail server is there, and it says so.
printf '%s\n' "http:$address/jsonapi" api-user covesim '' backups@msp.example '' UTC smtp 127.0.0.1:1 none none no |
	script --quiet --return --command 'chroot /mnt/root covebridge init -c /etc/covebridge/config.yaml' /dev/null >/mnt/init &&
	fail 'init ends well without a mail server'
cat /mnt/init
grep -q 'passed.*logged in as api-user' /mnt/init || fail 'init does not log in to Cove'
is 'the configuration' '640 root covebridge' "$(root stat -c '%a %U %G' /etc/covebridge/config.yaml)"
is 'the ledger that the check made' '600 covebridge covebridge' "$(root stat -c '%a %U %G' /var/lib/covebridge/covebridge.db)"
root sed -i -E "
	s,^( +rate:) [^ ]+,\1 1000,
	/^  smtp:/,/^  # Writes/ { /^    [a-z]/d; s,^  smtp:,  directory: /var/lib/covebridge/mails, }
" /etc/covebridge/config.yaml
cb check
chroot /mnt/root setpriv --reuid "$user" --regid "$user" --init-groups $start >/mnt/log 2>&1 &
service=$!
tries=0
until ls /mnt/root/var/lib/covebridge/mails/*.eml >/dev/null 2>&1; do
	kill -0 $service || { cat /mnt/log; fail 'it ended'; }
	tries=$((tries + 1))
	[ $tries -lt 300 ] || { cat /mnt/log; fail 'no mail after 30 s'; }
	sleep 0.1
done
kill -TERM $service
wait $service || { cat /mnt/log; fail "it ended with status $?"; }
grep -q 'open to others' /mnt/log && fail 'the modes that the package sets are warned about'
cb once # what the stop left

kept() {
	(
		cd /mnt/root
		sha256sum etc/covebridge/* var/lib/covebridge/mails/*
		stat -c '%n %a %U %G' etc/covebridge etc/covebridge/* var/lib/covebridge
		cb history --json --limit 0
	)
}

echo "== upgrade"
kept >/mnt/before
put "$second" </dev/null
is 'the version' v1.0.1 "$(root covebridge version | cut -d ' ' -f 2)"
kept >/mnt/after
diff /mnt/before /mnt/after || fail 'the upgrade changed that'
cb once
kept >/mnt/after
diff /mnt/before /mnt/after || fail 'the new version sent or forgot that'

echo "== remove, and install again"
ln -s /usr/lib/systemd/system/covebridge.service /mnt/root/etc/systemd/system/multi-user.target.wants/
drop </dev/null
for path in /usr/bin/covebridge /usr/lib/systemd/system/covebridge.service \
	/etc/systemd/system/multi-user.target.wants/covebridge.service /usr/share/covebridge /usr/share/doc/covebridge /usr/share/man/man1/covebridge.1.gz; do
	[ ! -e "/mnt/root$path" ] && [ ! -L "/mnt/root$path" ] || fail "$path is left"
done
put "$second" </dev/null
kept >/mnt/after
diff /mnt/before /mnt/after || fail 'removing it changed that'

if [ "$kind" = deb ]; then
	echo "== purge"
	root dpkg --purge covebridge </dev/null
	root getent passwd covebridge && fail 'the user is left'
	root getent group covebridge && fail 'the group is left'
	# All that is changed on the machine lies in upper; dpkg keeps a log.
	left=$(find /mnt/upper -name '*covebridge*' ! -type c)
	[ -z "$left" ] || fail "left behind: $left"
	left=$(grep -rl covebridge /mnt/upper/etc /mnt/upper/usr | grep -v -- '-$' || true)
	[ -z "$left" ] || fail "covebridge is named in: $left"
fi
echo "== all is well"
