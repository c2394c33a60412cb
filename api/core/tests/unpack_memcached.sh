#!/bin/sh
# Put Debian's memcached into a folder, for the tests of caches, and install nothing: they start it themselves.
# Where it is on PATH already, or apt isn't there or doesn't answer, nothing happens but a line that says so.
set -u

folder=$1
command -v memcached >/dev/null && exit 0

refuse() {
    echo "Without memcached, whose tests are skipped: $1." >&2
    exit 0
}
for each in apt-get apt-cache dpkg-deb timeout; do
    command -v "$each" >/dev/null || refuse "$each isn't here"
done

beside=$(mktemp -d) || exit 0
trap 'rm -rf "$beside"' EXIT
cd "$beside" || exit 0
# Lists are root's to fetch; who isn't takes those that are there.
[ "$(id -u)" -ne 0 ] || timeout 60 apt-get update -qq >/dev/null 2>&1
libraries=$(apt-cache depends memcached 2>/dev/null | sed -n 's/^ *Depends: \(libevent[^ ]*\|libsasl2[^ ]*\)$/\1/p')
# shellcheck disable=SC2086 # one package a word
timeout 60 apt-get download -qq memcached $libraries >/dev/null 2>&1 || refuse "apt has none, or doesn't answer"
for package in ./*.deb; do
    dpkg-deb --extract "$package" files || refuse "$package can't be unpacked"
done

rm -rf "$folder" && mkdir -p "$folder" && cp -R files "$folder/" || exit 0
library=$(find "$folder/files" -name 'libevent-*.so*' | head -n 1)
cat >"$folder/memcached" <<END
#!/bin/sh
LD_LIBRARY_PATH='${library%/*}' exec '$folder/files/usr/bin/memcached' "\$@"
END
chmod +x "$folder/memcached"
"$folder/memcached" --version >/dev/null 2>&1 || { rm -rf "$folder"; refuse "Debian's doesn't run here"; }
