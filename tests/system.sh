#!/bin/sh
# What the tests need and pip cannot bring: a browser; PostgreSQL's server, which the tests run in a
# folder of their own; espeak-ng, which spoke the clips of the book; epubcheck, which judges the
# EPUB; and Java, which that and the judge of pages run in. As root on Debian or Ubuntu they are
# installed; elsewhere this says what to install.
set -eu

has_browser() {
    for name in chromium chromium-browser google-chrome; do
        command -v "$name" >/dev/null 2>&1 && return 0
    done
    return 1
}

has_postgres() {
    command -v initdb >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1
}

has_espeak() {
    command -v espeak-ng >/dev/null 2>&1
}

has_epubcheck() {
    command -v epubcheck >/dev/null 2>&1
}

has_java() {
    command -v java >/dev/null 2>&1
}

missing=
has_browser || missing="chromium"
has_postgres || missing="$missing postgresql"
has_espeak || missing="$missing espeak-ng"
has_epubcheck || missing="$missing epubcheck"
has_java || missing="$missing default-jre-headless"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing for the tests:" $missing "..."
    # Debian would make a database server of its own and start it: not on a machine of yours.
    clusters=/etc/postgresql-common/createcluster.conf
    if [ ! -e "$clusters" ]; then
        mkdir -p "${clusters%/*}"
        echo "create_main_cluster = off" >"$clusters"
        ours=yes
    fi
    export DEBIAN_FRONTEND=noninteractive UCF_FORCE_CONFFOLD=1
    apt-get update -qq >/dev/null
    apt-get install -y -qq --no-install-recommends $missing >/dev/null
    if [ -n "${ours:-}" ]; then
        # The next one may be made as ever.
        cp /usr/share/postgresql-common/createcluster.conf "$clusters" 2>/dev/null || rm "$clusters"
    fi
    exit
fi

has_browser || echo "The browser tests need Chromium (Debian, Ubuntu: apt-get install chromium;" \
    "Fedora: dnf install chromium; macOS: brew install --cask chromium)." >&2
has_postgres || echo "The gradebook tests need PostgreSQL's server (Debian, Ubuntu: apt-get install" \
    "postgresql; Fedora: dnf install postgresql-server; macOS: brew install postgresql)." >&2
has_espeak || echo "The test that speaks the clips again needs espeak-ng (Debian, Ubuntu: apt-get" \
    "install espeak-ng; Fedora: dnf install espeak-ng; macOS: brew install espeak-ng)." >&2
has_epubcheck || echo "The test of the EPUB needs epubcheck (Debian, Ubuntu: apt-get install" \
    "epubcheck; Fedora, macOS: dnf or brew install epubcheck)." >&2
has_java || echo "The tests of the EPUB and of the pages need Java (Debian, Ubuntu: apt-get install" \
    "default-jre-headless; Fedora: dnf install java-latest-openjdk-headless; macOS: brew install" \
    "openjdk)." >&2
echo "Install what is missing, then run this again." >&2
exit 1
