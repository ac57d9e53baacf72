#!/bin/sh
# What the tests need and pip cannot bring: a browser. As root on Debian or Ubuntu it is installed;
# elsewhere this says what to install.
for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null 2>&1 && exit 0
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing Chromium for the browser tests ..."
    apt-get update -qq >/dev/null && apt-get install -y -qq --no-install-recommends chromium >/dev/null
    exit
fi
echo "The browser tests need Chromium. Install it (Debian, Ubuntu: apt-get install chromium;" >&2
echo "Fedora: dnf install chromium; macOS: brew install --cask chromium), then run this again." >&2
exit 1
