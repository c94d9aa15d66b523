#!/bin/bash
# From a clone to a running container. Every command is shown before it runs, so that you can type it.
set -euo pipefail
cd "$(dirname "$0")/.."

show() {
	if [ -t 1 ]; then
		printf '\n\033[1m$ %s\033[0m\n' "$1"
	else
		printf '\n$ %s\n' "$1"
	fi
	eval "$1"
}

missing=()
for package in gcc libc6-dev pkg-config libseccomp-dev busybox-static; do
	dpkg-query --show --showformat='${db:Status-Status}' "$package" 2> /dev/null | grep -q '^installed$' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
	show "apt-get update"
	show "apt-get install --yes --no-install-recommends ${missing[*]}"
fi

show "make build"

echo
echo "# A bundle is a directory: a root file system, and config.json that says how to run it."
bundle=$(mktemp -d /tmp/dhow-demo-XXXX)
show "mkdir -p $bundle/rootfs/{bin,dev,proc,sys,tmp}"
show "cp /bin/busybox $bundle/rootfs/bin/"
show "for name in sh hostname id ps ls grep; do ln -s busybox $bundle/rootfs/bin/\$name; done"
show "bin/runtime spec --bundle $bundle"

echo
echo "# The default config runs \`sh\` on a terminal. Let it run a few commands and end instead."
script='echo process $$ on host $(hostname); id; ps; ls /; grep Cap /proc/self/status'
show "sed -i -e 's/\"terminal\": true/\"terminal\": false/' -e 's@\"sh\"@\"sh\", \"-c\", \"$script\"@' $bundle/config.json"

show "bin/runtime run $bundle/"

echo
echo "# That was a container. For a shell in one, put \"terminal\": true and \"args\": [\"sh\"] back into"
echo "# $bundle/config.json and run it again; rm -r $bundle when you are done."
echo "# What would it do to my host? \`bin/runtime plan $bundle/\` prints every system call and makes none."
